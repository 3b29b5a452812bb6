/** Matchers in WebAssembly as an engine: each filter that names a module is matched by an instance of it. */
import type { CompiledFilter, FoundLine, LineBlock, LineHead, MatcherModule, Scanner } from '../plugin.ts'
import { field, maxPieceBytes, recordBytes } from './abi.ts'
import { LineCounter } from './line-counter.ts'
import { ModuleFault } from './module-fault.ts'
import { ModuleInstance, type Records } from './module-instance.ts'

/** Runs what calls a module, which may never come back by itself. Throws a ModuleFault where it was stopped. */
export type Guard = (work: () => void) => void

/** Whole lines that are given to a module in one call. */
export interface Piece {
  readonly bytes: Uint8Array
  /** Where it begins in the block. */
  readonly start: number
}

/** Cuts a block into what is handed over at once. */
export type Cut = (block: Uint8Array) => Iterable<Piece>

export interface ModuleScanning {
  readonly instanceOf: (module: MatcherModule) => RunningModule
  readonly cut: Cut
  /** Hears that the module failed at a piece, and answers whether that piece is to be passed over; else it is thrown. */
  readonly spare?: (error: unknown) => boolean
}

/** A scanner of the filters that name a module; it takes those, in whatever order they come, and leaves the others. */
export function createModuleScanner(
  filters: readonly CompiledFilter[],
  { instanceOf, cut, spare = () => false }: ModuleScanning,
): Scanner {
  const counter = new LineCounter()
  const taken = filters.flatMap(({ module }, filter) => (module ? [{ filter, running: instanceOf(module) }] : []))
  return {
    took: taken.map(({ filter }) => filter),
    left: filters.flatMap(({ module }, filter) => (module ? [] : [{ filter, reason: 'it names no module' }])),
    scan(block, found) {
      for (const { filter, running } of taken)
        for (const { bytes, start } of cut(block.bytes)) {
          const records = scanned(running, bytes, spare)
          tell(records, { filter, block, bytes: asBuffer(bytes), start, text: textOf(block, bytes, records) }, found)
        }
    },
    countLines: (bytes, longest) => counter.count(bytes, longest),
  }
}

/** An instance of a module, made when it is first needed, and again after it failed. */
export class RunningModule {
  readonly #module: MatcherModule
  readonly #guard: Guard
  #instance: ModuleInstance | null = null
  #faultsLeft: number
  #lastFault = ''

  /** After `most` faults it is not called any more. */
  constructor(module: MatcherModule, guard: Guard = (work) => work(), most = Infinity) {
    this.#module = module
    this.#guard = guard
    this.#faultsLeft = most
  }

  /** 0: it does not run. */
  get memoryBytes(): number {
    return this.#instance?.memoryBytes ?? 0
  }

  /** It may fail so often from now on. */
  allow(faults: number): void {
    this.#faultsLeft = faults
  }

  /** Throws a ModuleFault where it cannot be started. */
  start(): void {
    this.#attempt(() => {})
  }

  /** What it finds in these whole lines, checked. Throws a ModuleFault where it fails, or failed too often. */
  scan(bytes: Uint8Array): Records {
    let records: Records | null = null
    this.#attempt((instance) => (records = instance.scan(bytes)))
    return records ?? noRecords
  }

  #attempt(work: (instance: ModuleInstance) => void): void {
    if (this.#faultsLeft <= 0) throw new ModuleFault(`it failed too often; last: ${this.#lastFault}`)
    const before = this.#instance
    // Whoever is interrupted comes to no other line here: then there is no instance any more.
    this.#instance = null
    try {
      this.#guard(() => {
        const instance = before ?? new ModuleInstance(this.#module)
        work(instance)
        this.#instance = instance
      })
    } catch (error) {
      this.#faultsLeft--
      this.#lastFault = error instanceof Error ? error.message : String(error)
      throw error
    }
  }
}

function scanned(running: RunningModule, bytes: Uint8Array, spare: (error: unknown) => boolean): Records {
  try {
    return running.scan(bytes)
  } catch (error) {
    if (spare(error)) return noRecords
    throw error
  }
}

const noRecords: Records = { count: 0, words: new Uint32Array(0), times: new Float64Array(0) }

/** The whole block at once. */
export function asOnePiece(bytes: Uint8Array): readonly Piece[] {
  return [{ bytes, start: 0 }]
}

/** Pieces of a bounded length; a line that is longer is one alone. */
export function* inPieces(block: Uint8Array): Iterable<Piece> {
  for (let start = 0; start < block.length;) {
    const last =
      start + maxPieceBytes >= block.length ? block.length : block.lastIndexOf(newline, start + maxPieceBytes) + 1
    const end = last > start ? last : block.indexOf(newline, start) + 1
    yield { bytes: start === 0 && end === block.length ? block : block.subarray(start, end), start }
    start = end
  }
}

interface Place {
  readonly filter: number
  readonly block: LineBlock
  /** The piece, and where it begins in the block. */
  readonly bytes: Buffer
  readonly start: number
  /** The text of the block, where so much is found that it is worth making. */
  readonly text: string | null
}

/** Bytes a hit up to which the text of a block is made at once, for heads and texts that are then cut out of it. */
const denseBytes = 512

function textOf(block: LineBlock, bytes: Uint8Array, { count }: Records): string | null {
  return count * denseBytes > bytes.length && count > 1 ? block.text : null
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

function tell({ count, words, times }: Records, place: Place, found: (line: FoundLine) => void): void {
  for (let record = 0; record < count; record++)
    found(new ModuleLine(place, words.subarray(record * recordWords, (record + 1) * recordWords), times[record * 8]))
}

/** A line as a record tells of it. Texts are cut out when they are asked for. */
class ModuleLine implements FoundLine {
  readonly filter: number
  readonly rule: number
  readonly start: number
  readonly end: number
  readonly address: string
  readonly time: string | undefined
  readonly #block: LineBlock
  readonly #words: Uint32Array
  readonly #place: Place
  readonly #timeMs: number
  #head: LineHead | null = null

  constructor(place: Place, words: Uint32Array, timeMs = Number.NaN) {
    const { filter, block, start: base } = place
    this.filter = filter
    this.#block = block
    this.#words = words
    this.#place = place
    this.#timeMs = timeMs
    this.rule = words[field.rule] ?? 0
    this.start = base + (words[field.lineStart] ?? 0)
    this.end = base + (words[field.lineEnd] ?? 0)
    this.address = this.#latin1(field.addressStart) ?? ''
    this.time = this.#latin1(field.dateStart)
  }

  get head(): LineHead {
    return (this.#head ??= this.#readHead())
  }

  get groups(): Readonly<Record<string, string>> {
    const [user, session] = [this.tag('user'), this.tag('mlfid')]
    return { ...(user === undefined ? {} : { user }), ...(session === undefined ? {} : { mlfid: session }) }
  }

  tag(name: string): string | undefined {
    if (name === 'user') return this.#utf8(field.userStart)
    return name === 'mlfid' ? this.#utf8(field.sessionStart) : undefined
  }

  /** Where the module says when the line was written nobody needs to look for a date. */
  #readHead(): LineHead {
    if (this.time === undefined && Number.isNaN(this.#timeMs)) return this.#block.head(this.start, this.end)
    this.#block.looked?.(null, 1)
    return new ToldHead(this.#block, this.start, this.end, Number.isNaN(this.#timeMs) ? null : this.#timeMs)
  }

  #utf8(start: number): string | undefined {
    const [from = 0, to = 0] = [this.#words[start], this.#words[start + 1]]
    return from === to ? undefined : this.#place.bytes.toString('utf8', from, to)
  }

  /** What is not ASCII is neither an address nor a date. */
  #latin1(start: number): string | undefined {
    const from = this.#words[start] ?? 0
    const to = this.#words[start + 1] ?? 0
    if (from === to) return undefined
    const { text, bytes, start: base } = this.#place
    return text === null ? bytes.toString('latin1', from, to) : text.slice(base + from, base + to)
  }
}

/** The head of a line whose time the module told. */
class ToldHead implements LineHead {
  readonly time: number | null
  readonly syslog = null
  readonly #block: LineBlock
  readonly #start: number
  readonly #end: number

  constructor(block: LineBlock, start: number, end: number, time: number | null) {
    this.time = time
    this.#block = block
    this.#start = start
    this.#end = end
  }

  get line(): string {
    return this.#block.head(this.#start, this.#end).line
  }

  get undated(): string {
    return this.line
  }

  get ascii(): boolean {
    return this.#block.head(this.#start, this.#end).ascii
  }
}

const recordWords = recordBytes / 4
const newline = 0x0a
