import * as assert from 'uvu/assert'
import { copyFileSync, renameSync, truncateSync } from 'node:fs'
import { suite } from '../suite.ts'
import { makeBed, needs, type Bed } from './bed.ts'
import { outside } from './network.ts'
import { waitFor } from './processes.ts'
import { configuration, inKernel, withAgent, type RunningAgent } from './running-agent.ts'
import type { LogForm } from './ssh-server.ts'

const test = suite('end to end: logs', ...needs)

test('a log that is renamed in the middle of an attack', () =>
  onBed('rename', 'traditional', async (bed, agent) => {
    await bed.failLogin(outside.v4(0), { tries: 2 })
    await bed.failLogin(outside.v4(1), { tries: 1 })
    renameSync(bed.server.log, `${bed.server.log}.1`)
    // What sshd says between the rename and the signal still goes to the old file.
    await bed.failLogin(outside.v4(1), { tries: 1 })
    bed.server.reopenLog()
    await bed.failLogin(outside.v4(0))
    await bed.failLogin(outside.v4(1))
    await waitFor('the bans', () => [0, 1].every((index) => inKernel(bed).includes(outside.v4(index))))
    assert.is((await agent.jail()).failures, 6, 'every failure counted, none twice')
  }))

test('a log that is copied and truncated in the middle of an attack', () =>
  onBed('truncate', 'rfc3339', async (bed, agent) => {
    await bed.failLogin(outside.v4(0), { tries: 2 })
    await waitFor('two failures', async () => (await agent.jail()).failures === 2)
    assert.equal(inKernel(bed), [])
    copyFileSync(bed.server.log, `${bed.server.log}.1`)
    truncateSync(bed.server.log)
    await bed.failLogin(outside.v4(0))
    await waitFor('the ban', () => inKernel(bed).includes(outside.v4(0)))
    assert.is((await agent.jail()).failures, 3, 'every failure counted, none twice')
  }))

test('a log that sshd -E writes, without dates', () =>
  onBed('without', 'sshd -E', async (bed, agent) => {
    await bed.failLogin(outside.v4(0), { tries: 2 })
    await waitFor('two failures', async () => (await agent.jail()).failures === 2)
    assert.ok(await bed.canConnect(outside.v4(0)))
    await bed.failLogin(outside.v4(0))
    await waitFor('the ban', () => inKernel(bed).includes(outside.v4(0)))
    assert.ok(await bed.canConnect(outside.v4(1)))
  }))

test('with --observe nobody is banned and everything is counted', () =>
  onBed(
    'observe',
    'traditional',
    async (bed, agent) => {
      await bed.failLogin(outside.v4(0), { tries: 4 })
      await waitFor('the failures', async () => (await agent.jail()).failures >= 3)
      await bed.failLogin(outside.v4(0))
      assert.ok(await bed.canConnect(outside.v4(0)))
      assert.equal(inKernel(bed), [])
      assert.ok((await agent.status()).observe)
    },
    { words: ['--observe'] },
  ))

test('a broken jail beside a good one is set aside and named', () =>
  onBed(
    'broken',
    'traditional',
    async (bed, agent) => {
      const { jails, problems } = await agent.status()
      assert.equal(
        jails.map(({ jail }) => jail),
        ['sshd'],
      )
      assert.is(problems.length, 1)
      assert.match(problems[0] ?? '', /broken/)
      await bed.failLogin(outside.v6(0), { tries: 3 })
      await waitFor('the ban', () => inKernel(bed).includes(outside.v6(0)))
    },
    { more: "  broken: { source: /var/log/none.log, filter: { failregex: ['from (<ADDR>'] } }\n" },
  ))

test.run()

/** Runs a test on a bed and an agent of its own, and clears both away. */
async function onBed(
  label: string,
  form: LogForm,
  run: (bed: Bed, agent: RunningAgent) => Promise<void>,
  { words = [], more = '' }: { words?: string[]; more?: string } = {},
): Promise<void> {
  const bed = await makeBed(label, { form })
  try {
    await withAgent(bed, configuration(bed, { more }), (agent) => run(bed, agent), ...words)
  } finally {
    await bed.close()
  }
}
