import { withDeadline } from '../../enforcing/deadline.ts'
import { recordNotifier } from '../recorded-calls.ts'
import { everyEvent } from '../sample-bans.ts'
import { testHost } from '../test-host.ts'
import type { Tried } from './load-tried.ts'
import type { Tell } from './messages.ts'
import { callEvent } from './try-action.ts'

const callDeadlineMs = 10_000
/** As many as the agent makes for an event. */
const tries = 3

/** Tells a notifier one event of each kind, as the agent would, and tells of every call. Answers whether all were taken. */
export async function tryNotifier(tried: Extract<Tried, { kind: 'notifier' }>, tell: Tell): Promise<boolean> {
  const { options, name, file } = tried
  const { host, end } = testHost(options, { name, heard: (line) => tell({ type: 'log', ...line }) })
  const plugin = recordNotifier(tried.plugin, (call) => tell(callEvent(call, file)))
  const once = async (what: string, work: () => unknown): Promise<boolean> => {
    tell({ type: 'doing', what })
    return withDeadline(host, callDeadlineMs, async () => work()).then(
      () => true,
      () => false,
    )
  }
  let good = plugin.start === undefined || (await once('start', () => plugin.start?.(host)))
  let left = tries
  for (const event of good ? everyEvent : []) {
    const taken = await once(`notify ${event.type}`, () => plugin.notify(event, host))
    good &&= taken
    // One that takes nothing is not called eight times in vain.
    if (!taken && --left === 0) break
  }
  end()
  if (plugin.stop) await once('stop', () => plugin.stop?.(host))
  return good
}
