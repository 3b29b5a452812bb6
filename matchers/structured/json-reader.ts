/**
 * Reads a JSON object without making one: the whole text is checked, as strictly as `JSON.parse` checks it, and
 * only where the wanted values stand is noted. It goes over bytes, since all that JSON is made of is ASCII.
 * Only wanted levels are read by recursion; how deep the others go costs one byte a level.
 */
import type { FieldNode } from './field-tree.ts'
import { kinds, type FieldValues, type Kind } from './field-values.ts'
import { JsonLexer } from './json-lexer.ts'

/** Reads lines into a `FieldValues`. One a thread. */
export class JsonReader {
  readonly #root: FieldNode
  readonly #values: FieldValues
  readonly #json = new JsonLexer()
  /** The first backslash of the text that is not before the line. */
  #backslash = -1
  #line = 0

  constructor(root: FieldNode, values: FieldValues) {
    this.#root = root
    this.#values = values
  }

  /** Sets what the next lines stand in: bytes, and the same as Latin-1 text. */
  open(bytes: Uint8Array, text: string): void {
    this.#json.bytes = bytes
    this.#json.text = text
    this.#backslash = -1
  }

  /**
   * Reads the object from `start` to `end`, where a byte stands that JSON cannot go on with. Lines come in order.
   * False where it is none; then the values mean nothing.
   */
  read(start: number, end: number): boolean {
    if (this.#backslash < start) {
      const next = this.#json.text.indexOf('\\', start)
      this.#backslash = next < 0 ? Infinity : next
    }
    return this.#read(start, end, this.#backslash < end)
  }

  /** Whether a line that was read is sound in all its parts. */
  isClean(start: number, end: number): boolean {
    return this.#json.hasEscapes || !hasControl(this.#json.bytes, start, end) || this.#read(start, end, true)
  }

  #read(start: number, end: number, hasEscapes: boolean): boolean {
    this.#line++
    this.#values.clear()
    this.#json.end = end
    this.#json.hasEscapes = hasEscapes
    const at = this.#json.blank(start)
    if (this.#json.bytes[at] !== openMap) return false
    const behind = this.#map(at, this.#root)
    return behind > 0 && this.#json.blank(behind) === end
  }

  /** The map that begins here: its end, or -1. So do all that follow. */
  #map(start: number, node: FieldNode): number {
    const { bytes } = this.#json
    let at = this.#json.blank(start + 1)
    if (bytes[at] === closeMap) return at + 1
    for (;;) {
      if (bytes[at] !== quotation) return -1
      const behind = this.#json.string(at)
      if (behind < 0) return -1
      const child = this.#child(node, at + 1, behind - 1)
      at = bytes[behind] === colon ? behind : this.#json.blank(behind)
      if (bytes[at] !== colon) return -1
      at = this.#json.blank(at + 1)
      at = child === undefined ? this.#json.skip(at) : this.#value(at, child)
      if (at < 0) return -1
      if (bytes[at] !== comma) at = this.#json.blank(at)
      if (bytes[at] === closeMap) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.#json.blank(at + 1)
    }
  }

  #list(start: number, node: FieldNode): number {
    const { bytes } = this.#json
    let at = this.#json.blank(start + 1)
    if (bytes[at] === closeList) return at + 1
    for (let index = 0; ; index++) {
      const child = node.byKey.get(String(index))
      at = child === undefined ? this.#json.skip(at) : this.#value(at, child)
      if (at < 0) return -1
      at = this.#json.blank(at)
      if (bytes[at] === closeList) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.#json.blank(at + 1)
    }
  }

  /** The node of the key whose inside this is; the lexer knows its kind. */
  #child(node: FieldNode, start: number, end: number): FieldNode | undefined {
    if (this.#json.hasEscapes && (this.#json.kind === kinds.escaped || this.#json.kind === kinds.wideEscaped)) {
      const inside = Buffer.from(this.#json.bytes.buffer, this.#json.bytes.byteOffset + start, end - start).toString(
        'utf8',
      )
      return node.byKey.get(unescapeJson(inside))
    }
    const edges = node.byLength[end - start]
    if (edges === undefined) return undefined
    for (const { bytes, node: child } of edges) if (this.#json.isAt(bytes, start)) return child
    return undefined
  }

  /** A value that is wanted, or has wanted ones in it. */
  #value(at: number, node: FieldNode): number {
    // A key that comes again replaces all that the first one had.
    if (node.seen === this.#line) this.#forget(node)
    node.seen = this.#line
    const first = this.#json.bytes[at]
    if (first === quotation) {
      const behind = this.#json.string(at)
      const kind = this.#json.hasEscapes
        ? this.#json.kind
        : isAscii(this.#json.bytes, at, behind)
          ? kinds.string
          : kinds.wide
      if (node.slot >= 0) this.#values.set(node.slot, kind, at + 1, behind - 1)
      return behind
    }
    const hasInside = node.byKey.size > 0
    if (first === openMap || first === openList) {
      const read = first === openMap ? this.#map : this.#list
      const behind = hasInside ? read.call(this, at, node) : this.#json.skip(at)
      if (node.slot >= 0) this.#values.set(node.slot, first === openMap ? kinds.map : kinds.list, at, behind)
      return behind
    }
    const behind = this.#json.skip(at)
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
    const { bytes } = this.#json
    if (bytes[start] === minus && bytes[start + 1] === zero) return kinds.number
    for (let at = start; at < end; at++) {
      const code = bytes[at] ?? 0
      if (code > nine || code === point) return kinds.number
    }
    return kinds.integer
  }
}

/** The text of the inside of a JSON string, which is known to be sound. */
export function unescapeJson(inside: string): string {
  return JSON.parse(`"${inside}"`) as string
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) > 0x7f) return false
  return true
}

function hasControl(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) < 0x20) return true
  return false
}

const [quotation, comma, colon, minus, point, zero, nine] = [0x22, 0x2c, 0x3a, 0x2d, 0x2e, 0x30, 0x39]
const [openMap, closeMap, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d]
const [letterF, letterN, letterT] = [0x66, 0x6e, 0x74]
