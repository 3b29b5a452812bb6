import type { FoundLine, LineHead } from '../../core/plugin.ts'
import type { TableMemory } from './table-memory.ts'

/** What a found line's captures fill, by filter and rule: those of the prefregex, then those of the failregex. */
export interface CapturedTags {
  /** By the place of each among the captures; ascending numbers of groups are in `order`. */
  readonly tags: readonly string[]
  readonly order: readonly number[]
}

/**
 * The line of a record of the kernel, whose texts are made when they are asked for. It is good until the next one is
 * opened. Words of a record: see `begun` in `assembly/index.ts`.
 */
export class FoundView implements FoundLine {
  filter = 0
  rule = 0
  start = 0
  end = 0
  timeMs: number | null = null
  readonly head: LineHead
  readonly #memory: TableMemory
  readonly #buffer: Buffer
  readonly #textAt: number
  readonly #tagsOf: (filter: number, rule: number) => readonly [CapturedTags | null, CapturedTags]
  readonly #words = new Uint32Array(4)
  readonly #programs: readonly string[]
  /** The record, in words. */
  #at = 0
  #line: string | null = null
  #text: string | null = null
  #groups: Record<string, string> | null = null

  constructor(
    memory: TableMemory,
    textAt: number,
    programs: readonly string[],
    tagsOf: (filter: number, rule: number) => readonly [CapturedTags | null, CapturedTags],
  ) {
    this.#memory = memory
    this.#buffer = Buffer.from(memory.memory.buffer)
    this.#textAt = textAt
    this.#programs = programs
    this.#tagsOf = tagsOf
    this.head = new HeadView(this)
  }

  /** Opens the record at this address; `base` is the offset in the kernel's text that is the begin of the block. */
  open(record: number, base: number): void {
    const { u32, f64 } = this.#memory
    this.#at = record >> 2
    this.filter = this.#word(2)
    this.rule = this.#word(3)
    this.start = this.#word(4) - base
    this.end = this.#word(5) - base
    this.timeMs = f64[(record >> 3) + 8] ?? null
    this.#line = null
    this.#text = null
    this.#groups = null
    if (u32[this.#at + 18] === 1)
      for (let word = 0; word < 4; word++) this.#words[word] = u32[this.#at + 19 + word] ?? 0
  }

  get address(): string {
    return this.#captured(this.#word(15)) ?? ''
  }

  /** The address as four words; undefined where its text is none. */
  get words(): Uint32Array | undefined {
    return this.#word(18) === 1 ? this.#words : undefined
  }

  get groups(): Readonly<Record<string, string>> {
    return (this.#groups ??= this.#captures())
  }

  tag(name: string): string | undefined {
    const [before, own] = this.#tagsOf(this.filter, this.rule)
    const text = this.#tagOf(name, own, this.#word(14))
    return text || before === null ? text : (this.#tagOf(name, before, 0) ?? text)
  }

  /** The line without what ends it. */
  get line(): string {
    return (this.#line ??= this.#buffer.toString('latin1', this.#textAt + this.#word(4), this.#textAt + this.#word(6)))
  }

  /** The line without its date. */
  get undated(): string {
    const [start, from, to] = [this.#word(4), this.#word(8), this.#word(9)]
    return from === start ? this.line.slice(to - start) : this.line.slice(0, from - start) + this.line.slice(to - start)
  }

  get hasHeader(): boolean {
    return this.#word(13) !== none
  }

  get program(): string {
    return this.#programs[this.#word(10)] ?? ''
  }

  get pid(): string {
    return this.#textAtPlace(this.#word(11), this.#word(12))
  }

  get message(): string {
    return this.line.slice(this.#word(13) - this.#word(4))
  }

  /** As `matchers/regexp` joins what the prefregex captured with what the failregex did. */
  #captures(): Record<string, string> {
    const [before, own] = this.#tagsOf(this.filter, this.rule)
    const groups = this.#fill(own, this.#word(14))
    if (before === null) return groups
    const all = this.#fill(before, 0)
    for (const name in groups) all[name] = groups[name] || (all[name] ?? '')
    return all
  }

  #fill({ tags, order }: CapturedTags, from: number): Record<string, string> {
    const groups: Record<string, string> = {}
    for (let index = 0; index < order.length; index++) {
      const place = order[index] ?? 0
      const text = this.#captured(from + place)
      if (text !== undefined) groups[tags[place] ?? ''] ||= text
    }
    return groups
  }

  #captured(group: number): string | undefined {
    const from = this.#word(24 + 2 * group)
    if (from === none) return undefined
    const to = this.#word(25 + 2 * group)
    if (this.#word(7) !== 0) return (this.#text ??= this.undated).slice(from, to)
    const behind = this.#word(13)
    return this.#textAtPlace(behind + from, behind + to)
  }

  #tagOf(name: string, { tags, order }: CapturedTags, from: number): string | undefined {
    let text: string | undefined
    for (let index = 0; index < order.length; index++) {
      const place = order[index] ?? 0
      const captured = tags[place] === name ? this.#captured(from + place) : undefined
      // Another group of this name that captured nothing takes nothing from one that captured no characters.
      if (captured !== undefined) text ||= captured
    }
    return text
  }

  /** A piece of the kernel's text, which is ASCII. */
  #textAtPlace(from: number, to: number): string {
    const text = this.#textAt
    return from < to ? this.#buffer.toString('latin1', text + from, text + to) : ''
  }

  #word(index: number): number {
    return this.#memory.u32[this.#at + index] ?? 0
  }
}

/** Stands for a group that captured nothing, and for a header that is not there. */
const none = 0xffff_ffff

class HeadView implements LineHead {
  readonly ascii = true
  readonly #found: FoundView
  readonly #header: NonNullable<LineHead['syslog']>

  constructor(found: FoundView) {
    this.#found = found
    this.#header = new HeaderView(found)
  }

  get line(): string {
    return this.#found.line
  }

  get time(): number | null {
    return this.#found.timeMs
  }

  get undated(): string {
    return this.#found.undated
  }

  get syslog(): LineHead['syslog'] {
    return this.#found.hasHeader ? this.#header : null
  }
}

class HeaderView {
  /** Who stands for many is unusual. */
  readonly attempts = 1
  readonly #found: FoundView

  constructor(found: FoundView) {
    this.#found = found
  }

  get program(): string {
    return this.#found.program
  }

  get pid(): string {
    return this.#found.pid
  }

  get message(): string {
    return this.#found.message
  }
}
