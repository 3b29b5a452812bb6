import { formatIPv4, formatPrefix, ipv4Value, prefixParts, type Prefix, type PrefixParts } from '../address.ts'
import type { Ban, Ports } from '../events.ts'

/** Bans whose lines are kept; those of older ones are in the history only. */
const maxWithLines = 2000

/**
 * Bans as columns of numbers, about 70 bytes each: a million objects would cost a quarter of a gigabyte
 * and every full collection a look at each. A row stays where it is until it is cleared. Jails and ports,
 * of which there are few, are kept once each; lines only of the newest bans.
 */
export class BanColumns {
  /** When the ban of a row ends; Infinity: never. */
  until = new Float64Array(0)
  /** For whoever chains rows, and whoever orders them: one number each. */
  next = new Int32Array(0)
  place = new Uint32Array(0)
  /** For whoever wants to know of a chain whether it is what it was. */
  stamp = new Uint32Array(0)
  /** Two words that stand for the prefix. */
  low = new Uint32Array(0)
  high = new Uint32Array(0)
  #capacity = 0
  #words = new Uint32Array(0)
  /** Leading bits that count, IPv4 as 96 more; 0xff where the row is free. */
  #lengths = new Uint8Array(0)
  #jails = new Uint16Array(0)
  #ports = new Uint16Array(0)
  #since = new Float64Array(0)
  #counts = new Uint32Array(0)
  #failures = new Uint32Array(0)
  #used = 0
  readonly #free: number[] = []
  readonly #jailNames = new Names<string>((name) => name)
  readonly #portLists = new Names<Ports>(({ protocol, ports }) => `${protocol} ${ports.join()}`)
  readonly #lines = new Map<number, Pick<Ban, 'lines' | 'rules'>>()

  /** All rows there are, free ones too, are below this. */
  get end(): number {
    return this.#used
  }

  isFree(row: number): boolean {
    return this.#lengths[row] === free
  }

  /** A row for one more ban, to be written at once. */
  take(): number {
    const row = this.#free.pop() ?? this.#used
    if (row === this.#used) {
      if (row === this.#capacity) this.#grow(Math.max(256, this.#capacity * 2))
      this.#used++
    }
    return row
  }

  write(row: number, ban: Ban): void {
    this.#writePrefix(row, ban.prefix)
    this.#jails[row] = this.#jailNames.number(ban.jail)
    this.#ports[row] = this.#portLists.number(ban.ports)
    this.#since[row] = ban.since
    this.until[row] = ban.until ?? Infinity
    this.#counts[row] = ban.count
    this.#failures[row] = ban.failures
    this.#keepLines(row, ban)
  }

  /** The ban of a row that is not free. */
  read(row: number): Ban {
    const until = this.until[row] ?? Infinity
    return {
      prefix: this.#prefix(row),
      jail: this.jail(row),
      ports: this.#portLists.value(this.#ports[row] ?? 0),
      since: this.#since[row] ?? 0,
      until: until === Infinity ? null : until,
      count: this.#counts[row] ?? 0,
      failures: this.#failures[row] ?? 0,
      ...(this.#lines.get(row) ?? noLines),
    }
  }

  jail(row: number): string {
    return this.#jailNames.value(this.#jails[row] ?? 0)
  }

  clear(row: number): void {
    this.#lengths[row] = free
    this.#lines.delete(row)
    this.#free.push(row)
  }

  /** Whether the whole prefix of the row lies in the given one. */
  isInside(row: number, { bytes, length, family }: PrefixParts): boolean {
    const own = this.#lengths[row] ?? 0
    const isV4 = this.#isV4(row)
    if (own === free || isV4 !== (family === 4) || own - (isV4 ? 96 : 0) < length) return false
    const first = isV4 ? 12 : 0
    for (let bit = 0; bit < length; bit += 8) {
      const at = first + bit / 8
      const byte = ((this.#words[row * 4 + (at >> 2)] ?? 0) >>> (24 - 8 * (at & 3))) & 255
      const mask = length - bit >= 8 ? 255 : (0xff00 >> (length - bit)) & 255
      if (((byte ^ (bytes[bit / 8] ?? 0)) & mask) !== 0) return false
    }
    return true
  }

  #writePrefix(row: number, prefix: Prefix): void {
    const address = ipv4Value(prefix)
    if (address >= 0) return this.#writeIPv4(row, address, 32)
    const { bytes, length } = prefixParts(prefix)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (bytes.length === 4) return this.#writeIPv4(row, view.getUint32(0), length)
    for (let word = 0; word < 4; word++) this.#words[row * 4 + word] = view.getUint32(word * 4)
    this.#lengths[row] = length
  }

  #writeIPv4(row: number, bits: number, length: number): void {
    this.#words[row * 4] = this.#words[row * 4 + 1] = 0
    this.#words[row * 4 + 2] = 0xffff
    this.#words[row * 4 + 3] = bits
    this.#lengths[row] = length + 96
  }

  #prefix(row: number): Prefix {
    // Nearly all are single IPv4 addresses, and a million are gone through at a start.
    if (this.#lengths[row] === 128 && this.#isV4(row)) return formatIPv4(this.#words[row * 4 + 3] ?? 0)
    const view = new DataView(new ArrayBuffer(16))
    for (let word = 0; word < 4; word++) view.setUint32(word * 4, this.#words[row * 4 + word] ?? 0)
    const isV4 = this.#isV4(row)
    const prefix = formatPrefix(new Uint8Array(view.buffer, isV4 ? 12 : 0), (this.#lengths[row] ?? 0) - (isV4 ? 96 : 0))
    if (prefix === null) throw new Error(`row ${row} has no prefix`)
    return prefix
  }

  #isV4(row: number): boolean {
    const at = row * 4
    return (
      this.#words[at] === 0 &&
      this.#words[at + 1] === 0 &&
      this.#words[at + 2] === 0xffff &&
      (this.#lengths[row] ?? 0) >= 96
    )
  }

  #keepLines(row: number, { lines, rules }: Ban): void {
    this.#lines.delete(row)
    if (lines.length === 0) return
    this.#lines.set(row, rules === undefined ? { lines } : { lines, rules })
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= maxWithLines) break
      this.#lines.delete(oldest)
    }
  }

  #grow(capacity: number): void {
    this.#capacity = capacity
    this.until = moved(this.until, new Float64Array(capacity))
    this.next = moved(this.next, new Int32Array(capacity))
    this.place = moved(this.place, new Uint32Array(capacity))
    this.stamp = moved(this.stamp, new Uint32Array(capacity))
    this.low = moved(this.low, new Uint32Array(capacity))
    this.high = moved(this.high, new Uint32Array(capacity))
    this.#words = moved(this.#words, new Uint32Array(capacity * 4))
    this.#lengths = moved(this.#lengths, new Uint8Array(capacity))
    this.#jails = moved(this.#jails, new Uint16Array(capacity))
    this.#ports = moved(this.#ports, new Uint16Array(capacity))
    this.#since = moved(this.#since, new Float64Array(capacity))
    this.#counts = moved(this.#counts, new Uint32Array(capacity))
    this.#failures = moved(this.#failures, new Uint32Array(capacity))
  }
}

const free = 0xff
const noLines: Pick<Ban, 'lines'> = { lines: [] }

/** Numbers for values of which there are few. */
class Names<Value> {
  readonly #key: (value: Value) => string
  readonly #numbers = new Map<string, number>()
  readonly #values: Value[] = []
  #last: Value | null = null
  #lastNumber = 0

  constructor(key: (value: Value) => string) {
    this.#key = key
  }

  number(value: Value): number {
    if (value === this.#last) return this.#lastNumber
    this.#last = value
    return (this.#lastNumber = this.#number(value))
  }

  #number(value: Value): number {
    const key = this.#key(value)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#values.length)
    return this.#values.push(value) - 1
  }

  value(number: number): Value {
    const value = this.#values[number]
    if (value === undefined) throw new Error(`there is no value ${number}`)
    return value
  }
}

interface Column {
  set(values: never): void
}

function moved<T extends Column>(old: T, larger: T): T {
  larger.set(old as never)
  return larger
}
