/**
 * V8 keeps 512 MiB free for the code of each thread from Node 24 on, and the kernel counts that as memory that was taken: a
 * plugin could start no thread. Its threads get less, which is plenty. Threads of its threads do not, and fail.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { Worker, WorkerOptions } from 'node:worker_threads'

/** Of the code of one thread, in MiB. */
export const threadCodeMb = 16

/** To be called before code of others runs. */
export function keepThreadsSmall(): void {
  const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: typeof Worker }
  threads.Worker = class extends threads.Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      super(file, { ...options, resourceLimits: { codeRangeSizeMb: threadCodeMb, ...options.resourceLimits } })
    }
  }
  syncBuiltinESMExports()
}
