import * as assert from 'uvu/assert'
import type { AgentEvent } from '../../core/events.ts'
import type { Host, NotifierPlugin } from '../../core/plugin.ts'
import { suite } from '../suite.ts'
import { actionBan } from './action.ts'
import { optionIssues } from './options.ts'

const time = 1_800_000_000_000
const { reason: _, ...ban } = actionBan('192.0.2.7')

/** One event of every type. */
export const everyEvent: readonly AgentEvent[] = [
  { type: 'start', time, jails: ['sshd'] },
  { type: 'ban', time, ban, reason: 'new', action: 'firewall' },
  { type: 'ban', time, ban: { ...ban, until: null }, reason: 'restored', action: 'firewall' },
  { type: 'would-ban', time, ban },
  { type: 'unban', time, ban, reason: 'expired' },
  { type: 'alarm', time, subject: 'firewall', message: 'the set is full' },
  { type: 'stop', time },
]

/** What every notifier keeps: it checks its options and takes every event. `told` answers what arrived. */
export function notifierContract(
  name: string,
  plugin: NotifierPlugin,
  subject: { options: unknown; host: Host; told: () => Promise<string> },
): void {
  const test = suite(`notifier ${name} keeps the contract`)

  test('its options are checked', async () => {
    assert.equal(await optionIssues(plugin.options, subject.options), [])
    assert.ok((await optionIssues(plugin.options, { ...(subject.options as object), surprise: 1 })).length > 0)
  })
  test('it takes every event, and a ban arrives with its address and jail', async () => {
    for (const event of everyEvent) await plugin.notify(event, subject.host)
    const told = await subject.told()
    assert.match(told, '192.0.2.7')
    assert.match(told, 'sshd')
    assert.match(told, 'the set is full')
  })
  test.run()
}
