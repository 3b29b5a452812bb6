import { openSync, readFileSync, readlinkSync, readSync } from 'node:fs'

/** Milliseconds of the processor that this thread has had (proc_pid_schedstat(5)); where the system does not say, time that has passed. */
export class ProcessorTime {
  readonly #file = openOwn()
  readonly #text = Buffer.alloc(64)

  get ms(): number {
    if (this.#file === null) return performance.now()
    return toMs(this.#text.toString('latin1', 0, readSync(this.#file, this.#text, 0, 64, 0)))
  }
}

/** The number of this thread; 0 where the system does not say. */
export function threadNumber(): number {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? 0)
  } catch {
    return 0
  }
}

/** Milliseconds of the processor that a thread of this process has had; where that is not known, time that has passed. */
export function processorMsOf(thread: number): number {
  try {
    return toMs(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1'))
  } catch {
    return performance.now()
  }
}

function openOwn(): number | null {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return null
  }
}

function toMs(schedstat: string): number {
  return Number(schedstat.slice(0, schedstat.indexOf(' '))) / 1e6
}
