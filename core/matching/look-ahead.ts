import { fstatSync, readSync } from 'node:fs'
import type { FileRange, LogChunk } from '../events.ts'
import { maxLineBytes } from './line-cutting.ts'

/** Where no more than this is left of a file, one thread has read it before another one would have begun. */
const worthwhileBytes = 4 << 20
/** So much is looked at in one go for the begin of a line. */
const windowBytes = 4096

/** A range that is being scanned before somebody asked for it. */
interface Begun<Result> {
  readonly range: FileRange
  readonly file: string
  readonly jails: readonly string[]
  readonly result: Promise<Result>
}

/**
 * Scans what comes next in a large file while what came before it is judged: its chunks are asked for one after the
 * other, so alone it would never keep more than one thread busy. Nothing else knows of it: a guess that nobody asks
 * for, or that was made of another file, is dropped.
 */
export class LookAhead<Result> {
  readonly #scan: (chunk: LogChunk) => Promise<Result>
  readonly #most: number
  readonly #leastBytes: number
  /** By log, in the order of the file. */
  readonly #begun = new Map<string, Begun<Result>[]>()

  /**
   * `most`: ranges that are remembered at most, of all logs. `leastBytes`: behind a chunk of less the next one would have
   * another length, since chunks of that log are still growing, or hold very much.
   */
  constructor(most: number, leastBytes: number, scan: (chunk: LogChunk) => Promise<Result>) {
    this.#most = most
    this.#leastBytes = leastBytes
    this.#scan = scan
  }

  /** What was begun of this very chunk; undefined: nothing. */
  take({ log, data, jails, insideLine }: LogChunk): Promise<Result> | undefined {
    const [first, ...rest] = this.#begun.get(log) ?? []
    this.#begun.delete(log)
    if (first === undefined || insideLine || data instanceof Uint8Array || data.bytes !== undefined) return undefined
    const { range, file } = first
    const isIt = data.fd === range.fd && data.start === range.start && data.end === range.end
    if (!isIt || !sameNames(jails, first.jails) || identityOf(data.fd).file !== file) return undefined
    if (rest.length > 0) this.#begun.set(log, rest)
    return first.result
  }

  /** Begins with what comes behind a chunk, which has whole lines at its begin, in so many threads at most. */
  begin(chunk: LogChunk, threads: number): void {
    const { log, data, jails } = chunk
    if (data instanceof Uint8Array || data.bytes !== undefined || threads <= 0) return
    const length = data.end - data.start
    if (length < this.#leastBytes) return
    const ahead = this.#begun.get(log) ?? []
    let { range } = ahead.at(-1) ?? { range: data }
    const { file, size } = identityOf(data.fd)
    for (let left = Math.min(threads, this.#room()); left > 0 && size - range.end >= worthwhileBytes; left--) {
      const start = behindLastLine(range)
      if (start === null) break
      range = { fd: data.fd, start, end: start + length }
      const result = this.#scan({ ...chunk, data: range, insideLine: false }).then((found) => {
        // Whoever had it open may have closed it meanwhile, and opened another file, and this one again later.
        if (identityOf(data.fd).file !== file) throw new Error('it was closed while it was read ahead')
        return found
      })
      // Who asks for it hears of it; nobody else is to.
      result.catch(() => {})
      ahead.push({ range, file, jails, result })
    }
    if (ahead.length > 0) this.#begun.set(log, ahead)
  }

  /** Forgets what was begun of a log. */
  forget(log: string): void {
    this.#begun.delete(log)
  }

  /** How many ranges more may be begun. The log that was begun first makes room where nobody asks for it any longer. */
  #room(): number {
    let ranges = 0
    for (const begun of this.#begun.values()) ranges += begun.length
    if (ranges >= this.#most) {
      const [oldest] = this.#begun.keys()
      if (oldest !== undefined) this.#begun.delete(oldest)
    }
    return this.#most - ranges
  }
}

/** A descriptor may be of another file the next moment. */
function identityOf(fd: number): { readonly file: string; readonly size: number } {
  try {
    const { dev, ino, size } = fstatSync(fd)
    return { file: `${dev}:${ino}`, size }
  } catch {
    return { file: '', size: 0 }
  }
}

/** Where in its file the line begins that the range ends within; null: it has no begin of a line that is near its end. */
function behindLastLine({ fd, start, end }: FileRange): number | null {
  const window = Buffer.allocUnsafe(windowBytes)
  const least = Math.max(start, end - maxLineBytes)
  try {
    for (let to = end; to > least;) {
      const from = Math.max(least, to - windowBytes)
      const read = readSync(fd, window, 0, to - from, from)
      const newline = window.subarray(0, read).lastIndexOf(0x0a)
      if (newline >= 0) return from + newline + 1
      to = from
    }
  } catch {
    // Whoever asks for the range hears of it.
  }
  return null
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}
