import * as assert from 'uvu/assert'
import { parsePrefix } from '../../core/address.ts'
import type { ActionBan, ActionHost, ActionPlugin } from '../../core/plugin.ts'
import { createHost } from '../../core/host.ts'
import { suite } from '../suite.ts'
import { optionIssues } from './options.ts'

/** A ban as the enforcer hands it over. */
export function actionBan(prefix: string, more: Partial<ActionBan> = {}): ActionBan {
  return {
    prefix: parsePrefix(prefix)!,
    jail: 'sshd',
    ports: { protocol: 'tcp', ports: [22] },
    since: 1_800_000_000_000,
    until: Date.now() + 3_600_000,
    count: 1,
    failures: 5,
    lines: ['Failed password for root from 192.0.2.7 port 22 ssh2'],
    reason: 'new',
    ...more,
  }
}

/** A host with a log that is kept, for calling a plugin as the agent does. */
export function testHost(options: unknown, more: { firewall?: ActionHost['firewall'] } = {}) {
  const logged: { level: string; fields: object; message: string }[] = []
  const at = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message })
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const { host, end } = createHost({
    name: 'under-test',
    options,
    folder: '/nonexistent',
    log,
    firewall: more.firewall ?? null,
  })
  return { host, end, logged }
}

/**
 * What every action keeps: it refuses options it does not know, bans and unbans every kind of prefix,
 * and both may come twice. `holds` answers what the other side holds now.
 */
export function actionContract(
  name: string,
  plugin: ActionPlugin,
  subject: { options: unknown; host: ActionHost; holds: () => Promise<readonly string[]> },
): void {
  const test = suite(`action ${name} keeps the contract`)
  const prefixes = ['192.0.2.7', '2001:db8::7', '198.51.100.0/24', '2001:db8:1::/64']

  test('its options are checked', async () => {
    assert.equal(await optionIssues(plugin.options, subject.options), [])
    assert.ok((await optionIssues(plugin.options, { ...(subject.options as object), surprise: 1 })).length > 0)
  })
  test('a ban is carried out, and once more is the same as once', async () => {
    for (const prefix of [...prefixes, ...prefixes]) await plugin.ban(actionBan(prefix), subject.host)
    assert.equal([...new Set(await subject.holds())].toSorted(), prefixes.toSorted())
  })
  test('an unban is carried out, also of what is not banned', async () => {
    for (const prefix of [...prefixes, ...prefixes, '203.0.113.1']) await plugin.unban(actionBan(prefix), subject.host)
    assert.equal(await subject.holds(), [])
  })
  test('a ban for ever and one without ports are bans', async () => {
    const ban = actionBan('192.0.2.8', { until: null, ports: { protocol: 'all', ports: [] }, lines: [] })
    await plugin.ban(ban, subject.host)
    assert.equal(await subject.holds(), ['192.0.2.8'])
    await plugin.unban(ban, subject.host)
    assert.equal(await subject.holds(), [])
  })
  test.run()
}
