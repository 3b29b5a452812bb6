import { AsyncLocalStorage } from 'node:async_hooks'
import { BailiffError } from '../errors.ts'

const currentCall = new AsyncLocalStorage<Call>()

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
 * promise has ended when it returns, and costs no timer.
 */
export async function withDeadline<T>(
  host: { readonly name: string; readonly signal: AbortSignal },
  deadlineMs: number,
  work: () => T | PromiseLike<T>,
): Promise<T> {
  const call = new Call(host.signal)
  const result = currentCall.run(call, work)
  if (!isPromise(result)) return result
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    const late = new BailiffError('unavailable', `${host.name} did not answer within ${deadlineMs / 1000} s`)
    timer = setTimeout(() => {
      call.end(late)
      reject(late)
    }, deadlineMs)
    call.signal.addEventListener('abort', () => reject(call.signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([result, over])
  } finally {
    clearTimeout(timer)
  }
}

/** One call. Its signal is made when somebody looks at it: that costs more than most calls. */
class Call {
  readonly #instance: AbortSignal
  readonly #late = new AbortController()
  #signal: AbortSignal | undefined

  constructor(instance: AbortSignal) {
    this.#instance = instance
  }

  get signal(): AbortSignal {
    return (this.#signal ??= AbortSignal.any([this.#instance, this.#late.signal]))
  }

  end(why: BailiffError): void {
    this.#late.abort(why)
  }
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | null | undefined)?.then === 'function'
}
