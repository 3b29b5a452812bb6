import { setTimeout as sleep } from 'node:timers/promises'
import { withDeadline } from '../enforcing/deadline.ts'
import { RetryLater, type Host } from '../plugin.ts'

/** As long as a call may take in the agent. */
const callDeadlineMs = 10_000
/** Calls until one that throws RetryLater is believed to come to nothing, and how long it is waited between them. */
const mostTries = 10
const longestRetryMs = 250
const abortAfterMs = 20
/** What goes on so long after it was told to stop will not stop. */
const patienceMs = 5000

/** Makes a call as the agent does: rejects when it is not over after ten seconds. */
export async function inTime<T>(host: Host, call: () => T | Promise<T>): Promise<T> {
  return withDeadline(host, callDeadlineMs, async () => call())
}

/**
 * Makes a call as the agent does, and again where it throws `RetryLater`, though sooner than it asks. Rejects when it
 * asked for that ten times.
 */
export async function untilTaken<T>(host: Host, call: () => T | Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await inTime(host, call)
    } catch (error) {
      if (!(error instanceof RetryLater)) throw error
      if (tries === mostTries)
        throw new Error(`it was called ${mostTries} times, and threw RetryLater each time: is the other side there?`, {
          cause: error,
        })
      await sleep(Math.min(longestRetryMs, Math.max(0, error.afterMs)), undefined, { signal: host.signal })
    }
  }
}

/**
 * Makes a call, aborts `host.signal` soon after, and throws unless the call ends: with success, or by rejecting.
 * So it is when the agent stops, and when the deadline of a call is over.
 */
export async function endsWhenAborted(host: Host, call: () => unknown): Promise<void> {
  let made: unknown
  await withDeadline(host, abortAfterMs, async () => {
    made = call()
    await made
  }).catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), patienceMs)
  })
  const outcome = await Promise.race([Promise.resolve(made).catch(() => {}), late])
  clearTimeout(timer)
  if (outcome === 'late') throw new Error(`the call goes on ${patienceMs / 1000} s after host.signal was aborted`)
}

export const abortRemedy =
  'give host.signal to what it waits for: fetch(url, { signal: host.signal }), setTimeout(ms, undefined, { signal: host.signal })'

/** Throws unless these are functions where they are there at all, and `required` are there. */
export function ensureFunctions(plugin: unknown, required: readonly string[], optional: readonly string[]): void {
  if (typeof plugin !== 'object' || plugin === null)
    throw new Error(`the default export must be an object, but is ${plugin === null ? 'null' : `a ${typeof plugin}`}`)
  const of = (name: string) => (plugin as Readonly<Record<string, unknown>>)[name]
  const missing = required.filter((name) => typeof of(name) !== 'function')
  if (missing.length > 0) throw new Error(`it has no function ${missing.join(' and no ')}`)
  const wrong = optional.filter((name) => of(name) !== undefined && typeof of(name) !== 'function')
  if (wrong.length > 0) throw new Error(`${wrong.join(' and ')} must be a function`)
}
