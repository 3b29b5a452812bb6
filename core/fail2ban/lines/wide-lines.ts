/**
 * Lines in UTF-16, from a log that is cut at every byte 0x0a: half of them are newlines, others are halves of characters
 * (上 is 4e 0a). Where code units begin is known by the offset in the log, which is even.
 */
import { TextDecoder } from 'node:util'

/** `utf-16`: as the byte order mark says, and without one as the newlines do. */
export type WideEncoding = 'utf-16' | 'utf-16-le' | 'utf-16-be'

/** The encoding by one of Python's names for it; null: it is none of two bytes. */
export function wideEncoding(encoding: string): WideEncoding | null {
  const name = encoding.trim().toLowerCase().replaceAll('_', '-')
  const found = /^(?:utf-?16|u16)(?:-?(le|be))?$/.exec(name)
  if (found === null) return null
  return found[1] === undefined ? 'utf-16' : found[1] === 'le' ? 'utf-16-le' : 'utf-16-be'
}

/** A line of so many bytes is none. */
const longest = 65_536
const newline = Buffer.of(0x0a)

/** Puts the pieces of one log together, in order. */
export class WideLines {
  /** The bytes of the line so far, one character a byte; null: it begins with the next piece. Plain data. */
  rest: string | null = null
  readonly #encoding: WideEncoding

  constructor(encoding: WideEncoding) {
    this.#encoding = encoding
  }

  /**
   * Takes the bytes up to the next 0x0a and without it, their offset in the log, and the byte behind it where it is
   * there. The text of the line, without its line break; null: it goes on.
   */
  take(piece: Buffer, offset: number, next: number | undefined): string | null {
    const bytes =
      this.rest === null
        ? // The other half of the newline before.
          piece.subarray(offset & 1)
        : Buffer.concat([Buffer.from(this.rest, 'latin1'), newline, piece])
    const order = this.#orderAt(bytes, offset + piece.length, next)
    this.rest = order !== null || bytes.length > longest ? null : bytes.toString('latin1')
    if (order === null) return null
    return textOf(order === 'le' ? bytes : swapped(bytes.subarray(0, -1)), this.#encoding)
  }

  /** Of the newline whose 0x0a stands at that offset; null: it is half of another character. */
  #orderAt(bytes: Buffer, at: number, next: number | undefined): 'le' | 'be' | null {
    if (at % 2 === 0) return this.#encoding !== 'utf-16-be' && (next ?? 0) === 0 ? 'le' : null
    return this.#encoding !== 'utf-16-le' && bytes.at(-1) === 0 ? 'be' : null
  }
}

/** Decodes a log that begins with these bytes, piece by piece. */
export function wideDecoder(bytes: Buffer, encoding: WideEncoding): TextDecoder {
  const at = bytes.indexOf(0x0a)
  const isBig = bytes[0] === 0xfe || (bytes[0] !== 0xff && at % 2 === 1 && bytes[at - 1] === 0)
  const order = encoding === 'utf-16-be' || (encoding === 'utf-16' && isBig) ? 'be' : 'le'
  return new TextDecoder(`utf-16${order}`, { ignoreBOM: encoding !== 'utf-16' })
}

/** Halves of surrogate pairs that stand alone become U+FFFD. */
function textOf(bytes: Buffer, encoding: WideEncoding): string {
  const text = new TextDecoder('utf-16le', { ignoreBOM: true }).decode(bytes)
  return encoding === 'utf-16' && text.startsWith('\ufeff') ? text.slice(1) : text
}

/** Half a code unit at the end stays as it is. */
function swapped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.subarray(0, copy.length & ~1).swap16()
  return copy
}
