/**
 * Reads a JSON object (RFC 8259) without making one: the whole text is checked, as strictly as `JSON.parse`
 * checks it, and only where the wanted values stand is noted. It goes over bytes, since all that JSON is made
 * of is ASCII. Only wanted levels are read by recursion; how deep the others go costs one byte a level of a
 * stack that is as long as the longest line.
 *
 * Most of a line is the inside of strings. In a line without a backslash a string ends at the next quote, and V8
 * finds that four times faster than a loop over its bytes does. What such a search passes over unseen are
 * control characters, which no JSON string may hold: `isClean` looks for them, in the lines that match.
 */
import type { FieldNode } from './field-tree.ts'
import { kinds, type FieldValues, type Kind } from './field-values.ts'

/** The longest line there is (`maxLineBytes` of line-cutting.ts), in which each byte may open a level. */
const maxDepth = 65_536

/** Reads lines into a `FieldValues`. One a thread. */
export class JsonReader {
  readonly #root: FieldNode
  readonly #values: FieldValues
  readonly #stack = new Uint8Array(maxDepth)
  #bytes: Uint8Array = new Uint8Array(0)
  #text = ''
  #end = 0
  /** Whether there is a backslash somewhere, so that strings are read byte by byte. */
  #hasEscapes = false
  /** What kind of string was read last, where there are escapes. */
  #kind: Kind = kinds.string
  /** The first backslash of the text that is not before the line. */
  #backslash = -1
  #line = 0

  constructor(root: FieldNode, values: FieldValues) {
    this.#root = root
    this.#values = values
  }

  /** Sets what the next lines stand in: bytes, and the same as Latin-1 text. */
  open(bytes: Uint8Array, text: string): void {
    this.#bytes = bytes
    this.#text = text
    this.#backslash = -1
  }

  /**
   * Reads the object from `start` to `end`, where a byte stands that JSON cannot go on with. Lines come in order.
   * False where it is none; then the values mean nothing.
   */
  read(start: number, end: number): boolean {
    if (this.#backslash < start) {
      const next = this.#text.indexOf('\\', start)
      this.#backslash = next < 0 ? Infinity : next
    }
    return this.#read(start, end, this.#backslash < end)
  }

  /** Whether a line that was read is sound in all its parts. */
  isClean(start: number, end: number): boolean {
    return this.#hasEscapes || !hasControl(this.#bytes, start, end) || this.#read(start, end, true)
  }

  #read(start: number, end: number, hasEscapes: boolean): boolean {
    this.#line++
    this.#values.clear()
    this.#end = end
    this.#hasEscapes = hasEscapes
    const at = this.#blank(start)
    if (this.#bytes[at] !== openMap) return false
    const behind = this.#map(at, this.#root)
    return behind > 0 && this.#blank(behind) === end
  }

  /** The map that begins here: its end, or -1. So do all that follow. */
  #map(start: number, node: FieldNode): number {
    const bytes = this.#bytes
    let at = this.#blank(start + 1)
    if (bytes[at] === closeMap) return at + 1
    for (;;) {
      if (bytes[at] !== quotation) return -1
      const behind = this.#string(at)
      if (behind < 0) return -1
      const child = this.#child(node, at + 1, behind - 1)
      at = bytes[behind] === colon ? behind : this.#blank(behind)
      if (bytes[at] !== colon) return -1
      at = this.#blank(at + 1)
      at = child === undefined ? this.#skip(at) : this.#value(at, child)
      if (at < 0) return -1
      if (bytes[at] !== comma) at = this.#blank(at)
      if (bytes[at] === closeMap) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.#blank(at + 1)
    }
  }

  #list(start: number, node: FieldNode): number {
    const bytes = this.#bytes
    let at = this.#blank(start + 1)
    if (bytes[at] === closeList) return at + 1
    for (let index = 0; ; index++) {
      const child = node.byKey.get(String(index))
      at = child === undefined ? this.#skip(at) : this.#value(at, child)
      if (at < 0) return -1
      at = this.#blank(at)
      if (bytes[at] === closeList) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.#blank(at + 1)
    }
  }

  /** The node of the key whose inside this is; `#kind` is that of the key. */
  #child(node: FieldNode, start: number, end: number): FieldNode | undefined {
    if (this.#hasEscapes && (this.#kind === kinds.escaped || this.#kind === kinds.wideEscaped)) {
      const inside = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('utf8')
      return node.byKey.get(unescapeJson(inside))
    }
    const edges = node.byLength[end - start]
    if (edges === undefined) return undefined
    for (const { bytes, node: child } of edges) if (this.#isAt(bytes, start)) return child
    return undefined
  }

  #isAt(key: Uint8Array, start: number): boolean {
    const bytes = this.#bytes
    for (let index = 0; index < key.length; index++) if (bytes[start + index] !== key[index]) return false
    return true
  }

  /** A value that is wanted, or has wanted ones in it. */
  #value(at: number, node: FieldNode): number {
    // A key that comes again replaces all that the first one had.
    if (node.seen === this.#line) this.#forget(node)
    node.seen = this.#line
    const first = this.#bytes[at]
    if (first === quotation) {
      const behind = this.#string(at)
      const kind = this.#hasEscapes ? this.#kind : isAscii(this.#bytes, at, behind) ? kinds.string : kinds.wide
      if (node.slot >= 0) this.#values.set(node.slot, kind, at + 1, behind - 1)
      return behind
    }
    const hasInside = node.byKey.size > 0
    if (first === openMap || first === openList) {
      const read = first === openMap ? this.#map : this.#list
      const behind = hasInside ? read.call(this, at, node) : this.#skip(at)
      if (node.slot >= 0) this.#values.set(node.slot, first === openMap ? kinds.map : kinds.list, at, behind)
      return behind
    }
    const behind = this.#skip(at)
    if (node.slot >= 0 && behind > 0 && first !== letterN) {
      const kind = first === letterT || first === letterF ? kinds.word : this.#numberKind(at, behind)
      this.#values.set(node.slot, kind, at, behind)
    }
    return behind
  }

  #forget(node: FieldNode): void {
    if (node.slot >= 0) this.#values.set(node.slot, kinds.none, 0, 0)
    for (const { slot } of node.below) if (slot >= 0) this.#values.set(slot, kinds.none, 0, 0)
  }

  /** Whole numbers are text as they stand, but for `-0`. */
  #numberKind(start: number, end: number): Kind {
    const bytes = this.#bytes
    if (bytes[start] === minus && bytes[start + 1] === zero) return kinds.number
    for (let at = start; at < end; at++) {
      const code = bytes[at] ?? 0
      if (code > nine || code === point) return kinds.number
    }
    return kinds.integer
  }

  /** A value that nobody wants. */
  #skip(start: number): number {
    const code = this.#bytes[start]
    if (code === quotation) return this.#string(start)
    if (code === openMap || code === openList) return this.#skipNested(start)
    return this.#scalar(start)
  }

  #skipNested(start: number): number {
    const bytes = this.#bytes
    const stack = this.#stack
    let depth = 0
    let at = start
    for (;;) {
      // A value begins here.
      const code = bytes[at] ?? 0
      if (code === openMap || code === openList) {
        if (depth === maxDepth) return -1
        stack[depth++] = code
        at = this.#blank(at + 1)
        if (bytes[at] !== code + 2) {
          if (code === openMap) at = this.#key(at)
          if (at < 0) return -1
          continue
        }
        at++
        depth--
      } else {
        at = code === quotation ? this.#string(at) : this.#scalar(at)
        if (at < 0) return -1
      }
      // A value has ended here, and maybe what it stands in.
      for (;;) {
        if (depth === 0) return at
        at = this.#blank(at)
        const around = stack[depth - 1] ?? 0
        if (bytes[at] === around + 2) {
          at++
          depth--
          continue
        }
        if (bytes[at] !== comma) return -1
        at = this.#blank(at + 1)
        if (around === openMap) at = this.#key(at)
        if (at < 0) return -1
        break
      }
    }
  }

  /** A key and its colon: where its value begins. */
  #key(start: number): number {
    if (this.#bytes[start] !== quotation) return -1
    const behind = this.#string(start)
    if (behind < 0) return -1
    const at = this.#blank(behind)
    return this.#bytes[at] === colon ? this.#blank(at + 1) : -1
  }

  /** The string whose quote stands here. */
  #string(start: number): number {
    if (this.#hasEscapes) return this.#escapedString(start)
    const behind = this.#text.indexOf('"', start + 1) + 1
    return behind === 0 || behind > this.#end ? -1 : behind
  }

  #escapedString(start: number): number {
    const bytes = this.#bytes
    let [escaped, wide] = [false, false]
    for (let at = start + 1; ;) {
      const part = inString[bytes[at] ?? 0] ?? 0
      if (part === 0) {
        at++
      } else if (part === stringEnd) {
        this.#kind = escaped ? (wide ? kinds.wideEscaped : kinds.escaped) : wide ? kinds.wide : kinds.string
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
    const code = this.#bytes[at] ?? 0
    if (code !== letterU) return isSimpleEscape(code) ? at + 1 : -1
    for (let digit = at + 1; digit <= at + 4; digit++) if (!isHex(this.#bytes[digit] ?? 0)) return -1
    return at + 5
  }

  /** A number, `true`, `false` or `null`. */
  #scalar(start: number): number {
    const bytes = this.#bytes
    switch (bytes[start]) {
      case letterT:
        return this.#isAt(words.true, start) ? start + 4 : -1
      case letterF:
        return this.#isAt(words.false, start) ? start + 5 : -1
      case letterN:
        return this.#isAt(words.null, start) ? start + 4 : -1
      default:
        return this.#number(start)
    }
  }

  #number(start: number): number {
    const bytes = this.#bytes
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
    const bytes = this.#bytes
    let at = start
    while (isDigit(bytes[at] ?? 0)) at++
    return at > start ? at : -1
  }

  /** Blanks, but for newlines: one ends the line. */
  #blank(start: number): number {
    const bytes = this.#bytes
    let at = start
    while (bytes[at] === blank || bytes[at] === tab || bytes[at] === carriageReturn) at++
    return at
  }
}

/** The text of the inside of a JSON string, which is known to be sound. */
export function unescapeJson(inside: string): string {
  return JSON.parse(`"${inside}"`) as string
}

const [quotation, comma, colon, minus, plus, point, zero, nine] = [0x22, 0x2c, 0x3a, 0x2d, 0x2b, 0x2e, 0x30, 0x39]
const [blank, tab, carriageReturn] = [0x20, 0x09, 0x0d]
/** What closes a map or list has the number of what opens it and 2. */
const [openMap, closeMap, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d]
const [letterE, letterF, letterN, letterT, letterU] = [0x65, 0x66, 0x6e, 0x74, 0x75]
const words = { true: Buffer.from('true'), false: Buffer.from('false'), null: Buffer.from('null') }

/** What a byte means inside a string: 0 is itself. */
const [stringEnd, escape, beyondAscii, forbidden] = [1, 2, 3, 4]
const inString = Uint8Array.from({ length: 256 }, (_, code) =>
  code < 0x20 ? forbidden : code === quotation ? stringEnd : code === 0x5c ? escape : code > 0x7f ? beyondAscii : 0,
)

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) > 0x7f) return false
  return true
}

function hasControl(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) < 0x20) return true
  return false
}

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
