/** Many calls given at once to a plugin that is a long way off, in a process of its own: each counts as if it came alone. */
import type { AgentEvent } from '../events.ts'
import type { ActionBan, Host } from '../plugin.ts'

/** Calls of one function of one instance. */
export interface EachCall {
  readonly verb: 'ban' | 'unban' | 'notify'
  readonly items: readonly (ActionBan | AgentEvent)[]
  readonly host: Host
  /** Calls under way at the same time. Where that is one, what follows a call that failed is not begun. */
  readonly atOnce: number
  /** What each call may take. */
  readonly deadlineMs: number
  /** Hears of each call that was begun, once, when it ends: null where the item was carried out. */
  readonly carried: (index: number, error: unknown) => void
}

/** The name of the function of a plugin that takes them; no plugin of others can have it. */
export const callEach = Symbol('calls for each of many')

/** Resolves when all calls that were begun have ended; rejects when nobody will hear of the rest. */
export interface TakesEach {
  [callEach](calls: EachCall): Promise<void>
}

/** Whether a plugin takes many calls at once. */
export function takesEach(plugin: object): plugin is TakesEach {
  return callEach in plugin
}
