import { AsyncLocalStorage } from 'node:async_hooks'
import { BailiffError } from '../errors.ts'

const callSignal = new AsyncLocalStorage<AbortSignal>()

/**
 * The signal that `host.signal` shows: inside a call the one that also ends at the call's deadline,
 * elsewhere the one of the instance. So the host stays one object, by which a plugin may know its instance.
 */
export function currentSignal(instance: AbortSignal): AbortSignal {
  return callSignal.getStore() ?? instance
}

/**
 * Calls `work` of a plugin with a deadline. At the deadline, and when the instance is to stop,
 * `host.signal` aborts and the promise rejects, also when the work pays no attention.
 */
export async function withDeadline<T>(
  host: { readonly name: string; readonly signal: AbortSignal },
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(
    () => late.abort(new BailiffError('unavailable', `${host.name} did not answer within ${deadlineMs / 1000} s`)),
    deadlineMs,
  )
  const signal = AbortSignal.any([host.signal, late.signal])
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([callSignal.run(signal, work), aborted])
  } finally {
    clearTimeout(timer)
  }
}
