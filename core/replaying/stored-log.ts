/** Reads a log that is stored in one or several files, oldest first, and finds what its lines match. */
import { closeSync, createReadStream, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compressionOf } from '../cli/compressed-log.ts'
import { unpacked } from '../cli/unpacked-log.ts'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import type { FileRange, LogChunk } from '../events.ts'
import { LineGuard } from '../matching/line-guard.ts'
import type { JailMemories } from '../matching/messages.ts'
import { ProcessorTime } from '../matching/processor-time.ts'
import { mostScannedBytes } from '../matching/line-cutting.ts'
import type { RowScanner } from '../matching/scan.ts'
import { FoundPart } from './found-part.ts'

/** Of a stream. Small, so that what a chunk brings forth dies young; two lines of the longest length fit. */
const chunkBytes = 192 * 1024
/** As in the agent: a chunk that takes so long has a slow line, which then takes a jail no longer than `lineMs`. */
const chunkMs = 1000
const lineMs = 20
/** A thread that had the processor for less of that time waited, and is given once more as long. */
const ownShare = 0.5
const longestChunkMs = 16_000
const headBytes = 4096

/** What the scanner finds in a chunk. */
type ScannedChunk = ReturnType<RowScanner['scan']>

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
  scanner: RowScanner,
  counts: ReadCounts,
  reading: (file: string) => void = () => {},
): AsyncGenerator<FoundPart> {
  const guard = new LineGuard()
  const processor = new ProcessorTime()
  // What jails of a Fail2ban tree remember of a log goes on through its rotation.
  const remembered: Remembered = { memories: {} }
  for (const file of files) {
    reading(file)
    const opened = openFile(file)
    try {
      yield* scanFile({ log, jails, opened, scanner, guard, processor, counts, remembered })
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
  readonly scanner: RowScanner
  readonly guard: LineGuard
  readonly processor: ProcessorTime
  readonly counts: ReadCounts
  readonly remembered: Remembered
}

interface Remembered {
  memories: JailMemories
}

async function* scanFile(scan: FileScan): AsyncGenerator<FoundPart> {
  const { opened, counts } = scan
  const compression = compressionOf(opened.head)
  const lines = new LineScan(scan)
  if (compression === null && opened.regular) {
    yield* scanRegular(lines, opened.fd, counts)
    return
  }
  const pieces = new PieceScan(lines)
  try {
    for await (const piece of streamOf(opened, compression, counts)) yield* pieces.take(piece)
    yield* pieces.finish()
  } finally {
    pieces.close()
  }
}

/** The scanner reads the file by itself. What is written to it meanwhile is left out. */
function* scanRegular(lines: LineScan, fd: number, counts: ReadCounts): Generator<FoundPart> {
  const { size } = fstatSync(fd)
  for (let before = -1; before < lines.offset && lines.offset < size;) {
    before = lines.offset
    const end = Math.min(before + mostScannedBytes, size)
    yield lines.scan({ fd, start: before, end })
    counts.fileBytes += lines.offset - before
  }
  if (lines.offset < size) yield lines.scan(withLineEnd(fd, lines.offset, size))
}

/** What is not ended by a newline at the end of a stored log is a line all the same. */
function withLineEnd(fd: number, start: number, end: number): FileRange {
  const bytes = Buffer.alloc(end - start + 1, '\n')
  const length = readSync(fd, bytes, 0, end - start, start)
  return { fd, start, end: start + length + 1, bytes: bytes.fill('\n', length).subarray(0, length + 1) }
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

/** Where the lines of one file stand, and what is found in the next ones. */
class LineScan {
  offset = 0
  readonly #scan: FileScan
  #insideLine = false

  constructor(scan: FileScan) {
    this.#scan = scan
  }

  /** Scans what is behind the lines that were scanned. `offset` is behind its last whole line then. */
  scan(data: LogChunk['data']): FoundPart {
    const { log, jails, opened, scanner, counts, remembered } = this.#scan
    const chunk = { log, jails, data, arrivedAt: opened.modifiedAt, live: false }
    const result = this.#guarded(scanner, { ...chunk, undatedAt: null, insideLine: this.#insideLine })
    counts.lines += result.lines
    counts.skipped += result.skipped
    this.#insideLine = result.insideLine
    this.offset += result.consumed
    remembered.memories = result.memories ?? {}
    return new FoundPart(log, result.rows, result.hits ?? [])
  }

  /** To guard each line costs as much as to match it, so that is done where it has to be. */
  #guarded(scanner: RowScanner, chunk: LogChunk): ScannedChunk {
    const { guard, remembered, processor } = this.#scan
    scanner.prepare(chunk)
    let result: ScannedChunk | null = null
    for (let ms = chunkMs; result === null && ms <= longestChunkMs; ms *= 2) {
      const before = processor.ms
      guard.run(() => (result = scanner.scan(chunk, undefined, null, remembered.memories)), ms)
      if (processor.ms - before >= ms * ownShare) break
    }
    return result ?? scanner.scan(chunk, undefined, lineMs, remembered.memories)
  }
}

/** The lines of a stream: what came and was not scanned yet. */
class PieceScan {
  readonly #lines: LineScan
  readonly #buffer = Buffer.allocUnsafe(chunkBytes)
  /** What the scanner takes for the file: whether its lines have heads is looked up at its begin. */
  #begin: { readonly folder: string; readonly fd: number } | null = null
  #held = 0

  constructor(lines: LineScan) {
    this.#lines = lines
  }

  /** Takes bytes in, and answers what is found whenever a chunk is full. */
  *take(piece: Buffer): Generator<FoundPart> {
    this.#keepBegin(piece)
    for (let from = 0; from < piece.length;) {
      const length = Math.min(piece.length - from, this.#buffer.length - this.#held)
      piece.copy(this.#buffer, this.#held, from, from + length)
      this.#held += length
      from += length
      if (this.#held === this.#buffer.length) yield this.#scan()
    }
  }

  /** What is not ended by a newline at the end of a stored log is a line all the same. */
  *finish(): Generator<FoundPart> {
    yield this.#scan()
    if (this.#held === 0) return
    this.#held += this.#buffer.write('\n', this.#held)
    yield this.#scan()
  }

  close(): void {
    if (this.#begin === null) return
    closeSync(this.#begin.fd)
    rmSync(this.#begin.folder, { recursive: true, force: true })
  }

  /** Scans what came. The rest of the last line waits. */
  #scan(): FoundPart {
    const bytes = this.#buffer.subarray(0, this.#held)
    const start = this.#lines.offset
    const fd = this.#begin?.fd
    const found = this.#lines.scan(fd === undefined ? bytes : { fd, start, end: start + bytes.length, bytes })
    const consumed = this.#lines.offset - start
    this.#buffer.copyWithin(0, consumed, this.#held)
    this.#held -= consumed
    return found
  }

  /** The begin of a stream is kept in a file, for the scanner looks there for the form of the lines. */
  #keepBegin(piece: Buffer): void {
    if (this.#begin !== null) return
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-replay-'))
    const fd = openSync(join(folder, 'begin'), 'w+', 0o600)
    this.#begin = { folder, fd }
    writeSync(fd, piece.subarray(0, headBytes))
  }
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
