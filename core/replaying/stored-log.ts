/** Reads a log that is stored in one or several files, oldest first, and finds what its lines match. */
import { closeSync, createReadStream, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compressionOf } from '../cli/compressed-log.ts'
import { unpacked } from '../cli/unpacked-log.ts'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import type { LogChunk } from '../events.ts'
import { LineGuard } from '../matching/line-guard.ts'
import type { JailMemories } from '../matching/messages.ts'
import type { LogScanner } from '../matching/scan.ts'
import type { Found } from './by-time.ts'

/** Small, so that what a chunk brings forth dies young; two lines of the longest length fit. */
const chunkBytes = 192 * 1024
/** As in the agent: a chunk that takes so long has a slow line, which then takes a jail no longer than `lineMs`. */
const chunkMs = 1000
const lineMs = 20
const headBytes = 4096

/** What the scanner finds in a chunk. */
type ScannedChunk = ReturnType<LogScanner['scan']>

/** What was read. */
export interface ReadCounts {
  lines: number
  skipped: number
  /** Bytes of the files, packed as they are. */
  fileBytes: number
}

/** A log as it stands on the disk. */
export interface StoredLog {
  /** As the configuration names it: that of the youngest file. */
  readonly log: string
  readonly jails: readonly string[]
  /** Oldest first; `-` is standard input. */
  readonly files: readonly string[]
}

/** What the lines of a log matched, chunk by chunk. Throws a BailiffError for a file that cannot be read. */
export async function* scanStored(
  { log, jails, files }: StoredLog,
  scanner: LogScanner,
  counts: ReadCounts,
  reading: (file: string) => void = () => {},
): AsyncGenerator<readonly Found[]> {
  const guard = new LineGuard()
  // What jails of a Fail2ban tree remember of a log goes on through its rotation.
  const remembered: Remembered = { memories: {} }
  for (const file of files) {
    reading(file)
    const opened = openFile(file)
    try {
      yield* scanFile({ log, jails, opened, scanner, guard, counts, remembered })
    } finally {
      opened.close()
    }
  }
}

interface OpenedFile {
  readonly path: string
  /** As people know it. */
  readonly file: string
  readonly fd: number
  /** The first bytes, packed as they are. */
  readonly head: Buffer
  /** When it was last written, unix ms: no line in it is younger. */
  readonly modifiedAt: number
  readonly regular: boolean
  close(): void
}

interface FileScan {
  readonly log: string
  readonly jails: readonly string[]
  readonly opened: OpenedFile
  readonly scanner: LogScanner
  readonly guard: LineGuard
  readonly counts: ReadCounts
  readonly remembered: Remembered
}

interface Remembered {
  memories: JailMemories
}

async function* scanFile(scan: FileScan): AsyncGenerator<readonly Found[]> {
  const { opened, counts } = scan
  const compression = compressionOf(opened.head)
  const lines = new ChunkScan(scan, compression === null && opened.regular ? opened.fd : null)
  try {
    if (compression === null && opened.regular) {
      for (let read = lines.readFrom(opened.fd); read > 0; read = lines.readFrom(opened.fd)) {
        counts.fileBytes += read
        yield lines.scan()
      }
    } else {
      for await (const piece of streamOf(opened, compression, counts)) yield* lines.take(piece)
    }
    yield lines.finish()
  } finally {
    lines.close()
  }
}

async function* streamOf(
  { path, file, fd, head, regular }: OpenedFile,
  compression: ReturnType<typeof compressionOf>,
  counts: ReadCounts,
): AsyncIterable<Buffer> {
  // A stream closes its descriptor when it is destroyed, so that of a file has one of its own.
  const packed = createReadStream(path, { ...(regular ? {} : { fd, autoClose: false }), highWaterMark: chunkBytes })
  // What was read of a pipe to know its kind is put back in front.
  if (!regular && head.length > 0) packed.unshift(head)
  const before = counts.fileBytes
  const pieces: AsyncIterable<Buffer> = compression === null ? packed : unpacked(packed, compression, file)
  for await (const piece of pieces) {
    counts.fileBytes = before + packed.bytesRead
    yield piece
  }
}

/** The lines of one file: what was read and not scanned yet, and where it stands. */
class ChunkScan {
  readonly #scan: FileScan
  readonly #buffer = Buffer.allocUnsafe(chunkBytes)
  /** What the scanner takes for the file: whether its lines have heads is looked up at its begin. */
  #fd: number | null
  #begin: { readonly folder: string; readonly fd: number } | null = null
  #held = 0
  #offset = 0
  #insideLine = false

  constructor(scan: FileScan, fd: number | null) {
    this.#scan = scan
    this.#fd = fd
  }

  /** Reads on in a file; 0 at its end. */
  readFrom(fd: number): number {
    const at = this.#offset + this.#held
    const read = readSync(fd, this.#buffer, this.#held, this.#buffer.length - this.#held, at)
    this.#held += read
    return read
  }

  /** Takes bytes of a stream in, and answers what is found whenever a chunk is full. */
  *take(piece: Buffer): Generator<readonly Found[]> {
    this.#keepBegin(piece)
    for (let from = 0; from < piece.length;) {
      const length = Math.min(piece.length - from, this.#buffer.length - this.#held)
      piece.copy(this.#buffer, this.#held, from, from + length)
      this.#held += length
      from += length
      if (this.#held === this.#buffer.length) yield this.scan()
    }
  }

  /** Scans what was read. The rest of the last line waits. */
  scan(): readonly Found[] {
    const { log, jails, opened, scanner, counts, remembered } = this.#scan
    const bytes = this.#buffer.subarray(0, this.#held)
    const data = { fd: this.#fd ?? -1, start: this.#offset, end: this.#offset + bytes.length, bytes }
    const chunk = { log, jails, data: this.#fd === null ? bytes : data, arrivedAt: opened.modifiedAt, live: false }
    const result = this.#guarded(scanner, { ...chunk, undatedAt: null, insideLine: this.#insideLine })
    counts.lines += result.lines
    counts.skipped += result.skipped
    this.#insideLine = result.insideLine
    this.#offset += result.consumed
    this.#buffer.copyWithin(0, result.consumed, this.#held)
    this.#held -= result.consumed
    remembered.memories = result.memories ?? {}
    return inOrder(result)
  }

  /** What is not ended by a newline at the end of a stored log is a line all the same. */
  finish(): readonly Found[] {
    const found = [...this.scan()]
    if (this.#held === 0) return found
    this.#held += this.#buffer.write('\n', this.#held)
    return [...found, ...this.scan()]
  }

  /** To guard each line costs as much as to match it, so that is done where it has to be. */
  #guarded(scanner: LogScanner, chunk: LogChunk): ScannedChunk {
    const { guard, remembered } = this.#scan
    let result: ScannedChunk | null = null
    guard.run(() => (result = scanner.scan(chunk, undefined, null, remembered.memories)), chunkMs)
    return result ?? scanner.scan(chunk, undefined, lineMs, remembered.memories)
  }

  close(): void {
    if (this.#begin === null) return
    closeSync(this.#begin.fd)
    rmSync(this.#begin.folder, { recursive: true, force: true })
  }

  /** The begin of a stream is kept in a file, for the scanner looks there for the form of the lines. */
  #keepBegin(piece: Buffer): void {
    if (this.#begin !== null) return
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-replay-'))
    const fd = openSync(join(folder, 'begin'), 'w+', 0o600)
    this.#begin = { folder, fd }
    writeSync(fd, piece.subarray(0, headBytes))
    this.#fd = fd
  }
}

/** The order of the lines. */
function inOrder({ matches, hits = [] }: ScannedChunk): readonly Found[] {
  if (hits.length === 0) return matches
  if (matches.length === 0) return hits
  return [...matches, ...hits].toSorted((a, b) => a.offset - b.offset)
}

function openFile(file: string): OpenedFile {
  const fd = file === '-' ? 0 : tryOpen(file)
  const stat = fstatSync(fd)
  const close = () => {
    if (fd !== 0) closeSync(fd)
  }
  if (stat.isDirectory()) {
    close()
    throw new BailiffError('no-input', `${quote(file)} is a folder, not a log`, { hint: `name its files: ${file}/*` })
  }
  const regular = stat.isFile()
  const head = Buffer.alloc(16)
  const length = readSync(fd, head, 0, head.length, regular ? 0 : null)
  const modifiedAt = regular ? stat.mtimeMs : Date.now()
  return {
    path: file,
    file: file === '-' ? 'standard input' : file,
    fd,
    head: head.subarray(0, length),
    modifiedAt,
    regular,
    close,
  }
}

function tryOpen(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (cause) {
    throw new BailiffError('no-input', `cannot read ${quote(file)}: ${whyUnreadable(cause)}`, {
      cause,
      hint: 'name a log that this user may read, or - for standard input',
    })
  }
}
