import { BailiffError } from '../../../core/plugin.ts'

/** Longer messages are passed over. */
export const maxMessageBytes = 64 * 1024

const [zero, nine, blank, newline] = [0x30, 0x39, 0x20, 0x0a]
/** No message is said to be longer than what ten digits count. */
const maxDigits = 10

/**
 * Cuts a stream into messages, as RFC 6587 frames them: by a count of bytes before each, or by a newline behind each.
 * The first byte of a connection tells which, for all of it, so that no text of a message is ever taken for a
 * count. Holds one unfinished message of at most 64 KiB; longer ones are passed over and counted.
 */
export class Frames {
  tooLong = 0
  #rest: Buffer = Buffer.alloc(0)
  #counted: boolean | null = null
  /** Bytes of a message that is too long and still to come. */
  #skip = 0
  #insideLong = false

  /** Whether a message has begun and is not finished. */
  get unfinished(): boolean {
    return this.#rest.length > 0 || this.#skip > 0 || this.#insideLong
  }

  /** The whole messages that end in these bytes. Throws a `BailiffError` where the stream keeps to no framing. */
  push(bytes: Buffer): Buffer[] {
    const found: Buffer[] = []
    let data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    for (let length = this.#take(data, found); length > 0; length = this.#take(data, found))
      data = data.subarray(length)
    // A copy: what is kept for long must not keep all that came with it.
    this.#rest = Buffer.from(data)
    return found
  }

  /** What a stream that has ended leaves: a last line without its newline. */
  end(): Buffer[] {
    const last = this.#rest
    this.#rest = Buffer.alloc(0)
    return this.#counted === false && last.length > 0 && !this.#insideLong ? [last] : []
  }

  /** Takes one message from the begin of the data; the number of bytes that are done with, 0 where more must come. */
  #take(data: Buffer, found: Buffer[]): number {
    if (data.length === 0) return 0
    if (this.#skip > 0) {
      const length = Math.min(this.#skip, data.length)
      this.#skip -= length
      return length
    }
    this.#counted ??= isCount(data[0] ?? 0)
    return this.#counted ? this.#takeCounted(data, found) : this.#takeLine(data, found)
  }

  #takeCounted(data: Buffer, found: Buffer[]): number {
    // Some end each message with a newline as well, outside of the count.
    if (data[0] === newline) return 1
    const end = data.subarray(0, maxDigits + 1).indexOf(blank)
    const digits = data.subarray(0, end < 0 ? maxDigits + 1 : end)
    if (digits.length > maxDigits || !isCount(digits[0] ?? 0) || !digits.every(isDigit))
      throw new BailiffError('data', 'no length stands where a message must begin with its length (RFC 6587)')
    if (end < 0) return 0
    const length = Number(digits.toString('latin1'))
    if (length > maxMessageBytes) {
      this.tooLong++
      this.#skip = length
      return end + 1
    }
    if (data.length < end + 1 + length) return 0
    found.push(data.subarray(end + 1, end + 1 + length))
    return end + 1 + length
  }

  #takeLine(data: Buffer, found: Buffer[]): number {
    const end = data.indexOf(newline)
    if (this.#insideLong) {
      if (end >= 0) this.#insideLong = false
      return end < 0 ? data.length : end + 1
    }
    if (end < 0 && data.length <= maxMessageBytes) return 0
    if (end < 0 || end > maxMessageBytes) {
      this.tooLong++
      this.#insideLong = end < 0
      return end < 0 ? data.length : end + 1
    }
    if (end > 0) found.push(data.subarray(0, end))
    return end + 1
  }
}

const isDigit = (byte: number) => byte >= zero && byte <= nine

/** A length never begins with a zero, and a message with its priority, `<`. */
const isCount = (byte: number) => byte > zero && byte <= nine
