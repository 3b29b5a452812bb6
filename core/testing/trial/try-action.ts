import { setTimeout as sleep } from 'node:timers/promises'
import { ActionQueue } from '../../enforcing/action-queue.ts'
import { RetryLater, type ActionBan, type ActionPlugin } from '../../plugin.ts'
import { FakeFirewall } from '../fake-firewall.ts'
import { recordAction, type Call } from '../recorded-calls.ts'
import { actionBan, samplePrefixes } from '../sample-bans.ts'
import { testHost, type Logged } from '../test-host.ts'
import { failureOf } from './failure.ts'
import type { Tried } from './load-tried.ts'
import type { Tell } from './messages.ts'

/** Calls of one step that may fail before the trial goes on with the next. The agent never gives up. */
const mostFailures = 3
/** A call that fails after so long ran into its deadline. */
const patienceMs = 9000
/** Nobody waits a minute at a terminal for what RetryLater asks for. */
const longestRetryMs = 1000

/**
 * Bans and unbans addresses by an action, through the queue of the agent, with its deadlines, retries and pauses, and
 * tells of every call. Answers whether everything was carried out at last.
 */
export async function tryAction(tried: Extract<Tried, { kind: 'action' }>, tell: Tell): Promise<boolean> {
  const { plugin, options, name, file } = tried
  const firewall = plugin.capabilities?.includes('firewall') ? new FakeFirewall() : null
  const { host, end } = testHost(options, {
    name,
    ...(firewall && { firewall }),
    heard: (line) => {
      const pauseMs = pauseOf(line, name)
      if (pauseMs === null) tell({ type: 'log', ...line })
      else if (failures < mostFailures) tell({ type: 'again', inMs: pauseMs })
    },
  })
  let failures = 0
  const heard = (call: Call) => {
    if (call.outcome === 'failed' || call.outcome === 'retry') failures++
    // Nobody waits for three deadlines.
    if (call.outcome === 'failed' && call.ms > patienceMs) failures = mostFailures
    tell(callEvent(call, file))
  }
  const queue = new ActionQueue(impatient(recordAction(plugin, heard)), host, () => {})
  let good = true
  const refused = () => (good = false)
  const step = async (what: string, work: () => void) => {
    if (failures >= mostFailures) return
    failures = 0
    tell({ type: 'doing', what })
    work()
    while (queue.state.pending > 0 && failures < mostFailures) await sleep(5)
    // It is not known what the rest would say, and all of it waits behind this step.
    if (failures >= mostFailures) good = false
    if (firewall !== null) tell({ type: 'firewall', held: firewall.held })
  }
  const restored = actionBan('203.0.113.5', { reason: 'restored' })
  await step('restore 203.0.113.5, a ban of before', () => queue.restore([restored], 1, () => refused()))
  const bans = samplePrefixes.map((prefix) => actionBan(prefix))
  const settle = (reason: string | null) => reason !== null && refused()
  for (const ban of bans) await step(`ban ${ban.prefix}`, () => queue.ban(ban, settle))
  for (const ban of held(bans, restored, plugin)) await step(`unban ${ban.prefix}`, () => queue.unban(ban))
  tell({ type: 'doing', what: 'stop' })
  end()
  await queue.stop()
  return good
}

/** A call as an event. */
export function callEvent(call: Call, file: string): Parameters<Tell>[0] {
  const { error, ...rest } = call
  return { type: 'call', ...rest, ...(call.outcome === 'failed' && { failure: failureOf(error, file) }) }
}

/** What there is to unban: also the ban of before, where it was carried out. */
function held(bans: readonly ActionBan[], restored: ActionBan, plugin: ActionPlugin): readonly ActionBan[] {
  return (plugin.sync ?? plugin.syncEach ?? plugin.restored) ? [restored, ...bans] : bans
}

/** How long the queue waits until it calls again, of the line in which it says so; null: it is a line of the plugin. */
function pauseOf({ fields }: Logged, name: string): number | null {
  const { action, pending, retryInMs } = fields as Readonly<Record<string, unknown>>
  return action === name && pending !== undefined && typeof retryInMs === 'number' ? retryInMs : null
}

/** The same action, but for how long it may ask to wait. */
function impatient(plugin: ActionPlugin): ActionPlugin {
  const sooner = (call: ((...given: never[]) => unknown) | undefined) =>
    call &&
    (async (...given: never[]) => {
      try {
        return await call(...given)
      } catch (error) {
        throw error instanceof RetryLater ? new RetryLater(Math.min(longestRetryMs, error.afterMs)) : error
      }
    })
  const verbs = ['start', 'ban', 'unban', 'banMany', 'unbanMany', 'sync', 'syncEach'] as const
  const changed = verbs.flatMap((verb) => (plugin[verb] ? [[verb, sooner(plugin[verb])]] : []))
  return { ...plugin, ...(Object.fromEntries(changed) as Partial<ActionPlugin>) }
}
