import { ipv4Value, parseAddress, parseEndpoint, type Address } from '../address.ts'
import { writeIPv4Key, writeKey } from '../address-words.ts'
import type { FailureRows, RowTarget } from '../events.ts'
import {
  excerptBytes,
  noRows,
  rowAttempts,
  rowFirstText,
  rowLastText,
  rowLines,
  rowOffset,
  rowOnce,
  rowRule,
  rowSession,
  rowTarget,
  rowTime,
  rowWords,
  textWords,
} from '../failure-rows.ts'
import type { FoundLine } from '../plugin.ts'
import { clientBehind } from './forwarded.ts'
import {
  captured,
  hopsOf,
  readSession,
  sessionKinds,
  type FoundSink,
  type MatchPlace,
  type SessionKind,
} from './match-records.ts'
import type { JailFilter } from './messages.ts'
import { RowJails, type JailsAlike } from './row-jails.ts'
import { SessionHash } from './session-hash.ts'

/** A row stands for no more lines than this. */
const maxLines = 64
/** Slots in which the last row of an address is looked for; another address may take its place, which only makes one row more. */
const lastSlots = 4096
/** Up to so many times the bytes of the lines are handed over, where the lines lie close together. */
const denseFactor = 2

/**
 * Makes the rows of a chunk. One a thread; its memory is used again, and what it answers is a copy, all of it in one
 * piece of memory: in that of `lent`, where it fits.
 *
 * Lines that say the same (time, failregex) of one address and name no session become one row, unless another row of
 * that address, or of its IPv6 network, came between them: so the failures of each address, and of each network, stay in
 * their order, and each line keeps its text.
 */
export class RowMaker implements FoundSink<FailureRows> {
  /** Where the rows of the next chunks are to be. */
  lent: SharedArrayBuffer | undefined
  readonly #jails: RowJails
  readonly #sessions: SessionHash
  #words = new Uint32Array(64 * rowWords)
  #doubles = new Float64Array(this.#words.buffer)
  #spans = new Uint32Array(64 * textWords)
  /** The offset of the line of each text. */
  #offsets = new Float64Array(64)
  /** The chunk, in which the texts stand until they are taken, and how many bytes they are. */
  #bytes: Uint8Array = new Uint8Array(0)
  #textBytes = 0
  #rows = 0
  #lines = 0
  #isInOrder = true
  readonly #targets: RowTarget[] = []
  /** By their jails. */
  readonly #targetOf = new Map<readonly string[], number>()
  /** Row + 1 that an address or network had last. */
  readonly #last = new Int32Array(lastSlots)
  readonly #address = new Uint32Array(4)
  readonly #readSession = (name: string, kind: SessionKind) => this.#sessions.read(name, sessionKinds[kind])

  constructor(jails: readonly JailFilter[], sessionSeed: number) {
    this.#jails = new RowJails(jails)
    this.#sessions = new SessionHash(sessionSeed)
  }

  start(): void {
    this.#rows = 0
    this.#lines = 0
    this.#textBytes = 0
    this.#isInOrder = true
    this.#targets.length = 0
    this.#targetOf.clear()
    this.#last.fill(0)
  }

  add(found: FoundLine, filter: string, jails: readonly string[], place: MatchPlace): void {
    const hops = this.#jails.trust ? hopsOf(found) : undefined
    if (hops === undefined && !this.#writeAddress(found)) return
    for (const alike of this.#jails.alike(jails))
      if (hops === undefined || this.#writeBehind(hops, found, alike))
        this.#add(found, this.#target(filter, alike), place)
  }

  forget(jails: readonly string[], offset: number): void {
    this.#last.fill(0)
    const kept: number[] = []
    for (let row = 0; row < this.#rows; row++) {
      const target = this.#targets[this.#words[row * rowWords + rowTarget] ?? 0]
      if (target === undefined) continue
      const isBefore = this.#offsetOf(row) < offset
      if (isBefore && target.jails.every((jail) => jails.includes(jail))) this.#dropLines(row, offset)
      const left = isBefore ? target.jails : target.jails.filter((jail) => !jails.includes(jail))
      if (left.length === 0) continue
      if (left.length < target.jails.length)
        this.#words[row * rowWords + rowTarget] = this.#target(target.filter, { ...target, jails: left })
      kept.push(row)
    }
    this.#keep(kept)
  }

  take(order: ReadonlyMap<string, number>): FailureRows {
    if (this.#rows === 0) return noRows
    if (!this.#isInOrder) this.#sort(order)
    const own = this.#spans.subarray(0, this.#lines * textWords)
    const { start, end } = bounds(own)
    const isDense = end - start <= denseFactor * this.#textBytes
    const textBytes = isDense ? end - start : this.#textBytes
    const [wordsLength, spansLength] = [this.#rows * rowWords, own.length]
    const memory = this.#memory((wordsLength + spansLength) * 4 + textBytes)
    const words = new Uint32Array(memory, 0, wordsLength)
    const spans = new Uint32Array(memory, wordsLength * 4, spansLength)
    const texts = new Uint8Array(memory, (wordsLength + spansLength) * 4, textBytes)
    words.set(this.#words.subarray(0, wordsLength))
    spans.set(own)
    if (isDense) texts.set(this.#bytes.subarray(start, end))
    this.#placeTexts(spans, texts, isDense ? start : null)
    return { targets: [...this.#targets], words, spans, texts }
  }

  #memory(bytes: number): SharedArrayBuffer | ArrayBuffer {
    return this.lent !== undefined && bytes <= this.lent.byteLength ? this.lent : new ArrayBuffer(bytes)
  }

  /**
   * Moves spans to where their lines are in `texts`. `start`: all from there on has been copied, with what lies between the
   * lines, where that is not much more: that is quicker than to copy line by line. Null: each is copied.
   */
  #placeTexts(spans: Uint32Array, texts: Uint8Array, start: number | null): void {
    let filled = 0
    for (let at = 0; at < spans.length; at += textWords) {
      const [from, to] = [spans[at] ?? 0, spans[at + 1] ?? 0]
      const moved = start === null ? filled : from - start
      if (start === null) texts.set(this.#bytes.subarray(from, to), filled)
      filled += to - from
      spans[at] = moved
      spans[at + 1] = moved + to - from
    }
  }

  /** Whom a line means that names proxies depends on whom the jails trust. False: nobody. */
  #writeBehind(hops: readonly string[], found: FoundLine, { proxies }: JailsAlike): boolean {
    const address = proxies === null ? directOf(found) : clientBehind(hops, proxies)
    if (address !== null) writeKey(address, this.#address)
    return address !== null
  }

  /** False where what was found is no address. */
  #writeAddress(found: FoundLine): boolean {
    const { words } = found
    if (words !== undefined) {
      for (let word = 0; word < 4; word++) this.#address[word] = words[word] ?? 0
      return true
    }
    const value = ipv4Value(found.address as Address)
    const address = value < 0 ? directOf(found) : null
    if (value >= 0) writeIPv4Key(value, this.#address)
    else if (address !== null) writeKey(address, this.#address)
    return value >= 0 || address !== null
  }

  /** Adds a failure of the address that was written last. */
  #add(found: FoundLine, target: number, { time, offset, single, bytes, start, end }: MatchPlace): void {
    const { rule, head } = found
    const attempts = single ? 1 : (head.syslog?.attempts ?? 1)
    const hasSession = readSession(found, this.#readSession)
    if (!hasSession) this.#sessions.high = this.#sessions.low = 0
    const text = this.#keepText(bytes, start, end, offset)
    const slot = this.#slot()
    const last = (this.#last[slot] ?? 0) - 1
    if (!hasSession && last >= 0 && this.#isSame(last, target, rule, time, attempts)) return this.#addLine(last, text)
    if (this.#rows > 0 && offset <= this.#offsetOf(this.#rows - 1)) this.#isInOrder = false
    this.#makeRoom()
    const row = this.#rows++
    const at = row * rowWords
    this.#words.set(this.#address, at)
    this.#doubles[at / 2 + rowTime] = time ?? Number.NaN
    this.#doubles[at / 2 + rowOffset] = offset
    this.#words[at + rowTarget] = target
    this.#words[at + rowRule] = rule
    this.#words[at + rowAttempts] = attempts
    this.#words[at + rowLines] = 1
    this.#words[at + rowSession] = this.#sessions.high | (captured(found, 'once') === undefined ? 0 : rowOnce)
    this.#words[at + rowSession + 1] = this.#sessions.low
    this.#words[at + rowFirstText] = this.#words[at + rowLastText] = text
    this.#last[slot] = row + 1
  }

  /** Whether the row says the same of the address that was written last, without a session. */
  #isSame(row: number, target: number, rule: number, time: number | null, attempts: number): boolean {
    const at = row * rowWords
    const words = this.#words
    for (let word = 0; word < 4; word++) if (words[at + word] !== this.#address[word]) return false
    return (
      words[at + rowTarget] === target &&
      words[at + rowRule] === rule &&
      this.#doubles[at / 2 + rowTime] === time &&
      words[at + rowAttempts] === attempts &&
      ((words[at + rowSession] ?? 0) & ~rowOnce) === 0 &&
      words[at + rowSession + 1] === 0 &&
      (words[at + rowLines] ?? 0) < maxLines
    )
  }

  #addLine(row: number, text: number): void {
    const at = row * rowWords
    const words = this.#words
    words[at + rowLines] = (words[at + rowLines] ?? 0) + 1
    this.#spans[((words[at + rowLastText] ?? 0) - 1) * textWords + 2] = text
    words[at + rowLastText] = text
  }

  /** Takes the lines from the offset on out of a row that begins before it. */
  #dropLines(row: number, offset: number): void {
    const at = row * rowWords
    let text = this.#words[at + rowFirstText] ?? 0
    for (let lines = 1; lines < (this.#words[at + rowLines] ?? 0); lines++) {
      const next = this.#spans[(text - 1) * textWords + 2] ?? 0
      if ((this.#offsets[next - 1] ?? 0) >= offset) {
        this.#spans[(text - 1) * textWords + 2] = 0
        this.#words[at + rowLastText] = text
        this.#words[at + rowLines] = lines
        return
      }
      text = next
    }
  }

  /** Keeps the line, without what ends it, and answers the number of its text, + 1. */
  #keepText(bytes: Uint8Array, start: number, end: number, offset: number): number {
    const stop = start + excerptBytes(bytes, start, end > start && bytes[end - 1] === carriageReturn ? end - 1 : end)
    if (this.#spans.length < (this.#lines + 1) * textWords) {
      // In this order: where it is stopped between the two, both are long enough the next time.
      this.#offsets = grown(this.#offsets, new Float64Array(this.#offsets.length * 2))
      this.#spans = grown(this.#spans, new Uint32Array(this.#spans.length * 2))
    }
    const at = this.#lines * textWords
    this.#bytes = bytes
    this.#offsets[this.#lines] = offset
    this.#spans[at] = start
    this.#spans[at + 1] = stop
    this.#spans[at + 2] = 0
    this.#textBytes += stop - start
    return ++this.#lines
  }

  /** Where the last row of the address is noted, that of the network of an IPv6 address: of them the order counts together. */
  #slot(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#address
    const isIPv4 = a === 0 && b === 0 && c === 0xffff
    const mixed = Math.imul(isIPv4 ? d : a ^ Math.imul(b, 0x85ebca6b), 0x9e3779b1)
    return (mixed ^ (mixed >>> 15)) & (lastSlots - 1)
  }

  #target(filter: string, { jails, sessions }: Pick<JailsAlike, 'jails' | 'sessions'>): number {
    const known = this.#targetOf.get(jails)
    if (known !== undefined) return known
    this.#targetOf.set(jails, this.#targets.length)
    return this.#targets.push({ filter, jails, sessions }) - 1
  }

  #makeRoom(): void {
    if (this.#words.length >= (this.#rows + 1) * rowWords) return
    this.#words = grown(this.#words, new Uint32Array(this.#words.length * 2))
    this.#doubles = new Float64Array(this.#words.buffer)
  }

  #offsetOf(row: number): number {
    return this.#doubles[(row * rowWords) / 2 + rowOffset] ?? 0
  }

  #sort(order: ReadonlyMap<string, number>): void {
    const place = (row: number) => {
      const target = this.#targets[this.#words[row * rowWords + rowTarget] ?? 0]
      return order.get(target?.jails[0] ?? '') ?? 0
    }
    const rows = Array.from({ length: this.#rows }, (_, row) => row)
    this.#keep(rows.sort((a, b) => this.#offsetOf(a) - this.#offsetOf(b) || place(a) - place(b)))
  }

  /** Keeps these rows, in this order. */
  #keep(rows: readonly number[]): void {
    const words = new Uint32Array(this.#words.length)
    for (const [index, row] of rows.entries())
      words.set(this.#words.subarray(row * rowWords, (row + 1) * rowWords), index * rowWords)
    this.#words = words
    this.#doubles = new Float64Array(words.buffer)
    this.#rows = rows.length
  }
}

/** Where the first of the spans begins and the last ends. */
function bounds(spans: Uint32Array): { readonly start: number; readonly end: number } {
  let [start, end] = [Infinity, 0]
  for (let at = 0; at < spans.length; at += textWords) {
    start = Math.min(start, spans[at] ?? 0)
    end = Math.max(end, spans[at + 1] ?? 0)
  }
  return { start, end }
}

function directOf({ address }: FoundLine): Address | null {
  return parseAddress(address) ?? parseEndpoint(address)
}

function grown<T extends Uint32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}

const carriageReturn = 0x0d
