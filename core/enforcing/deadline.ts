import { AsyncLocalStorage } from 'node:async_hooks'
import { BailiffError } from '../errors.ts'

const currentCall = new AsyncLocalStorage<{ readonly signal: AbortSignal }>()

/**
 * The signal that `host.signal` shows: inside a call the one that also ends at the call's deadline,
 * elsewhere the one of the instance. So the host stays one object, by which a plugin may know its instance.
 */
export function currentSignal(instance: AbortSignal): AbortSignal {
  return currentCall.getStore()?.signal ?? instance
}

/**
 * Calls `work` of a plugin with a deadline. At the deadline, and when the instance is to stop,
 * `host.signal` aborts and the promise rejects, also when the work pays no attention. Work that is no
 * promise has ended when it returns, and costs no timer. Null: no deadline, the end of the instance alone.
 */
export async function withDeadline<T>(
  host: { readonly name: string; readonly signal: AbortSignal },
  deadlineMs: number | null,
  work: () => T | PromiseLike<T>,
): Promise<T> {
  const { signal } = host
  const call = new Call(signal)
  const result = currentCall.run(call, work)
  if (!isPromise(result)) return result
  let timer: NodeJS.Timeout | undefined
  let stop = () => {}
  const over = new Promise<never>((_, reject) => {
    // The signal of the instance, and not that of the call, which is seldom made and costs more than all of this.
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    if (deadlineMs === null) return
    timer = setTimeout(() => {
      const late = new BailiffError('unavailable', `${host.name} did not answer within ${deadlineMs / 1000} s`)
      call.end(late)
      reject(late)
    }, deadlineMs)
  })
  try {
    return await Promise.race([result, over])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** Runs `work` so that `host.signal` shows the signal of `call`, which is asked for it when the work looks. */
export function withSignal<T>(call: { readonly signal: AbortSignal }, work: () => T): T {
  return currentCall.run(call, work)
}

/** The signal of an instance itself, also where it is asked for inside a call. */
export function instanceSignal(host: { readonly signal: AbortSignal }): AbortSignal {
  return currentCall.exit(() => host.signal)
}

/** A call of an instance. Its signal is made when somebody looks at it: that costs more than most calls. */
export class Call {
  readonly #instance: AbortSignal
  #late: AbortController | undefined
  #why: BailiffError | undefined
  #signal: AbortSignal | undefined

  constructor(instance: AbortSignal) {
    this.#instance = instance
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal
    this.#late = new AbortController()
    if (this.#why !== undefined) this.#late.abort(this.#why)
    return (this.#signal = AbortSignal.any([this.#instance, this.#late.signal]))
  }

  end(why: BailiffError): void {
    this.#why ??= why
    this.#late?.abort(why)
  }
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | null | undefined)?.then === 'function'
}
