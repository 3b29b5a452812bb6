/** Writing netlink messages, many of them behind one another, into buffers that one system call sends. */
import { endianness } from 'node:os'
import { attribute } from './kernel-numbers.ts'

const little = endianness() === 'LE'
const headerBytes = 16
const familyBytes = 4
const nested = 0x8000
/** The length of an attribute has 16 bits. */
const longestAttribute = 65_535
/** A message is in one piece as a whole; so large is what a piece can always take. */
export const longestMessage = 68 * 1024
const pieceBytes = 256 * 1024
/** One system call takes 1024 pieces (IOV_MAX). */
const maxPieces = 1024

/** What a message begins with. */
export interface OutHeader {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly family: number
  /** The number behind the family, which only batches use. */
  readonly resource?: number
}

/**
 * Writes messages; values are in network order, headers in that of the machine. Nests and messages end
 * in the reverse order of their beginnings. Throws `RangeError` where an attribute, a message or the
 * whole becomes too long.
 */
export class MessageWriter {
  readonly #pieces: Buffer[] = []
  /** How much of each piece is used; of the last one `#at`. */
  readonly #used: number[] = []
  #piece: Buffer = Buffer.alloc(0)
  #view = new DataView(this.#piece.buffer, 0, 0)
  #at = 0
  #messageAt = 0

  constructor() {
    this.#newPiece()
  }

  begin({ type, flags, sequence, family, resource = 0 }: OutHeader): void {
    if (this.#piece.length - this.#at < longestMessage) this.#newPiece()
    this.#messageAt = this.#at
    this.#view.setUint16(this.#at + 4, type, little)
    this.#view.setUint16(this.#at + 6, flags, little)
    this.#view.setUint32(this.#at + 8, sequence, little)
    this.#view.setUint32(this.#at + 12, 0, little)
    this.#view.setUint32(this.#at + headerBytes, family * 2 ** 24 + resource)
    this.#at += headerBytes + familyBytes
  }

  end(): void {
    this.#view.setUint32(this.#messageAt, this.#at - this.#messageAt, little)
  }

  /** Sets flags of the message that was ended last. */
  alsoFlag(flags: number): void {
    const before = this.#view.getUint16(this.#messageAt + 6, little)
    this.#view.setUint16(this.#messageAt + 6, before | flags, little)
  }

  number(type: number, value: number): void {
    this.#head(type, 4)
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  /** Exact up to 2^53. */
  largeNumber(type: number, value: number): void {
    this.#head(type, 8)
    this.#view.setUint32(this.#at, value / 2 ** 32)
    this.#view.setUint32(this.#at + 4, value)
    this.#at += 8
  }

  /** Latin-1, with the zero that ends it. */
  text(type: number, value: string): void {
    this.bytes(type, Buffer.from(`${value}\0`, 'latin1'))
  }

  bytes(type: number, value: Uint8Array): void {
    this.#head(type, value.length)
    this.#piece.set(value, this.#at)
    this.#piece.fill(0, this.#at + value.length, this.#at + align(value.length))
    this.#at += align(value.length)
  }

  /** A nest of what `write` writes. */
  nest(type: number, write: () => void): void {
    const start = this.#at
    this.#head(type | nested, 0)
    write()
    if (this.#at - start > longestAttribute) throw new RangeError('too much for one netlink attribute')
    this.#view.setUint16(start, this.#at - start, little)
  }

  /**
   * An address with its time in milliseconds (null: for ever) as an item of a list of elements: the
   * bytes that `nest`, `largeNumber` and `bytes` would make, written at once because there are many.
   * `anew`: the time begins now also where the element is there with the same one, which the kernel would leave alone.
   */
  address(digits: string, timeoutMs: number | null, anew = false): void {
    const addressBytes = digits.length / 2
    const { timeout, expiration } = attribute.element
    const times = timeoutMs === null ? [] : anew ? [timeout, expiration] : [timeout]
    const length = 12 + addressBytes + times.length * 12
    const view = this.#view
    let at = this.#at
    this.#room(length)
    at = this.#header(at, length, 1 | nested)
    for (const time of times) {
      at = this.#header(at, 12, time)
      view.setUint32(at, (timeoutMs ?? 0) / 2 ** 32)
      view.setUint32(at + 4, timeoutMs ?? 0)
      at += 8
    }
    at = this.#header(at, addressBytes + 8, 1 | nested)
    at = this.#header(at, addressBytes + 4, 1)
    for (let digit = 0; digit < digits.length; digit += 8, at += 4) {
      view.setUint32(at, Number.parseInt(digits.slice(digit, digit + 8), 16))
    }
    this.#at = at
  }

  /** Everything that was written, for one system call. */
  pieces(): readonly Buffer[] {
    return this.#pieces.map((piece, place) => piece.subarray(0, this.#used[place] ?? this.#at))
  }

  /** Forgets what was written. */
  clear(): void {
    this.#pieces.length = 1
    this.#used.length = 0
    this.#at = this.#messageAt = 0
    const [piece] = this.#pieces
    if (piece !== undefined && piece !== this.#piece) this.#use(piece)
  }

  #newPiece(): void {
    if (this.#pieces.length === maxPieces) throw new RangeError('too much for one netlink transaction')
    if (this.#pieces.length > 0) this.#used.push(this.#at)
    // All of it is overwritten before it is sent.
    const piece = Buffer.allocUnsafeSlow(pieceBytes)
    this.#pieces.push(piece)
    this.#use(piece)
    this.#at = this.#messageAt = 0
  }

  #use(piece: Buffer): void {
    this.#piece = piece
    this.#view = new DataView(piece.buffer, piece.byteOffset, piece.length)
  }

  #head(type: number, length: number): void {
    if (length + 4 > longestAttribute) throw new RangeError('too much for one netlink attribute')
    this.#room(length + 8)
    this.#at = this.#header(this.#at, length + 4, type)
  }

  #header(at: number, length: number, type: number): number {
    this.#view.setUint16(at, length, little)
    this.#view.setUint16(at + 2, type, little)
    return at + 4
  }

  #room(bytes: number): void {
    if (this.#at + bytes > this.#messageAt + longestMessage) throw new RangeError('too much for one netlink message')
  }
}

const align = (length: number) => (length + 3) & ~3
