import * as assert from 'uvu/assert'
import { spawn } from 'node:child_process'
import { suite, which } from '../suite.ts'
import { makeBed, needs, type Bed } from './bed.ts'
import { outside } from './network.ts'
import { stop, waitFor } from './processes.ts'
import { configuration, inKernel, startAgent, type RunningAgent } from './running-agent.ts'

const test = suite('end to end: ban', ...needs)
let bed: Bed
let agent: RunningAgent

test.before(async () => {
  bed = await makeBed('ban', { form: 'rfc3339' })
  agent = await startAgent(bed, configuration(bed))
})
test.after(async () => {
  await agent?.stop()
  await bed?.close()
})

for (const [family, host] of [
  ['IPv4', outside.v4],
  ['IPv6', outside.v6],
] as const) {
  test(`${family}: banned after three failed logins and not before, and nobody else`, async () => {
    const [attacker, neighbour, friend] = [host(0), host(1), host(2)]
    const before = (await agent.jail()).failures
    await bed.failLogin(attacker)
    await bed.failLogin(attacker, { user: 'nobody-here' })
    await waitFor('two failures', async () => (await agent.jail()).failures === before + 2)
    assert.ok(await bed.canConnect(attacker), 'two failures do not ban')
    assert.equal(
      inKernel(bed).filter((address) => address === attacker),
      [],
    )
    await bed.failLogin(attacker)
    await waitFor('the ban', async () => !(await bed.canConnect(attacker, 500)))
    assert.ok(inKernel(bed).includes(attacker))
    assert.ok((await agent.jail()).bans.some(({ prefix }) => prefix === attacker))
    assert.ok(await bed.canConnect(neighbour), 'the neighbour in the same network still connects')
    assert.ok(await bed.logIn(friend), 'another host still logs in')
  })
}

test('a user name that names somebody else bans only who sent it', async () => {
  const attacker = outside.v4(3)
  const victim = outside.v4(4)
  await bed.failLogin(attacker, { user: `x from ${victim} port 22 ssh2`, tries: 3 })
  await waitFor('the ban', () => inKernel(bed).includes(attacker))
  assert.ok(await bed.canConnect(victim))
  assert.not(inKernel(bed).includes(victim))
})

test('failed logins of a banned address that were under way ban nobody twice', async () => {
  const attacker = outside.v4(5)
  await bed.failLogin(attacker, { tries: 6 })
  await waitFor('the ban', () => inKernel(bed).includes(attacker))
  const { bans } = await agent.jail()
  assert.is(bans.filter(({ prefix }) => prefix === attacker).length, 1)
  assert.is(bans.find(({ prefix }) => prefix === attacker)?.count, 1)
})

test('from the last line to the kernel: half of 20 attackers within a second', async () => {
  const attackers = Array.from({ length: 20 }, (_, index) => outside.v4(10 + index))
  const [program = '', ...words] = [...bed.inVictim, which('nft') ?? 'nft', '-nn', 'monitor', 'new', 'elements']
  const monitor = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] })
  const seenAt = new Map<string, number>()
  monitor.stdout.on('data', (data: Buffer) => {
    for (const [address] of data.toString().matchAll(/192\.0\.2\.\d+/g)) {
      if (!seenAt.has(address)) seenAt.set(address, Date.now())
    }
  })
  try {
    for (const attacker of attackers) {
      await bed.failLogin(attacker, { tries: 3 })
      await waitFor(`the ban of ${attacker}`, () => seenAt.has(attacker))
    }
    const delays = attackers
      .map((attacker) => (seenAt.get(attacker) ?? Infinity) - lastFailureAt(attacker))
      .toSorted((a, b) => a - b)
    const [p50 = Infinity, p90 = Infinity] = [delays[10], delays[18]]
    console.log(`  last line written -> in the kernel: p50 ${p50.toFixed(1)} ms, p90 ${p90.toFixed(1)} ms`)
    assert.ok(p50 < 1000, `p50 ${p50} ms`)
  } finally {
    await stop(monitor)
  }
})

test.run()

/** When rsyslogd got the last line of a failed login of that address, in unix milliseconds. */
function lastFailureAt(address: string): number {
  const line = bed
    .log()
    .split('\n')
    .findLast((text) => text.includes(`Failed password for root from ${address} `))
  const [time = '', fraction = ''] = /^[^.]+|\.\d+/g[Symbol.match](line ?? '') ?? []
  return Date.parse(`${time}Z`) + Number(fraction) * 1000
}
