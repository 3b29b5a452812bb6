import * as assert from 'uvu/assert'
import { OwnRuns } from '../../../core/firewall/own-runs.ts'
import { Patience } from '../../../core/firewall/patience.ts'
import { Rhythm } from '../../../core/firewall/rhythm.ts'
import { suite } from '../../suite.ts'
import { eventually } from './namespace.ts'

const test = suite('rhythm and patience')

const freely = { share: 1, burstMs: 1e9, failed: () => {} }

test('work is done once for all who ask, never twice at once, and again for who asks meanwhile', async () => {
  let running = 0
  let most = 0
  let runs = 0
  const rhythm = new Rhythm(async () => {
    most = Math.max(most, ++running)
    if (++runs === 1) rhythm.soon(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    running--
  }, freely)
  for (const ms of [50, 0, 0, 10]) rhythm.soon(ms)
  assert.ok(await eventually(() => runs === 2))
  await rhythm.stop()
  rhythm.soon(0)
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal([runs, most], [2, 1])
})

test('work that fails is tried again until it does not, with pauses that grow', async () => {
  const at: number[] = []
  const failures: unknown[] = []
  const rhythm = new Rhythm(
    async () => {
      at.push(performance.now())
      rhythm.soon(0)
      if (at.length < 4) throw new Error(`${at.length}`)
    },
    { ...freely, failed: (_, times) => failures.push(times) },
  )
  rhythm.soon(0)
  assert.ok(await eventually(() => at.length >= 5))
  await rhythm.stop()
  assert.equal(failures, [1, 2, 3])
  const pauses = at.map((time, place) => time - (at[place - 1] ?? time))
  for (const [place, least] of [95, 195, 395].entries()) assert.ok((pauses[place + 1] ?? 0) >= least, String(pauses))
})

test('work that took its burst waits until it is earned', async () => {
  let runs = 0
  const rhythm = new Rhythm(
    async () => {
      runs++
      rhythm.soon(0)
      await new Promise((resolve) => setTimeout(resolve, 40))
    },
    { share: 0.01, burstMs: 60, failed: () => {} },
  )
  rhythm.soon(0)
  assert.ok(await eventually(() => runs === 2))
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.is(runs, 2)
  await rhythm.stop()
})

test('work that says how much of it counts is held to that alone', async () => {
  const runs = [0, 0]
  const counting = [0, 1000].map((counts, place) => {
    const rhythm: Rhythm = new Rhythm(
      async () => {
        runs[place] = (runs[place] ?? 0) + 1
        if ((runs[place] ?? 0) < 5) rhythm.soon(0)
        await new Promise((resolve) => setTimeout(resolve, 40))
        return counts
      },
      { share: 0.01, burstMs: 60, failed: () => {} },
    )
    rhythm.soon(0)
    return rhythm
  })
  assert.ok(await eventually(() => runs[0] === 5))
  assert.is(runs[1], 1)
  for (const rhythm of counting) await rhythm.stop()
})

test('patience is short, grows with what is slow or late, and with the size, and is bounded', () => {
  const patience = new Patience()
  assert.is(patience.firstMs(0), 1500)
  assert.is(patience.secondMs(0), 4500)
  assert.is(patience.firstMs(20_000), 3500)
  for (let late = 0; late < 50; late++) patience.late()
  assert.is(patience.firstMs(0), 1500)
  assert.is(patience.secondMs(0), 20_000)
  patience.took(2900, 0)
  assert.is(patience.firstMs(0), 8700)
  assert.is(patience.secondMs(0), 8700)
  for (let quick = 0; quick < 50; quick++) patience.took(10, 0)
  assert.is(patience.firstMs(0), 1500)
  patience.took(1e9, 0)
  assert.is(patience.firstMs(0), 60_000)
})

test('our own runs are known by their number, or where numbers say nothing by their time', () => {
  const numbered = new OwnRuns(true)
  numbered.started(5)
  assert.equal([numbered.has(5, 'nft'), numbered.has(6, 'nft'), numbered.has(5, 'x')], [true, false, true])
  for (let pid = 1000; pid < 4000; pid++) numbered.started(pid)
  assert.equal([numbered.has(3999, 'nft'), numbered.has(5, 'nft')], [true, false])
  const unnumbered = new OwnRuns(false)
  assert.not.ok(unnumbered.has(5, 'nft'))
  unnumbered.started(5)
  assert.equal([unnumbered.has(99, 'nft'), unnumbered.has(5, 'firewalld')], [true, false])
})

test.run()
