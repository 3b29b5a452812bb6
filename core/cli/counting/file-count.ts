/**
 * Counts a file in several threads. It is cut at newlines into many more ranges than threads, and each thread takes the
 * next one when it has done one, so none waits for another; this thread does the same from the begin, while others
 * still start. Each has one task in its life, which is why they are no pool: that would give tasks out only while this
 * thread does nothing.
 */
import { Worker } from 'node:worker_threads'
import { BailiffError, describeError } from '../../errors.ts'
import { cutsOf } from './file-cuts.ts'
import type { LineCounter } from './line-counter.ts'
import type { CountedShare, CountTask } from './messages.ts'

/** Some milliseconds of work: so long the threads wait for the last of them at most. */
const usualRangeBytes = 8 << 20
/** A thread takes a tenth of a second of a processor until it counts: less is done sooner without it. */
const leastBytesOfThread = 64 << 20

/** An open file, and as much of it as is counted. */
export interface PlainFile {
  readonly log: string
  readonly fd: number
  readonly size: number
}

/** How the work is shared out; bytes. */
export interface Sharing {
  /** Threads that may count, this one among them. */
  readonly threads: number
  readonly rangeBytes?: number
  readonly bytesOfThread?: number
}

/** Counts a file. Rejects with a BailiffError where one of the threads crashed. */
export async function countFile(
  counter: LineCounter,
  { log, fd, size }: PlainFile,
  { threads, rangeBytes = usualRangeBytes, bytesOfThread = leastBytesOfThread }: Sharing,
): Promise<void> {
  const file = { log, fd, cuts: cutsOf(fd, size, rangeBytes), taken: new SharedArrayBuffer(4) }
  const worthIt = Math.min(threads, Math.floor(size / bytesOfThread))
  const others: Promise<CountedShare>[] = []
  for (let thread = 1; thread < worthIt; thread++) others.push(startThread({ setup: counter.setup, file }))
  try {
    counter.countShare(file)
  } finally {
    // The file stays open until none reads it.
    await Promise.allSettled(others)
  }
  for (const share of await Promise.all(others)) counter.join(share)
}

function startThread(workerData: CountTask): Promise<CountedShare> {
  const worker = new Worker(new URL('thread.js', import.meta.url), { workerData })
  const failed = (why: string, cause?: unknown) =>
    new BailiffError('software', `a counting thread failed: ${why}`, { cause, hint: 'leave --threads out' })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (error) => reject(failed(describeError(error), error)))
    worker.once('exit', () => reject(failed('it ended without an answer')))
  })
}
