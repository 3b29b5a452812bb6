import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { ActionQueue } from '../../../core/enforcing/action-queue.ts'
import { Enforcer } from '../../../core/enforcing/enforcer.ts'
import { WantedSet } from '../../../core/enforcing/wanted-set.ts'
import type { Ban } from '../../../core/events.ts'
import { RetryLater, type ActionBan, type ActionPlugin } from '../../../core/plugin.ts'
import { actionBan } from '../../../core/testing/sample-bans.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { suite } from '../../suite.ts'

const test = suite('enforcing')

/** An action that keeps what it was told, and fails as often as it is asked to. */
function recorder(failures: Error[] = []): { plugin: ActionPlugin; calls: string[] } {
  const calls: string[] = []
  const note = (verb: string) => async (bans: readonly ActionBan[]) => {
    const failure = failures.shift()
    if (failure) throw failure
    calls.push(`${verb} ${bans.map((ban) => `${ban.prefix}${ban.reason === 'new' ? '' : `:${ban.reason}`}`).join(' ')}`)
  }
  const plugin: ActionPlugin = {
    ban: (ban) => note('one')([ban]),
    unban: (ban) => note('un-one')([ban]),
    banMany: note('ban'),
    unbanMany: note('unban'),
    sync: note('sync'),
  }
  return { plugin, calls }
}

function queueOf(plugin: ActionPlugin): { queue: ActionQueue; alarms: string[]; end: () => void } {
  const alarms: string[] = []
  const { host, end } = testHost({})
  return { queue: new ActionQueue(plugin, host, (_, message) => void alarms.push(message)), alarms, end }
}

async function until(fact: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (fact()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.unreachable(`did not happen: ${what}`)
}

test('what is decided in one turn is one batch, bans before unbans', async () => {
  const { plugin, calls } = recorder()
  const { queue } = queueOf(plugin)
  const settled: string[] = []
  queue.unban(actionBan('192.0.2.9'))
  for (const prefix of ['192.0.2.1', '192.0.2.2'])
    queue.ban(actionBan(prefix), (refusal) => void settled.push(`${prefix} ${refusal}`))
  await until(() => calls.length === 2, 'two calls')
  assert.equal(calls, ['ban 192.0.2.1 192.0.2.2', 'unban 192.0.2.9'])
  assert.equal(settled, ['192.0.2.1 null', '192.0.2.2 null'])
  assert.is(queue.state.pending, 0)
})

test('a ban for which there is no room waits and is asked for again; the others are settled', async () => {
  const room = new Set(['192.0.2.1'])
  const calls: string[] = []
  const take = async (bans: readonly ActionBan[]) => {
    calls.push(bans.map(({ prefix }) => prefix).join(' '))
    return bans.flatMap(({ prefix }) => (room.has(prefix) ? [] : [{ prefix, reason: 'full', again: true }]))
  }
  const plugin: ActionPlugin = { ...recorder().plugin, banMany: take, sync: take }
  const { queue, alarms } = queueOf(plugin)
  const settled: string[] = []
  const refused: string[] = []
  queue.restore([actionBan('192.0.2.3')], 1, (ban) => void refused.push(ban.prefix))
  for (const prefix of ['192.0.2.1', '192.0.2.2'])
    queue.ban(actionBan(prefix), (refusal) => void settled.push(`${prefix} ${refusal}`))
  await until(() => calls.length === 2, 'a sync and a batch')
  await until(() => alarms.length === 1, 'an alarm')
  assert.equal(settled, ['192.0.2.1 null'])
  assert.is(queue.state.pending, 2)
  assert.not.ok(queue.confirmed(actionBan('192.0.2.2')) || queue.confirmed(actionBan('192.0.2.3')))
  room.add('192.0.2.2').add('192.0.2.3')
  await until(() => queue.state.pending === 0, 'all settled')
  assert.equal(settled, ['192.0.2.1 null', '192.0.2.2 null'])
  assert.equal(refused, [])
  assert.equal(calls.slice(0, 2), ['192.0.2.3', '192.0.2.1 192.0.2.2 192.0.2.3'])
  await queue.stop()
})

test('a paused action holds nothing, whatever is decided, until it is resumed and restored', async () => {
  const { plugin, calls } = recorder()
  const { queue } = queueOf(plugin)
  queue.restore([{ ...actionBan('192.0.2.1'), reason: 'restored' }], 1, () => {})
  await until(() => calls.length === 1, 'a sync')
  queue.ban(actionBan('192.0.2.2'), () => assert.unreachable('settled while paused'))
  queue.pause()
  queue.ban(actionBan('192.0.2.3'), () => assert.unreachable('settled while paused'))
  queue.restore([{ ...actionBan('192.0.2.1'), reason: 'repaired' }], 1, () => {})
  await until(() => calls.length === 2, 'an empty sync')
  await queue.settled()
  assert.not(queue.confirmed(actionBan('192.0.2.1')))
  queue.resume()
  queue.restore([{ ...actionBan('192.0.2.1'), reason: 'restored' }], 1, () => {})
  await until(() => calls.length === 3, 'a sync')
  assert.equal(calls, ['sync 192.0.2.1:restored', 'sync ', 'sync 192.0.2.1:restored'])
})

test('bans of one entry that overtake each other are carried out once and told of for each jail', async () => {
  const { plugin, calls } = recorder()
  const { queue } = queueOf(plugin)
  const settled: string[] = []
  const ban = (jail: string, until: number, reason: ActionBan['reason']) =>
    queue.ban({ ...actionBan('192.0.2.1'), jail, until, reason }, (refusal) => {
      settled.push(`${jail} ${until} ${refusal}`)
    })
  ban('one', 1, 'new')
  ban('two', 2, 'extended')
  for (const until of [3, 4, 5]) ban('one', until, 'extended')
  await until(() => calls.length === 1, 'a call')
  assert.equal(calls, ['ban 192.0.2.1'])
  assert.equal(settled, ['one 1 null', 'two 2 null', 'one 5 null'])
})

test('a refusal of bans that overtook each other is told once for each jail', async () => {
  const refuse = async (bans: readonly ActionBan[]) => bans.map(({ prefix }) => ({ prefix, reason: 'no' }))
  const { queue } = queueOf({ ...recorder().plugin, banMany: refuse })
  const settled: string[] = []
  for (const jail of ['one', 'two', 'one'])
    queue.ban({ ...actionBan('192.0.2.1'), jail }, (refusal) => void settled.push(`${jail} ${refusal}`))
  await until(() => settled.length === 2, 'two refusals')
  assert.equal(settled, ['two no', 'one no'])
})

test('of several changes of one entry only the last is carried out', async () => {
  const { plugin, calls } = recorder()
  const { queue } = queueOf(plugin)
  let told = 0
  for (let i = 0; i < 100; i++) {
    queue.ban(actionBan('192.0.2.1'), () => told++)
    queue.unban(actionBan('192.0.2.1'))
  }
  assert.is(queue.state.pending, 1)
  await until(() => calls.length > 0, 'a call')
  assert.equal(calls, ['unban 192.0.2.1'])
  assert.is(told, 0)
})

test('what fails is tried again, alarms once, and confirms only when it holds', async () => {
  const { plugin, calls } = recorder([new Error('no route'), new Error('no route')])
  const { queue, alarms } = queueOf(plugin)
  let confirmed = false
  queue.ban(actionBan('192.0.2.1'), () => (confirmed = true))
  await until(() => queue.state.failure !== null, 'a failure')
  assert.not.ok(confirmed)
  assert.is(queue.state.pending, 1)
  await until(() => confirmed, 'the ban is confirmed')
  assert.equal(calls, ['ban 192.0.2.1'])
  assert.is(alarms.length, 1)
  assert.match(alarms[0] ?? '', 'no route')
  assert.is(queue.state.failure, null)
})

test('RetryLater comes again without an alarm', async () => {
  const { plugin, calls } = recorder([new RetryLater(20)])
  const { queue, alarms } = queueOf(plugin)
  queue.ban(actionBan('192.0.2.1'), () => {})
  await until(() => calls.length === 1, 'the call')
  assert.equal(alarms, [])
})

test('a refusal is final and reaches the one who asked', async () => {
  const { plugin } = recorder()
  const refusing: ActionPlugin = {
    ...plugin,
    banMany: async () => [{ prefix: parsePrefix('192.0.2.1')!, reason: 'own address' }],
  }
  const { queue } = queueOf(refusing)
  const settled: (string | null)[] = []
  queue.ban(actionBan('192.0.2.1'), (refusal) => void settled.push(refusal))
  queue.ban(actionBan('192.0.2.2'), (refusal) => void settled.push(refusal))
  await until(() => settled.length === 2, 'both settled')
  assert.equal(settled, ['own address', null])
  assert.is(queue.state.pending, 0)
})

test('an action that never answers does not hold up another', async () => {
  const silent = queueOf({ ban: () => new Promise(() => {}), unban() {} })
  const { plugin, calls } = recorder()
  const other = queueOf(plugin)
  silent.queue.ban(actionBan('192.0.2.1'), () => {})
  other.queue.ban(actionBan('192.0.2.1'), () => {})
  await until(() => calls.length === 1, 'the other action bans')
  assert.is(silent.queue.state.pending, 1)
  silent.end()
  await silent.queue.stop()
})

function enforced(queuesOf: (jail: string) => ActionQueue[]): { wanted: WantedSet; told: string[] } {
  const wanted = new WantedSet()
  const told: string[] = []
  const enforcer = new Enforcer(wanted, {
    enforced: (ban, reason, action) => void told.push(`${ban.jail} ${ban.prefix} ${reason} by ${action}`),
    refused: (ban, action, reason) => void told.push(`${ban.prefix} refused by ${action}: ${reason}`),
  })
  enforcer.configure(queuesOf, [])
  return { wanted, told }
}

const ban = (jail: string, until: number | null, prefix = '192.0.2.1'): Ban => ({
  prefix: parsePrefix(prefix)!,
  jail,
  ports: { protocol: 'tcp', ports: [22] },
  since: 0,
  until,
  count: 1,
  failures: 3,
  lines: [],
})

test('bans of two jails are one entry of an action they share; it ends with the last', async () => {
  const { plugin, calls } = recorder()
  const { queue } = queueOf(plugin)
  const { wanted, told } = enforced(() => [queue])
  const steps: [step: () => void, expected: string][] = [
    [() => wanted.add(ban('a', 5000), 'new'), 'ban 192.0.2.1'],
    [() => wanted.add(ban('b', 9000), 'new'), 'ban 192.0.2.1:extended'],
    [() => wanted.expire(5000), ''],
    [() => wanted.add(ban('a', 7000), 'new'), ''],
    [() => void wanted.remove(parsePrefix('192.0.2.1')!, 'b'), 'ban 192.0.2.1:extended'],
    [() => wanted.expire(7000), 'unban 192.0.2.1'],
  ]
  for (const [step, expected] of steps) {
    calls.length = 0
    step()
    if (expected) await until(() => calls.length > 0, expected)
    await queue.settled()
    assert.equal(calls, expected ? [expected] : [])
  }
  assert.equal(told, [
    'a 192.0.2.1 new by under-test',
    'b 192.0.2.1 new by under-test',
    'a 192.0.2.1 new by under-test',
  ])
})

test('a jail’s other actions hear of its bans and of no other jail’s', async () => {
  const first = recorder()
  const second = recorder()
  const [a, b] = [queueOf(first.plugin).queue, queueOf(second.plugin).queue]
  const { wanted } = enforced((jail) => (jail === 'both' ? [a, b] : [a]))
  wanted.add(ban('both', 5000), 'new')
  wanted.add(ban('one', 9000), 'new')
  await until(() => first.calls.length === 1 && second.calls.length === 1, 'both actions ban')
  wanted.expire(5000)
  await until(() => second.calls.length === 2, 'the second action unbans')
  assert.equal(second.calls, ['ban 192.0.2.1', 'unban 192.0.2.1'])
  assert.is(first.calls.length, 1)
})

test('a new action is given all that is in force, once an entry', async () => {
  const { plugin, calls } = recorder()
  const { queue } = queueOf(plugin)
  const wanted = new WantedSet()
  wanted.add(ban('a', 5000), 'restored')
  wanted.add(ban('b', 9000), 'restored')
  wanted.add(ban('a', 5000, '192.0.2.2'), 'restored')
  const enforcer = new Enforcer(wanted, { enforced() {}, refused() {} })
  enforcer.configure(() => [queue], [queue])
  await until(() => calls.length === 1, 'a sync')
  assert.equal(calls, ['sync 192.0.2.1:restored 192.0.2.2:restored'])
})

test.run()
