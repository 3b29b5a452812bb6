import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cgroupLimit, MemoryWatch } from '../../core/memory-watch.ts'
import { suite } from '../suite.ts'

const test = suite('memory watch')
const mib = 1024 * 1024

function watched() {
  const world = { share: 0.3, now: 0, collected: 0, heapMib: 20, liveMib: 16 }
  const relieved: number[] = []
  const alarms: string[] = []
  const watch: MemoryWatch = new MemoryWatch({
    cap: 100 * mib,
    alarm: (message) => alarms.push(message),
    relieve: (scarcity) => relieved.push(scarcity),
    resident: () => world.share * 100 * mib,
    heap: () => world.heapMib * mib,
    collect: () => {
      world.collected++
      world.heapMib = world.liveMib
    },
    now: () => world.now,
  })
  const look = (share: number, passed = 500) => {
    world.share = share
    world.now += passed
    watch.look()
    return watch.scarcity
  }
  return { look, relieved, alarms, world }
}

test('the steps of the ladder, up and down again without fluttering', () => {
  const { look, relieved } = watched()
  assert.equal(
    [0.3, 0.59, 0.6, 0.79, 0.8, 0.96, 0.91, 0.85, 0.76, 0.74, 0.56, 0.54].map((share) => look(share)),
    [0, 0, 1, 1, 2, 3, 3, 2, 2, 1, 1, 0],
  )
  assert.equal(relieved, [1, 2, 3, 2, 1, 0])
})

test('relief is asked for again every five seconds, and the alarm is told every ten minutes', () => {
  const { look, relieved, alarms } = watched()
  for (let second = 0; second < 1200; second++) look(0.9, 1000)
  assert.is(relieved.length, 240)
  assert.is(alarms.length, 2)
  assert.match(alarms[0] ?? '', /^90 MiB of 100 are in use.*"memory:"/)
})

test('garbage is collected after relief', () => {
  const { look, world } = watched()
  look(0.3)
  assert.is(world.collected, 0)
  look(0.97)
  assert.ok(world.collected > 0)
})

test('little garbage is collected ever more rarely, since it stops all for a moment; much is at once', () => {
  const { look, world } = watched()
  for (let second = 0; second < 600; second++) {
    world.heapMib = Math.min(world.heapMib + 1, 24)
    look(0.5, 1000)
  }
  assert.ok(world.collected >= 2 && world.collected <= 8, String(world.collected))
  world.collected = 0
  world.heapMib = 40
  look(0.5)
  assert.is(world.collected, 1)
  // It paid: what is left over is looked for soon again.
  for (let second = 0; second < 12; second++) {
    world.heapMib = 18
    look(0.5, 1000)
  }
  assert.is(world.collected, 2)
})

test('the limit of the cgroup, where there is one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-test-'))
  mkdirSync(join(folder, 'a/b'), { recursive: true })
  writeFileSync(join(folder, 'own'), '0::/a/b\n')
  const limit = () => cgroupLimit(folder, join(folder, 'own'))
  assert.is(limit(), Infinity)
  writeFileSync(join(folder, 'a/b/memory.max'), 'max\n')
  assert.is(limit(), Infinity)
  writeFileSync(join(folder, 'a/b/memory.max'), '268435456\n')
  assert.is(limit(), 256 * mib)
  writeFileSync(join(folder, 'a/b/memory.high'), '134217728\n')
  assert.is(limit(), 128 * mib)
  rmSync(folder, { recursive: true })
})

test.run()
