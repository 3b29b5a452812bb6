/**
 * Finds where the parts of a JSON text end (RFC 8259), and that they are sound. A method gets the offset at which a
 * part begins and answers the one behind it, or -1 where it is none.
 *
 * Most of a line is the inside of strings. In a line without a backslash a string ends at the next quote, and V8
 * finds that four times faster than a loop over its bytes does. What such a search passes over unseen are
 * control characters, which no JSON string may hold: who relies on the answer looks for them as well.
 */
import { kinds, type Kind } from './field-values.ts'

/** The longest line there is (`maxLineBytes` of line-cutting.ts), in which each byte may open a level. */
const maxDepth = 65_536

/** The parts of one text. */
export class JsonLexer {
  bytes: Uint8Array = new Uint8Array(0)
  /** The same, one character a byte. */
  text = ''
  /** Where the line ends. */
  end = 0
  /** Whether there is a backslash in the line, so that strings are read byte by byte. */
  hasEscapes = false
  /** What kind of string was read last, where there are escapes. */
  kind: Kind = kinds.string
  readonly #stack = new Uint8Array(maxDepth)

  /** A value that nobody wants. */
  skip(start: number): number {
    const code = this.bytes[start]
    if (code === quotation) return this.string(start)
    if (code === openMap || code === openList) return this.#skipNested(start)
    return this.#scalar(start)
  }

  #skipNested(start: number): number {
    const bytes = this.bytes
    const stack = this.#stack
    let depth = 0
    let at = start
    for (;;) {
      // A value begins here.
      const code = bytes[at] ?? 0
      if (code === openMap || code === openList) {
        if (depth === maxDepth) return -1
        stack[depth++] = code
        at = this.blank(at + 1)
        if (bytes[at] !== code + 2) {
          if (code === openMap) at = this.#key(at)
          if (at < 0) return -1
          continue
        }
        at++
        depth--
      } else {
        at = code === quotation ? this.string(at) : this.#scalar(at)
        if (at < 0) return -1
      }
      // A value has ended here, and maybe what it stands in.
      for (;;) {
        if (depth === 0) return at
        at = this.blank(at)
        const around = stack[depth - 1] ?? 0
        if (bytes[at] === around + 2) {
          at++
          depth--
          continue
        }
        if (bytes[at] !== comma) return -1
        at = this.blank(at + 1)
        if (around === openMap) at = this.#key(at)
        if (at < 0) return -1
        break
      }
    }
  }

  /** A key and its colon: where its value begins. */
  #key(start: number): number {
    if (this.bytes[start] !== quotation) return -1
    const behind = this.string(start)
    if (behind < 0) return -1
    const at = this.blank(behind)
    return this.bytes[at] === colon ? this.blank(at + 1) : -1
  }

  /** The string whose quote stands here. */
  string(start: number): number {
    if (this.hasEscapes) return this.#escapedString(start)
    const behind = this.text.indexOf('"', start + 1) + 1
    return behind === 0 || behind > this.end ? -1 : behind
  }

  #escapedString(start: number): number {
    const bytes = this.bytes
    let [escaped, wide] = [false, false]
    for (let at = start + 1; ;) {
      const part = inString[bytes[at] ?? 0] ?? 0
      if (part === 0) {
        at++
      } else if (part === stringEnd) {
        this.kind = escaped ? (wide ? kinds.wideEscaped : kinds.escaped) : wide ? kinds.wide : kinds.string
        return at + 1
      } else if (part === beyondAscii) {
        wide = true
        at++
      } else if (part === escape) {
        escaped = true
        at = this.#escape(at + 1)
        if (at < 0) return -1
      } else return -1
    }
  }

  /** Behind the backslash. */
  #escape(at: number): number {
    const code = this.bytes[at] ?? 0
    if (code !== letterU) return isSimpleEscape(code) ? at + 1 : -1
    for (let digit = at + 1; digit <= at + 4; digit++) if (!isHex(this.bytes[digit] ?? 0)) return -1
    return at + 5
  }

  /** A number, `true`, `false` or `null`. */
  #scalar(start: number): number {
    const bytes = this.bytes
    switch (bytes[start]) {
      case letterT:
        return this.isAt(words.true, start) ? start + 4 : -1
      case letterF:
        return this.isAt(words.false, start) ? start + 5 : -1
      case letterN:
        return this.isAt(words.null, start) ? start + 4 : -1
      default:
        return this.#number(start)
    }
  }

  #number(start: number): number {
    const bytes = this.bytes
    let at = bytes[start] === minus ? start + 1 : start
    const whole = bytes[at] === zero ? at + 1 : this.#digits(at)
    if (whole < 0) return -1
    at = whole
    if (bytes[at] === point) {
      at = this.#digits(at + 1)
      if (at < 0) return -1
    }
    if (((bytes[at] ?? 0) | 0x20) !== letterE) return at
    const sign = bytes[at + 1]
    return this.#digits(sign === plus || sign === minus ? at + 2 : at + 1)
  }

  /** At least one digit. */
  #digits(start: number): number {
    const bytes = this.bytes
    let at = start
    while (isDigit(bytes[at] ?? 0)) at++
    return at > start ? at : -1
  }

  /** Blanks, but for newlines: one ends the line. */
  blank(start: number): number {
    const bytes = this.bytes
    let at = start
    while (bytes[at] === blank || bytes[at] === tab || bytes[at] === carriageReturn) at++
    return at
  }

  /** Whether these bytes stand here. */
  isAt(key: Uint8Array, start: number): boolean {
    const bytes = this.bytes
    for (let index = 0; index < key.length; index++) if (bytes[start + index] !== key[index]) return false
    return true
  }
}

const [quotation, comma, colon, minus, plus, point, zero, nine] = [0x22, 0x2c, 0x3a, 0x2d, 0x2b, 0x2e, 0x30, 0x39]
const [blank, tab, carriageReturn] = [0x20, 0x09, 0x0d]
/** What closes a map or list has the number of what opens it and 2. */
const [openMap, openList] = [0x7b, 0x5b]
const [letterE, letterF, letterN, letterT, letterU] = [0x65, 0x66, 0x6e, 0x74, 0x75]
const words = { true: Buffer.from('true'), false: Buffer.from('false'), null: Buffer.from('null') }

/** What a byte means inside a string: 0 is itself. */
const [stringEnd, escape, beyondAscii, forbidden] = [1, 2, 3, 4]
const inString = Uint8Array.from({ length: 256 }, (_, code) =>
  code < 0x20 ? forbidden : code === quotation ? stringEnd : code === 0x5c ? escape : code > 0x7f ? beyondAscii : 0,
)

function isDigit(code: number): boolean {
  return code >= zero && code <= nine
}

function isHex(code: number): boolean {
  const letter = code | 0x20
  return isDigit(code) || (letter >= 0x61 && letter <= 0x66)
}

/** `" \ / b f n r t` */
function isSimpleEscape(code: number): boolean {
  return (
    code === quotation ||
    code === 0x5c ||
    code === 0x2f ||
    code === 0x62 ||
    code === letterF ||
    code === letterN ||
    code === 0x72 ||
    code === letterT
  )
}
