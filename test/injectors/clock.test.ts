import * as assert from 'uvu/assert'
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endAgents, temporaryFolder } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { now, ReadingAgent, sleep } from './reading-agent.ts'

/** The agent under a clock that is set while it runs: libfaketime gives it another wall clock, and leaves timers alone. */
const test = suite('a clock that is set', 'faketime')
const hour = 3600_000
const bantimeMs = 6000

test.after.each(endAgents)

for (const [name, steps] of [
  ['an hour forward', [hour]],
  ['an hour back', [-hour]],
  ['an hour back, and forward again', [-hour, hour]],
  ['a year forward', [365 * 24 * hour]],
] as const) {
  test(`${name}: bans end when they would have, failures stay as old as they are`, async () => {
    const scene = begin()
    const { agent, write, set } = scene
    await agent.watching()
    write('192.0.2.1')
    write('198.51.100.7', 2)
    await agent.settled(1)
    for (const step of steps) {
      set(step)
      await sleep(1500)
    }
    write('192.0.2.2')
    write('198.51.100.7')
    await agent.settled(3)
    await sleep(bantimeMs + 1500)
    const told = agent.told()
    const at = (verb: string, prefix: string) => told.filter((one) => one.verb === verb && one.prefix === prefix)
    for (const prefix of ['192.0.2.1', '192.0.2.2', '198.51.100.7']) {
      assert.is(at('ban', prefix).length, 1, `${prefix} ${JSON.stringify(told)}`)
      const length = (at('unban', prefix)[0]?.at ?? 0) - (at('ban', prefix)[0]?.at ?? 0)
      assert.ok(Math.abs(length - bantimeMs) < 2500, `${prefix} was banned for ${length} ms`)
    }
    assert.match(agent.process.output, 'the clock was set by')
  })
}

test('a clock that goes on is not set', async () => {
  const { agent, write } = begin()
  await agent.watching()
  write('192.0.2.1')
  await agent.settled(1)
  await sleep(2500)
  assert.not.match(agent.process.output, 'the clock was set')
})

test.run()

function begin() {
  const folder = temporaryFolder()
  const log = join(folder, 'auth.log')
  const offset = join(folder, 'offset')
  const failures = join(folder, 'failures.log')
  mkdirSync(folder, { recursive: true })
  writeFileSync(log, '')
  writeFileSync(failures, '')
  writeFileSync(offset, '+0\n')
  let by = 0
  const set = (ms: number) => {
    by += ms
    writeFileSync(offset, `${by < 0 ? '-' : '+'}${Math.abs(by) / 1000}\n`)
  }
  const jails = `  three:\n    source: ${failures}\n    maxretry: 3\n    filter: { failregex: ['^failure of .* from <ADDR>$'] }\n`
  const agent = new ReadingAgent({
    folder,
    logs: [log],
    jails,
    defaults: `findtime: 1m, bantime: ${bantimeMs / 1000}s`,
    env: {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
  })
  /** Writes failures as of now, by the clock as it is set. */
  const write = (address: string, times = 1) => {
    const date = new Date(Date.now() + by).toISOString()
    const [file, head] = address.startsWith('198') ? [failures, date] : [log, `${date} host app[7]:`]
    appendFileSync(file, `${head} failure of somebody from ${address}\n`.repeat(times))
  }
  return { agent, set, write, started: now() }
}

function library(): string {
  const found = readdirSync('/usr/lib')
    .map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
    .find((path) => existsSync(path))
  if (found === undefined) throw new Error('libfaketimeMT.so.1 is not where Debian has it')
  return found
}
