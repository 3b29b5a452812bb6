import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type BigIntStats } from 'node:fs'
import { BailiffError, quote } from '../errors.ts'
import type { FilePosition } from '../events.ts'

/** A smaller hole is read: it takes less than a second. */
const leastHoleBytes = 64 * 1024 * 1024

/** How much of the beginning of a file tells it apart from another one. */
const headBytes = 1024
/** What is new is kept in memory as soon as it is noticed, as long as it is not more than this. */
const maxHeldBytes = 64 * 1024
/** How much of what was the end at the last look tells whether a file only grew: its beginning may always be the same. */
const tailBytes = 64

/**
 * One generation of a log: an open regular file from its first byte on, how far it has been read, and
 * what tells it apart. A file that is truncated and written anew is another generation on the same
 * descriptor. All calls are synchronous: a look costs three system calls, about 10 µs, which is less
 * than the way through the thread pool, and nothing can change between its parts.
 */
export class LogFile {
  readonly fd: number
  readonly device: bigint
  readonly inode: bigint
  /** Nanoseconds since the epoch; 0 where the file system does not say. */
  readonly birth: bigint
  /** All bytes before this one are done with. */
  offset = 0
  /** Whether the offset lies inside a line that is too long. */
  insideLine = false
  /** The bytes before this one have been scanned; those from `offset` on are an unfinished line. */
  triedEnd = 0
  /** Bytes from this one on were written after the log was first looked at; infinite for a file found later. */
  oldEnd = Infinity
  /** Whether it stood there before anybody looked, nothing is known of how far it was read, and nothing has been read since. */
  isUnknown = false
  size = 0
  /** Unix milliseconds. */
  modifiedAt = 0
  /** Whether all of it had been read at some time: what comes later is written while we watch. */
  caughtUp = false
  #head: Buffer = Buffer.alloc(0)
  /** The last bytes before `size`, as they were at the last look. */
  #tail: Buffer = Buffer.alloc(0)
  #headHash: string | null = null
  /** The bytes from `offset` to `size`, in case the file is truncated before they are scanned; empty where they are too many. */
  #held: Buffer = Buffer.alloc(0)
  #frozen = false

  constructor(fd: number, stat: Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>) {
    this.fd = fd
    this.device = stat.dev
    this.inode = stat.ino
    this.birth = stat.birthtimeNs
  }

  /** When it came to be, as well as is known, in unix milliseconds. */
  get bornAt(): number {
    return this.birth === 0n ? this.modifiedAt : Number(this.birth / 1_000_000n)
  }

  get hasNews(): boolean {
    return this.size > this.scannedEnd
  }

  /** All bytes before this one have been scanned. */
  get scannedEnd(): number {
    return Math.max(this.offset, this.triedEnd)
  }

  /** Reads size, head and what is new again. False: it was truncated or written anew, so this generation is over. */
  look(): boolean {
    if (this.#frozen) return true
    const { size, mtimeMs } = fstatSync(this.fd)
    const held = this.#hold(size)
    // Read last: what was written anew meanwhile is not taken for what was held.
    const head = readAt(this.fd, 0, headBytes)
    if (size < this.offset || !head.subarray(0, this.#head.length).equals(this.#head)) return false
    if (!this.#tail.equals(readTail(this.fd, this.size))) return false
    if (head.length > this.#head.length) this.#headHash = null
    if (size !== this.size) this.#tail = readTail(this.fd, size)
    this.#head = head
    this.#held = held
    this.size = size
    this.modifiedAt = mtimeMs
    return true
  }

  /** What stands from `offset` to `end`, where it is held: a copy of its own. */
  heldTo(end: number): Uint8Array | null {
    const length = end - this.offset
    return length <= this.#held.length ? new Uint8Array(this.#held.subarray(0, length)) : null
  }

  /** After a truncation: makes what is held all there is of it. False where there is nothing to be read. */
  freeze(): boolean {
    if (!this.hasNews || this.#held.length < this.size - this.offset) return false
    this.#frozen = true
    return true
  }

  /** Whether it exists in memory only, and shares its descriptor with the generation that came after it. */
  get frozen(): boolean {
    return this.#frozen
  }

  /**
   * Where to go on when the offset lies in a large hole, as a service leaves one that goes on at its old
   * place after a truncation; null where it does not. Data has no more bytes than the file system says,
   * and stands at the end.
   */
  behindHole(): number | null {
    const { size, blocks } = fstatSync(this.fd)
    const behind = size - blocks * 512
    if (behind - this.offset < leastHoleBytes) return null
    const zeros = Buffer.alloc(4096, 1)
    readSync(this.fd, zeros, 0, zeros.length, this.offset)
    return zeros.every((byte) => byte === 0) ? behind : null
  }

  /** The generation that begins on the same descriptor after a truncation. Only one of the two is to be closed. */
  regrown(): LogFile {
    const next = new LogFile(this.fd, { dev: this.device, ino: this.inode, birthtimeNs: this.birth })
    next.caughtUp = this.caughtUp
    next.look()
    return next
  }

  is(stat: Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>): boolean {
    return !this.#frozen && this.inode === stat.ino && this.device === stat.dev && this.birth === stat.birthtimeNs
  }

  position(path: string): FilePosition {
    this.#headHash ??= hash(this.#head)
    return {
      path,
      device: String(this.device),
      inode: String(this.inode),
      birth: String(this.birth),
      headHash: this.#headHash,
      headLength: this.#head.length,
      offset: this.offset,
      insideLine: this.insideLine,
    }
  }

  /**
   * Whether the position was taken in this very file. Device numbers may change when the machine
   * starts again, so another device is accepted where birth and head agree.
   */
  fits(position: FilePosition): boolean {
    if (String(this.inode) !== position.inode || String(this.birth) !== position.birth) return false
    if (position.headLength === 0) return String(this.device) === position.device
    return (String(this.device) === position.device || this.birth !== 0n) && this.holds(position)
  }

  /** Whether it begins as the file of the position did and reaches as far: the file itself or a copy of it. */
  holds(position: FilePosition): boolean {
    if (position.headLength === 0 || this.size < position.offset || this.#head.length < position.headLength)
      return false
    return hash(this.#head.subarray(0, position.headLength)) === position.headHash
  }

  /** Whether it is, as far as both reach, a copy of the other. A few bytes tell nothing. */
  copies(other: LogFile): boolean {
    const length = Math.min(this.#head.length, other.#head.length)
    if (length < 32 || !this.#head.subarray(0, length).equals(other.#head.subarray(0, length))) return false
    return this.mayGoOn(other)
  }

  /** Whether what stood at the end of the other at its last look stands here at the same place, or nothing does yet. */
  mayGoOn(other: LogFile): boolean {
    return this.size < other.size || other.#tail.equals(readTail(this.fd, other.size))
  }

  /** Goes on where the position stands. */
  resume(position: Pick<FilePosition, 'offset' | 'insideLine'>): this {
    // A copy: a part of a buffer keeps all of it in memory.
    this.#held = Buffer.from(this.#held.subarray(Math.max(0, position.offset - this.offset)))
    this.offset = position.offset
    this.insideLine = position.insideLine
    return this
  }

  close(): void {
    if (!this.#frozen) closeSync(this.fd)
  }

  /** What is held when the file is `size` bytes long. */
  #hold(size: number): Buffer {
    const known = this.#held
    const from = this.offset + known.length
    if (size <= from) return known
    if (size - this.offset > maxHeldBytes) return Buffer.alloc(0)
    return Buffer.concat([known, readAt(this.fd, from, size - from)])
  }
}

/** What stands at a path. Throws what `stat` throws, and a `BailiffError` where it is no regular file. */
export function statLog(path: string): BigIntStats {
  return regular(path, statSync(path, { bigint: true }))
}

/**
 * Opens the regular file at a path for reading. Never blocks and never opens a FIFO or a device, not
 * even for a moment. Throws as `statLog` does.
 */
export function openLog(path: string): LogFile {
  statLog(path)
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const file = new LogFile(fd, regular(path, fstatSync(fd, { bigint: true })))
    file.look()
    return file
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Opens as `openLog` does; null where there is nothing to open. */
export function tryOpen(path: string): LogFile | null {
  try {
    return openLog(path)
  } catch {
    return null
  }
}

function regular(path: string, stat: BigIntStats): BigIntStats {
  if (stat.isFile()) return stat
  const kind = stat.isDirectory() ? 'a folder' : stat.isFIFO() ? 'a FIFO' : 'a device or a socket'
  throw new BailiffError('no-input', `${quote(path)} is ${kind}, not a regular file`)
}

/** The last bytes before `end`. */
function readTail(fd: number, end: number): Buffer {
  const start = Math.max(0, end - tailBytes)
  return readAt(fd, start, end - start)
}

function readAt(fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(fd, bytes, 0, length, start))
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64')
}
