/**
 * Goes over blocks of lines by the kernel: which lines may have a hit, and which have to be looked at one by one. Its tables
 * are made for one filter, and by what stands in some of its log.
 */
import { windowsOf, writeLiterals, literalBytes } from '../../../matchers/scan/literal-tables.ts'
import { TableMemory } from '../../../matchers/scan/table-memory.ts'
import type { QuietDay } from '../lines/line-dates.ts'
import type { RuleDispatch } from '../lines/rule-dispatch.ts'
import type { NamedSpans, PythonPattern } from '../regex/python-pattern.ts'
import { FrontTable, frontProgram, frontTableBytes } from './front-table.ts'
import { cameBack, startLineKernel, type LineKernel } from './line-kernel.ts'
import { RuleTable, ruleTableBytes } from './rule-table.ts'
import { markSessions } from './session-marks.ts'

/** What the tables are made of. */
export interface BlockPatterns {
  /** Each line with a hit has one of these; null: nothing is known of such. */
  readonly literals: readonly string[] | null
  /** Null: whether a line has a hit is not asked of its text alone. */
  readonly dispatch: RuleDispatch | null
  /** What stands before the content; null: all behind the date is content. */
  readonly front: PythonPattern | null
}

/** A line that may have a hit. */
export interface WantedLine {
  /** Its begin and its newline, in the text that was put in place. */
  readonly start: number
  readonly newline: number
  /** The length of its date, and the second of the day that it says. */
  readonly dateLength: number
  readonly clock: number
  /** What the front found behind its date; null: it is to be searched. */
  readonly front: NamedSpans | null
}

/** Lines that were gone over. */
export interface GoneOver {
  readonly lines: number
  /** Where the last of them begins; good where there is one. */
  readonly last: number
  /** Where the next one begins. */
  readonly end: number
  /** Whether that one has to be looked at by somebody else. */
  readonly isOdd: boolean
}

const textBytes = 1 << 18
const recordBytes = 1 << 14
/** So much of the log says which of their bytes literals are looked for by. */
const sampleBytes = 1 << 14
/** What the kernel reads behind the end of a text. */
const slack = 64
const noLeaf = 0xffffffff
/** In a record above the second of the day: the length of the date. */
const dateShift = 20

export class BlockKernel {
  readonly #kernel: LineKernel
  readonly #memory: TableMemory
  readonly #textAt: number
  readonly #recordsAt: number
  readonly #fronts: FrontTable | null
  readonly #rules: RuleTable | null
  readonly #looksAtAll: () => void
  #put = 0

  constructor({ literals, dispatch, front }: BlockPatterns, sample: Uint8Array) {
    const windows = literals === null ? null : windowsOf(literals, sample.subarray(0, sampleBytes))
    const program = dispatch !== null && front !== null ? frontProgram(front) : null
    const looks = dispatch !== null && (front === null || program !== null)
    const memory = new TableMemory(
      textBytes +
        recordBytes +
        (windows === null ? 0 : literalBytes(windows)) +
        (program === null ? 0 : frontTableBytes) +
        (looks ? ruleTableBytes : 0) +
        16 * slack,
    )
    const kernel = startLineKernel(memory.memory)
    const literalsAt = windows === null ? 0 : writeLiterals(windows, memory, kernel)
    const [textAt, recordsAt] = [memory.take(textBytes + slack), memory.take(recordBytes)]
    const rulesAt = looks ? memory.take(ruleTableBytes) : 0
    this.#rules = looks && dispatch !== null ? new RuleTable(dispatch, memory.memory, rulesAt) : null
    this.#fronts =
      front === null || program === null
        ? null
        : new FrontTable(front, program, front.names.indexOf('mlfid'), memory.memory, memory.take(frontTableBytes))
    const { classesAt = 0, stepsAt = 0, shift = 0, leavesAt = 0 } = this.#fronts ?? {}
    const configure = (rules: number) =>
      kernel.configure(
        textAt,
        recordsAt,
        recordsAt + recordBytes,
        literalsAt,
        classesAt,
        stepsAt,
        shift,
        leavesAt,
        rules,
      )
    configure(rulesAt)
    this.#looksAtAll = () => configure(0)
    this.#kernel = kernel
    this.#memory = memory
    this.#textAt = textAt
    this.#recordsAt = recordsAt
  }

  /** Puts whole lines in place, as many as there is room for, from the first; answers how many bytes: 0, the first is too long. */
  put(bytes: Uint8Array): number {
    const length =
      bytes.length <= textBytes
        ? bytes.length
        : Buffer.from(bytes.buffer, bytes.byteOffset, textBytes).lastIndexOf(10) + 1
    this.#memory.u8.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.#textAt)
    this.#kernel.renew()
    this.#put = length
    return length
  }

  /** Only lines that say something of these sessions are wanted, of those that would end one; those wanted now may make more. */
  mark(sessions: Iterable<string>): void {
    markSessions(sessions, this.#memory.u8, this.#kernel)
  }

  /**
   * Goes over lines of this day from a place of the text on, to its end or to a line that is odd; tells of those that are
   * wanted in order. `marked`: `mark` was told of all sessions before these lines.
   */
  run(from: number, day: QuietDay, marked: boolean, wanted: (line: WantedLine) => void): GoneOver {
    const kernel = this.#kernel
    this.#tellDay(day)
    kernel.begin(from, this.#put, marked)
    let [lines, last] = [0, 0]
    for (;;) {
      const came = kernel.scan()
      const since = kernel.linesSince()
      if (since > 0) last = kernel.lastFrom()
      lines += since
      this.#tellWanted(kernel.written(), wanted)
      if (came === cameBack.done || came === cameBack.oddLine)
        return { lines, last, end: kernel.placeNow(), isOdd: came === cameBack.oddLine }
      if (came === cameBack.missesRule) this.#rules?.fill(kernel.missingNode(), kernel.missingCode())
      else if (came === cameBack.missesFront) this.#fillFront()
    }
  }

  #fillFront(): void {
    const kernel = this.#kernel
    const { u8 } = this.#memory
    const [from, to] = [this.#textAt + kernel.missedFrom(), this.#textAt + kernel.missedTo()]
    const text = Buffer.from(u8.buffer, from, to - from).toString('latin1')
    if (this.#fronts?.fill(kernel.missingNode(), kernel.missingCode(), text) === false) this.#looksAtAll()
  }

  #tellDay({ text, zone, isFull, from, to }: QuietDay): void {
    const kernel = this.#kernel
    const { u8 } = this.#memory
    const at = kernel.dayTexts()
    for (let index = 0; index < text.length; index++) u8[at + index] = text.charCodeAt(index)
    for (let index = 0; index < zone.length; index++) u8[at + 16 + index] = zone.charCodeAt(index)
    kernel.tellDay(isFull, zone !== '', from, to)
  }

  #tellWanted(to: number, wanted: (line: WantedLine) => void): void {
    const { u32 } = this.#memory
    for (let word = this.#recordsAt >> 2; word < to >> 2; word += 4) {
      const [leaf, date] = [u32[word + 2] ?? noLeaf, u32[word + 3] ?? 0]
      wanted({
        start: u32[word] ?? 0,
        newline: u32[word + 1] ?? 0,
        dateLength: date >>> dateShift,
        clock: date & ((1 << dateShift) - 1),
        front: leaf === noLeaf ? null : (this.#fronts?.matchAt(leaf) ?? null),
      })
    }
  }
}
