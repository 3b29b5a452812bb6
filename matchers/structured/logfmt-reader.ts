/**
 * Reads lines of `key=value` as go-kit, logrus, slog and Grafana write them: pairs with blanks between them, a
 * value that holds blanks in double quotes with a backslash before quotes and backslashes (and Go's escapes for
 * what cannot be printed). A key alone has an empty value, but the first word of a line is a pair, or else any
 * sentence would be such a line.
 */
import type { FieldNode } from './field-tree.ts'
import { kinds, type FieldValues, type Kind } from './field-values.ts'

/** Reads lines into a `FieldValues`. One a thread. */
export class LogfmtReader {
  readonly #root: FieldNode
  readonly #values: FieldValues
  readonly #unique: ReadonlySet<number>
  #bytes: Uint8Array = new Uint8Array(0)
  #line = 0
  #kind: Kind = kinds.string
  /** Where the value begins and ends that was read last. */
  #start = 0
  #end = 0

  /** `unique`: the slots of which a line may say only one thing. */
  constructor(root: FieldNode, values: FieldValues, unique: ReadonlySet<number>) {
    this.#root = root
    this.#values = values
    this.#unique = unique
  }

  /** Sets what the next lines stand in. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes
  }

  /**
   * Reads the pairs from `start` to `end`. False where the text is something else, a quote stays open, or the line
   * says two things of what must be unique: whoever writes values without quotes lets others write fields.
   */
  read(start: number, end: number): boolean {
    const bytes = this.#bytes
    this.#line++
    this.#values.clear()
    let pairs = 0
    for (let at = this.#blank(start, end); at < end; at = this.#blank(at, end)) {
      const keyEnd = this.#keyEnd(at, end)
      if (keyEnd === at) return false
      const isPair = bytes[keyEnd] === equals && keyEnd < end
      if (!isPair && (pairs === 0 || bytes[keyEnd] === quotation)) return false
      const node = this.#node(at, keyEnd)
      at = isPair ? this.#value(keyEnd + 1, end) : this.#empty(keyEnd)
      if (at < 0 || (node !== undefined && !this.#keep(node))) return false
      pairs++
    }
    return pairs > 0
  }

  /** Whether a line that was read is sound in all its parts: nothing was left out. */
  isClean(): boolean {
    return true
  }

  #node(start: number, end: number): FieldNode | undefined {
    const edges = this.#root.byLength[end - start]
    if (edges === undefined) return undefined
    for (const { bytes, node } of edges) if (this.#isAt(bytes, start)) return node
    return undefined
  }

  #isAt(key: Uint8Array, start: number): boolean {
    const bytes = this.#bytes
    for (let index = 0; index < key.length; index++) if (bytes[start + index] !== key[index]) return false
    return true
  }

  /** Notes the value that was read last. */
  #keep(node: FieldNode): boolean {
    const { slot } = node
    const before = node.seen === this.#line && this.#unique.has(slot) ? this.#values.textOf(slot) : null
    node.seen = this.#line
    this.#values.set(slot, this.#kind, this.#start, this.#end)
    return before === null || this.#values.textOf(slot) === before
  }

  #keyEnd(start: number, end: number): number {
    const bytes = this.#bytes
    let at = start
    while (at < end && (bytes[at] ?? 0) > blank && bytes[at] !== equals && bytes[at] !== quotation) at++
    return at
  }

  #empty(at: number): number {
    this.#kind = kinds.string
    this.#start = this.#end = at
    return at
  }

  /** The value that begins here: what is behind it, or -1. */
  #value(start: number, end: number): number {
    if (start < end && this.#bytes[start] === quotation) return this.#quoted(start + 1, end)
    const bytes = this.#bytes
    let at = start
    let wide = false
    for (; at < end; at++) {
      const code = bytes[at] ?? 0
      if (code <= blank) break
      if (code === quotation) return -1
      if (code > 0x7f) wide = true
    }
    this.#kind = wide ? kinds.wide : kinds.string
    this.#start = start
    this.#end = at
    return at
  }

  #quoted(start: number, end: number): number {
    const bytes = this.#bytes
    let [escaped, wide] = [false, false]
    for (let at = start; at < end; at++) {
      const code = bytes[at] ?? 0
      if (code === backslash) {
        escaped = true
        at++
      } else if (code > 0x7f) {
        wide = true
      } else if (code === quotation) {
        this.#kind = escaped ? (wide ? kinds.wideEscaped : kinds.escaped) : wide ? kinds.wide : kinds.string
        this.#start = start
        this.#end = at
        // Nothing but a blank may follow.
        return at + 1 >= end || (bytes[at + 1] ?? 0) <= blank ? at + 1 : -1
      }
    }
    return -1
  }

  #blank(start: number, end: number): number {
    let at = start
    while (at < end && (this.#bytes[at] ?? 0) <= blank) at++
    return at
  }
}

/** The text of the inside of a quoted value, with the escapes of Go and JSON; what is no escape stays as it is. */
export function unescapeLogfmt(inside: string): string {
  return inside.replace(
    /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([^]))/g,
    (whole, byte?: string, unit?: string, point?: string, letter?: string) => {
      if (point !== undefined) return Number.parseInt(point, 16) > 0x10ffff ? whole : codePoint(point)
      const hex = byte ?? unit
      return hex === undefined ? (escapes[letter ?? ''] ?? whole) : String.fromCharCode(Number.parseInt(hex, 16))
    },
  )
}

function codePoint(hex: string): string {
  return String.fromCodePoint(Number.parseInt(hex, 16))
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const [blank, quotation, equals, backslash] = [0x20, 0x22, 0x3d, 0x5c]
