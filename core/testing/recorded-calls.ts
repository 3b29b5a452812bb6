import {
  BailiffError,
  RetryLater,
  type ActionBan,
  type ActionPlugin,
  type Host,
  type NotifierPlugin,
  type Refused,
} from '../plugin.ts'
import { answeredRefusals } from '../plugin-host/checked-messages.ts'
import { abortRemedy } from './call-checks.ts'

/** What became of one call of a plugin. */
export interface Call {
  /** The function: `ban`, `unbanMany`, `notify`, … */
  readonly verb: string
  /** What it was called with: prefixes of bans, the type of an event. */
  readonly about: readonly string[]
  /** From the call until its promise settled, in milliseconds. */
  readonly ms: number
  /** Of `ms` how long it kept the thread: other work of the process waited for so long. */
  readonly blockedMs: number
  /** `retry`: it threw RetryLater. `refused`: some bans, for good or until there is room again. */
  readonly outcome: 'done' | 'retry' | 'refused' | 'failed'
  /** Only of `retry`. */
  readonly afterMs?: number
  /** Only of `refused`: `PREFIX: reason`. */
  readonly refusals?: readonly string[]
  /** Only of `failed`: what was thrown, as it was thrown. */
  readonly error?: unknown
}

/** Functions whose answer the agent looks at. */
const refusing = new Set(['banMany', 'sync', 'syncEach'])

type Heard = (call: Call) => void

/** A plugin that does what the given one does, and tells of each call when it has ended. */
export function recordAction(plugin: ActionPlugin, heard: Heard): ActionPlugin {
  const one = (verb: 'ban' | 'unban') => (ban: ActionBan, host: Parameters<ActionPlugin['ban']>[1]) =>
    record(heard, host, verb, [ban.prefix], () => plugin[verb](ban, host)) as Promise<void>
  const { start, stop, banMany, unbanMany, sync, syncEach } = plugin
  // What it does not have it must not get: the agent looks at what there is.
  return {
    ...plugin,
    ban: one('ban'),
    unban: one('unban'),
    ...(start && { start: (host) => record(heard, host, 'start', [], () => start.call(plugin, host)) }),
    ...(stop && { stop: (host) => record(heard, host, 'stop', [], () => stop.call(plugin, host)) }),
    ...(banMany && {
      banMany: (bans, host) => record(heard, host, 'banMany', named(bans), () => banMany.call(plugin, bans, host)),
    }),
    ...(unbanMany && {
      unbanMany: (bans, host) =>
        record(heard, host, 'unbanMany', named(bans), () => unbanMany.call(plugin, bans, host)),
    }),
    ...(sync && {
      sync: (bans, host) => record(heard, host, 'sync', named(bans), () => sync.call(plugin, bans, host)),
    }),
    ...(syncEach && {
      syncEach: (bans, host) => record(heard, host, 'syncEach', named(bans), () => syncEach.call(plugin, bans, host)),
    }),
  }
}

/** A notifier that does what the given one does, and tells of each call when it has ended. */
export function recordNotifier(plugin: NotifierPlugin, heard: Heard): NotifierPlugin {
  const { start, stop } = plugin
  return {
    ...plugin,
    notify: (event, host) => record(heard, host, 'notify', [event.type], () => plugin.notify(event, host)),
    ...(start && { start: (host) => record(heard, host, 'start', [], () => start.call(plugin, host)) }),
    ...(stop && { stop: (host) => record(heard, host, 'stop', [], () => stop.call(plugin, host)) }),
  }
}

/** Tells of a call when it ends, or when its deadline is over or the instance stops: it may pay no attention to that. */
async function record<T>(
  heard: Heard,
  host: Pick<Host, 'signal'>,
  verb: string,
  about: readonly string[],
  call: () => T | Promise<T>,
): Promise<T> {
  const started = performance.now()
  let blockedMs = 0
  let told = false
  const { signal } = host
  const tell = (outcome: Pick<Call, 'outcome' | 'afterMs' | 'refusals' | 'error'>) => {
    if (!told) heard({ verb, about, ms: performance.now() - started, blockedMs, ...outcome })
    told = true
  }
  const late = () => tell({ outcome: 'failed', error: withRemedy(signal.reason) })
  signal.addEventListener('abort', late, { once: true })
  try {
    const made = call()
    blockedMs = performance.now() - started
    const answer = await made
    const refusals = refusing.has(verb) ? refusalsOf(verb, answer as Refused) : []
    tell(refusals.length > 0 ? { outcome: 'refused', refusals } : { outcome: 'done' })
    return answer
  } catch (error) {
    tell(error instanceof RetryLater ? { outcome: 'retry', afterMs: error.afterMs } : { outcome: 'failed', error })
    throw error
  } finally {
    signal.removeEventListener('abort', late)
  }
}

function withRemedy(reason: unknown): unknown {
  return reason instanceof BailiffError ? new BailiffError(reason.kind, reason.message, { hint: abortRemedy }) : reason
}

function refusalsOf(verb: string, answer: Refused): string[] {
  return answeredRefusals(verb, answer, Infinity).map(({ prefix, reason }) => `${prefix}: ${reason}`)
}

function named(bans: Iterable<ActionBan>): string[] {
  return Array.from(bans, ({ prefix }) => prefix)
}
