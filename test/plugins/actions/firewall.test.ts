import * as assert from 'uvu/assert'
import { RetryLater, type ActionPlugin, type Firewall, type FirewallEntry } from '../../../core/plugin.ts'
import firewallAction from '../../../plugins/actions/firewall.ts'
import { actionBan } from '../../../core/testing/sample-bans.ts'
import { actionChecks } from '../../../core/testing/action-checks.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { keepsContract, suite } from '../../suite.ts'

const plugin = firewallAction as ActionPlugin

/** Stands for the helper here; the helper itself is tested against the real nft. */
function recordingFirewall(refused: string[] = []): {
  firewall: Firewall
  held: Map<string, FirewallEntry>
  calls: string[]
} {
  const held = new Map<string, FirewallEntry>()
  const calls: string[] = []
  const keep = (entries: readonly FirewallEntry[]) => {
    for (const entry of entries) if (!refused.includes(entry.prefix)) held.set(entry.prefix, entry)
    return entries
      .filter(({ prefix }) => refused.includes(prefix))
      .map(({ prefix }) => ({ prefix, reason: 'own address' }))
  }
  const firewall: Firewall = {
    declare: async (ports) => void calls.push(`declare ${ports.length}`),
    add: async (entries) => (calls.push('add'), keep(entries)),
    load: async (entries) => (calls.push('load'), keep(entries)),
    del: async (entries) => {
      calls.push('del')
      for (const { prefix } of entries) held.delete(prefix)
    },
    sync: async (entries) => (calls.push('sync'), held.clear(), keep([...entries])),
    list: async () => [...held.values()],
  }
  return { firewall, held, calls }
}

const recording = recordingFirewall()
keepsContract(
  'action firewall',
  actionChecks(plugin, {
    options: {},
    host: testHost({}, recording).host,
    holds: async () => [...recording.held.keys()],
  }),
)

const test = suite('action firewall')

test('many bans are one change, their ports declared before', async () => {
  const { firewall, held, calls } = recordingFirewall()
  const { host } = testHost({}, { firewall })
  const web = { ports: { protocol: 'tcp', ports: [80, 443] } } as const
  await plugin.banMany?.([actionBan('192.0.2.1'), actionBan('192.0.2.2', web), actionBan('192.0.2.3')], host)
  assert.equal(calls, ['declare 2', 'add'])
  await plugin.banMany?.([actionBan('192.0.2.4', web)], host)
  assert.equal(calls.slice(2), ['add'], 'ports are declared once')
  await plugin.unbanMany?.([actionBan('192.0.2.1')], host)
  assert.equal([...held.keys()], ['192.0.2.2', '192.0.2.3', '192.0.2.4'])
  await plugin.syncEach?.([actionBan('192.0.2.9')], host)
  assert.equal([...held.keys()], ['192.0.2.9'])
})

test('entries of a named list are loaded, whatever comes beside them', async () => {
  const { firewall, held, calls } = recordingFirewall()
  const { host } = testHost({}, { firewall })
  const listed = actionBan('192.0.2.2', { jail: 'list:drop' })
  await plugin.banMany?.([actionBan('192.0.2.1'), listed], host)
  await plugin.banMany?.([listed], host)
  assert.equal(calls, ['declare 1', 'add', 'load', 'load'])
  assert.equal([...held.keys()], ['192.0.2.1', '192.0.2.2'])
})

test('after a failure and at a sync the ports are declared anew', async () => {
  const { firewall, calls } = recordingFirewall()
  let broken = true
  const failing: Firewall = {
    ...firewall,
    add: async (entries) => (broken ? Promise.reject(new Error('no table')) : firewall.add(entries)),
  }
  const { host } = testHost({}, { firewall: failing })
  await Promise.resolve(plugin.banMany?.([actionBan('192.0.2.1')], host)).catch(() => {})
  broken = false
  await plugin.banMany?.([actionBan('192.0.2.1')], host)
  await plugin.syncEach?.([actionBan('192.0.2.1')], host)
  assert.equal(calls, ['declare 1', 'declare 1', 'add', 'declare 1', 'sync'])
})

test('what the helper refuses is told, and the rest holds', async () => {
  const { firewall, held } = recordingFirewall(['127.0.0.1'])
  const { host } = testHost({}, { firewall })
  assert.equal(await plugin.banMany?.([actionBan('127.0.0.1'), actionBan('192.0.2.1')], host), [
    { prefix: '127.0.0.1', reason: 'own address' },
  ])
  assert.equal([...held.keys()], ['192.0.2.1'])
  assert.ok(new RetryLater(5).afterMs === 5)
})

test('without the capability there is no way to the firewall', async () => {
  try {
    await plugin.ban(actionBan('192.0.2.1'), testHost({}).host)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'without the capability')
  }
})

test.run()
