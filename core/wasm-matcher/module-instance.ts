/** One instance of a matcher in WebAssembly, of whose answers nothing is believed. */
import { printable } from '../errors.ts'
import type { MatcherModule } from '../plugin.ts'
import { answerBytes, field, latestTime, maxRules, pageBytes, recordBytes } from './abi.ts'
import { checkVersion, ModuleFault } from './module-fault.ts'

/** Records that were checked: each is of another line, in the order of the lines, with its spans inside the line. */
export interface Records {
  readonly count: number
  /** 16 words each: see `field`. */
  readonly words: Uint32Array
  /** The same memory, 8 numbers each: the first is the time. */
  readonly times: Float64Array
}

interface ModuleExports {
  /** The version, or what answers it. */
  readonly bailiff_abi: object | (() => unknown)
  readonly bailiff_buffer: (bytes: number) => unknown
  readonly bailiff_scan: (from: number, bytes: number) => unknown
  readonly bailiff_options?: (bytes: number) => unknown
}

/** After anything was thrown, or it was interrupted, nobody knows what is in its memory: make another one. */
export class ModuleInstance {
  readonly #memory: WebAssembly.Memory
  readonly #exports: ModuleExports
  readonly #maxBytes: number
  readonly #rules: number
  #words = new Uint32Array(wordsOfRecord * 64)
  #count = 0
  #lastEnd = -1

  /** Throws a ModuleFault where it cannot be started, or does not accept its options. It may also never come back. */
  constructor({ code, memory, options, rules }: MatcherModule) {
    this.#memory = new WebAssembly.Memory(memory)
    this.#maxBytes = memory.maximum * pageBytes
    this.#rules = rules.length === 0 ? maxRules : rules.length
    const started = this.#guarded(
      'while it started',
      () => new WebAssembly.Instance(code as WebAssembly.Module, { env: { memory: this.#memory } }),
    )
    this.#exports = started.exports as unknown as ModuleExports
    if (typeof this.#exports.bailiff_abi === 'function') checkVersion(this.#call('bailiff_abi'))
    if (options !== '') this.#give(options)
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength
  }

  /** What it finds in these whole lines. The records are good until the next call. Throws a ModuleFault. */
  scan(bytes: Uint8Array): Records {
    this.#count = 0
    this.#lastEnd = -1
    this.#write(bytes)
    for (let from = 0; from < bytes.length;) from = this.#scanOnce(bytes, from)
    return { count: this.#count, words: this.#words, times: new Float64Array(this.#words.buffer) }
  }

  /** Scans on from an offset, keeps what it answers, and gives the offset at which it goes on. */
  #scanOnce(bytes: Uint8Array, from: number): number {
    const at = this.#place(this.#call('bailiff_scan', from, bytes.length), answerBytes, 'its answer')
    const buffer = this.#memory.buffer
    const [count = 0, next = 0] = new Uint32Array(buffer, at, 2)
    if (count * recordBytes > buffer.byteLength - at - answerBytes)
      throw new ModuleFault(`it answered ${count} records, more than its memory holds`)
    const isLine = next === bytes.length || bytes[next - 1] === newline
    if (next <= from || next > bytes.length || !isLine)
      throw new ModuleFault(`it wants to go on at byte ${next} of ${bytes.length}, after it was at ${from}`)
    this.#keep(new Uint32Array(buffer, at + answerBytes, count * wordsOfRecord), bytes, from, next)
    return next
  }

  #keep(records: Uint32Array, bytes: Uint8Array, from: number, next: number): void {
    const start = this.#count * wordsOfRecord
    if (this.#words.length < start + records.length) {
      const larger = new Uint32Array(Math.max(this.#words.length * 2, start + records.length))
      larger.set(this.#words.subarray(0, start))
      this.#words = larger
    }
    this.#words.set(records, start)
    const times = new Float64Array(this.#words.buffer)
    for (let at = start; at < start + records.length; at += wordsOfRecord) this.#check(at, times, bytes, from, next)
    this.#count += records.length / wordsOfRecord
  }

  #check(at: number, times: Float64Array, bytes: Uint8Array, from: number, next: number): void {
    const words = this.#words
    const start = words[at + field.lineStart] ?? 0
    const end = words[at + field.lineEnd] ?? 0
    if (start < from || end >= next || start > end) throw outside('a line', start, end, 'the lines it was given')
    if ((start > 0 && bytes[start - 1] !== newline) || indexOf.call(bytes, newline, start) !== end)
      throw new ModuleFault(`it answered a line from byte ${start} to ${end}, which is none`)
    if (start <= this.#lastEnd) throw new ModuleFault(`it answered the line at byte ${start} twice, or out of order`)
    this.#lastEnd = end
    if ((words[at + field.rule] ?? 0) >= this.#rules)
      throw new ModuleFault(`it answered rule ${words[at + field.rule]}, and has ${this.#rules}`)
    const time = times[at / 2] ?? Number.NaN
    if (!Number.isNaN(time) && !(time >= 0 && time <= latestTime))
      throw new ModuleFault(`it answered the time ${time}, which is none in unix milliseconds`)
    for (const [what, first, last] of spans) {
      const [one, other] = [words[at + first] ?? 0, words[at + last] ?? 0]
      if (one === other && what !== 'the address') continue
      if (one === other)
        throw new ModuleFault(`it answered an address of no bytes, at byte ${one}: who has none is not told of`)
      if (one >= other || one < start || other > end) throw outside(what, one, other, 'its line')
    }
  }

  #give(options: string): void {
    const text = Buffer.from(options)
    if (this.#exports.bailiff_options === undefined) throw new ModuleFault('it has no options')
    this.#write(text)
    const answer = this.#call('bailiff_options', text.length)
    if (answer === 0) return
    const memory = new Uint8Array(this.#memory.buffer)
    const end = memory.indexOf(0, answer)
    const complaint = Buffer.from(memory.subarray(answer, Math.min(end < 0 ? memory.length : end, answer + 200)))
    throw new ModuleFault(`it does not accept its options: ${printable(complaint.toString('utf8'))}`)
  }

  #write(bytes: Uint8Array): void {
    const answer = this.#call('bailiff_buffer', bytes.length)
    if (answer === 0) throw new ModuleFault(`it has no room for ${bytes.length} bytes${this.#full()}`)
    if (answer + bytes.length > this.memoryBytes)
      throw new ModuleFault(`it wants ${bytes.length} bytes at ${answer}, outside its memory`)
    new Uint8Array(this.#memory.buffer).set(bytes, answer)
  }

  /** Where something of at least so many bytes lies, on a border of 8. */
  #place(at: number, bytes: number, what: string): number {
    if (at === 0 || at % 8 !== 0 || at + bytes > this.memoryBytes)
      throw new ModuleFault(`${what} lies at ${at}, which is no place in its memory on a border of 8`)
    return at
  }

  #call(name: keyof ModuleExports, ...given: [] | [number] | [number, number]): number {
    const answer = this.#guarded(`in ${name}`, () => {
      // All of them are functions, or the module was refused.
      const call = this.#exports[name] as (...all: number[]) => unknown
      return call(...given)
    })
    if (typeof answer !== 'number') throw new ModuleFault(`its ${name} answers no number`)
    return answer >>> 0
  }

  #guarded<Value>(when: string, work: () => Value): Value {
    try {
      return work()
    } catch (cause) {
      const why = cause instanceof Error ? printable(cause.message).slice(0, 200) : 'an exception'
      throw new ModuleFault(`it failed ${when}: ${why}${this.#full()}`, cause)
    }
  }

  #full(): string {
    if (this.memoryBytes < this.#maxBytes) return ''
    return ` (it has used up its ${Math.round(this.#maxBytes / 1024 / 1024)} MiB of memory)`
  }
}

const wordsOfRecord = recordBytes / 4
const newline = 0x0a
/** That of Buffer takes longer for what is near. */
const { indexOf } = Uint8Array.prototype

const spans = [
  ['the address', field.addressStart, field.addressEnd],
  ['the date', field.dateStart, field.dateEnd],
  ['the user', field.userStart, field.userEnd],
  ['the session', field.sessionStart, field.sessionEnd],
] as const

function outside(what: string, start: number, end: number, of: string): ModuleFault {
  return new ModuleFault(`it answered ${what} from byte ${start} to ${end}, outside ${of}`)
}
