import * as assert from 'uvu/assert'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from '../suite.ts'
import { makeBed, needs, type Bed } from './bed.ts'
import { outside } from './network.ts'
import { waitFor } from './processes.ts'
import { configuration, inKernel, withAgent, type RunningAgent } from './running-agent.ts'

const test = suite('end to end: unban', ...needs)
let bed: Bed

test.before(async () => {
  bed = await makeBed('unban')
})
test.after(() => bed?.close())

test('a ban ends on time', () =>
  withAgent(bed, configuration(bed, { bantime: '5s' }), async (agent) => {
    const until = await banned(agent, outside.v4(0))
    await endsOnTime(outside.v4(0), until)
    await waitFor('the end of the ban in the report', async () => (await agent.jail()).banned === 0)
  }))

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a ban holds while the agent is ended by ${signal} and started again, and ends on time`, async () => {
    const attacker = signal === 'SIGTERM' ? outside.v4(1) : outside.v6(1)
    const yaml = configuration(bed, { bantime: '15s' })
    let until = 0
    await withAgent(bed, yaml, async (agent) => {
      until = await banned(agent, attacker)
      // A ban is stored a moment after the kernel holds it: the store is not in the way of the ban.
      if (signal === 'SIGKILL') await sleep(500)
      assert.is(await agent.stop(signal), signal === 'SIGTERM' ? 0 : null)
      assert.not(await bed.canConnect(attacker, 500), 'without an agent')
    })
    await withAgent(bed, yaml, async (agent) => {
      const again = (await agent.jail()).bans.find(({ prefix }) => prefix === attacker)
      assert.is(again?.until, until, 'the status of the new agent')
      assert.not(await bed.canConnect(attacker, 500), 'with the new agent')
      await endsOnTime(attacker, until)
    })
  })
}

test('failures before a restart count after it, once', async () => {
  const attacker = outside.v4(6)
  const yaml = configuration(bed)
  await withAgent(bed, yaml, async (agent) => {
    const before = (await agent.jail()).failures
    await bed.failLogin(attacker, { tries: 2 })
    await waitFor('two failures', async () => (await agent.jail()).failures === before + 2)
  })
  await withAgent(bed, yaml, async () => {
    assert.ok(await bed.canConnect(attacker), 'two failures, read by one agent, do not ban in the next')
    await bed.failLogin(attacker)
    await waitFor('the ban', () => inKernel(bed).includes(attacker))
  })
})

test('bans whose store is lost are found in the kernel again, and end on time', async () => {
  const attacker = outside.v6(12)
  const yaml = configuration(bed, { bantime: '20s' })
  let until = 0
  await withAgent(bed, yaml, async (agent) => {
    until = await banned(agent, attacker)
  })
  rmSync(join(bed.folder, 'state'), { recursive: true })
  await withAgent(bed, yaml, async (agent) => {
    const again = (await agent.jail()).bans.find(({ prefix }) => prefix === attacker)
    assert.ok(Math.abs((again?.until ?? 0) - until) < 2000, `${again?.until} instead of ${until}`)
    assert.not(await bed.canConnect(attacker, 500))
    await endsOnTime(attacker, until)
  })
})

test('who becomes a gateway is banned no longer, and not again', () =>
  withAgent(bed, configuration(bed, { bantime: '5m' }), async (agent) => {
    const gateway = outside.v4(30)
    await banned(agent, gateway)
    const route = (verb: string) => {
      const [program = '', ...words] = [...bed.inVictim, 'ip', 'route', verb, '203.0.113.0/24', 'via', gateway]
      execFileSync(program, words)
    }
    route('add')
    try {
      await waitFor('the end of the ban', () => !inKernel(bed).includes(gateway))
      await waitFor('that in the report', async () => (await agent.jail()).bans.every((ban) => ban.prefix !== gateway))
      await bed.failLogin(gateway, { tries: 3 })
      await waitFor('that it is ignored', async () => (await agent.jail()).ignored > 0)
      assert.not(inKernel(bed).includes(gateway))
    } finally {
      route('del')
    }
  }))

test('a ruleset that somebody flushes is put back', () =>
  withAgent(bed, configuration(bed, { bantime: '5m' }), async (agent) => {
    const attacker = outside.v4(14)
    await banned(agent, attacker)
    const [program = '', ...inVictim] = bed.inVictim
    execFileSync(program, [...inVictim, 'nft', 'flush', 'ruleset'])
    await waitFor('the ban to come back', () => inKernel(bed).includes(attacker), { withinMs: 5000, everyMs: 50 })
    assert.not(await bed.canConnect(attacker, 500))
    assert.is((await agent.command('unban', attacker)).code, 0)
  }))

test('bailiff ban and unban reach the kernel', () =>
  withAgent(bed, configuration(bed), async (agent) => {
    const [v4, v6] = [outside.v4(8), outside.v6(8)]
    const ban = await agent.command('ban', v4, v6, '--for', '1h')
    assert.is(ban.code, 0, ban.output)
    assert.not(await bed.canConnect(v4, 500))
    assert.not(await bed.canConnect(v6, 500))
    assert.ok(await bed.canConnect(outside.v4(9)))
    const unban = await agent.command('unban', v4)
    assert.is(unban.code, 0, unban.output)
    assert.ok(await bed.canConnect(v4))
    assert.not(await bed.canConnect(v6, 500))
    assert.is((await agent.command('unban', v6)).code, 0)
    assert.ok(await bed.canConnect(v6))
  }))

test('pause takes every ban out of the kernel, over a restart too, and resume puts them back', async () => {
  const [before, during] = [outside.v4(8), outside.v4(9)]
  const yaml = configuration(bed, { bantime: '10m' })
  await withAgent(bed, yaml, async (agent) => {
    await banned(agent, before)
    const pause = await agent.command('pause')
    assert.is(pause.code, 0, pause.output)
    assert.equal(inKernel(bed), [])
    assert.ok(await bed.canConnect(before))
  })
  await withAgent(bed, yaml, async (agent) => {
    assert.match(agent.printed(), 'paused since')
    await bed.failLogin(during, { tries: 3 })
    await waitFor('the decision', async () => (await agent.jail()).bans.some(({ prefix }) => prefix === during))
    assert.equal(
      (await agent.jail()).bans.map(({ enforced }) => enforced),
      [false, false],
    )
    assert.equal(inKernel(bed), [])
    assert.match((await agent.command('status')).output, 'The firewall is paused')
    const resume = await agent.command('resume')
    assert.is(resume.code, 0, resume.output)
    assert.equal(inKernel(bed).toSorted(), [before, during].toSorted())
    assert.is((await agent.command('unban', '--all')).code, 0)
  })
})

test.run()

/** Gets an address banned by three failed logins; resolves with the end of its ban. */
async function banned(agent: RunningAgent, attacker: string): Promise<number> {
  await bed.failLogin(attacker, { tries: 3 })
  await waitFor('the ban', () => inKernel(bed).includes(attacker))
  const until = (await agent.jail()).bans.find(({ prefix }) => prefix === attacker)?.until
  assert.type(until, 'number')
  return until ?? 0
}

/** Holds until a second before its end, and is gone within five seconds after. */
async function endsOnTime(attacker: string, until: number): Promise<void> {
  await sleep(Math.max(0, until - 1500 - Date.now()))
  if (Date.now() < until - 700) assert.not(await bed.canConnect(attacker, 300), 'just before its end')
  await waitFor('the end of the ban', () => bed.canConnect(attacker, 300), { withinMs: until - Date.now() + 5000 })
  assert.ok(Date.now() >= until, 'not before its end')
}
