/**
 * Writes a tree as a JavaScript regular expression that means the same. The source is valid with and
 * without the `u` flag; the `ascii` variant is right for texts of ASCII characters only, and fast.
 */
import { addressSource, type KnownSides } from './address-source.ts'
import { asciiPart, spaceRanges, complement } from './character-sets.ts'
import type { GroupUse } from './pattern-groups.ts'
import {
  canBeEmpty,
  type AddressNode,
  type AssertionNode,
  type CharacterRange,
  type ClassName,
  type GroupNode,
  type PatternNode,
  type RepeatNode,
  type SetNode,
} from './pattern-tree.ts'
import { unicodeDigits, unicodeWord } from './unicode-tables.ts'

export type Variant = 'ascii' | 'unicode'

export interface Emitted {
  readonly source: string
  /** What each capturing group fills, group 1 first; null: nothing. */
  readonly groups: readonly (string | null)[]
  /** By the number of a group in the pattern: its number in the expression. */
  readonly numbers: ReadonlyMap<number, number>
  /** Groups of the expression that hold a last newline which is no part of the match: see `taken-last-line-end`. */
  readonly newlines: readonly number[]
}

/** What `\w` and `\d` stand for beyond ASCII, as the inside of a class. */
export interface ClassTexts {
  readonly word: string
  readonly digit: string
}

/** As the Unicode of the running Node knows them: short. */
export const runningClasses: ClassTexts = { word: '\\p{L}\\p{N}_', digit: '\\p{Nd}' }

/** As Python knows them: exact. */
export const pythonClasses: ClassTexts = { word: classBody(unicodeWord), digit: classBody(unicodeDigits) }

/** The source of a pattern in one variant. The groups are the same in both. */
export function emitPattern(
  root: PatternNode,
  use: GroupUse,
  sides: ReadonlyMap<AddressNode, KnownSides>,
  variant: Variant,
  classes = runningClasses,
): Emitted {
  const emitter = new Emitter(use, sides, variant, classes)
  const source = emitter.emit(root)
  return { source, groups: emitter.groups, numbers: emitter.numbers, newlines: emitter.newlines }
}

const asciiWord = 'A-Za-z0-9_'

class Emitter {
  readonly groups: (string | null)[] = []
  /** The JavaScript number of each group, and of the group that tells whether it took part. */
  readonly numbers = new Map<number, number>()
  readonly newlines: number[] = []
  readonly #marks = new Map<number, number>()
  readonly #use: GroupUse
  readonly #sides: ReadonlyMap<AddressNode, KnownSides>
  readonly #variant: Variant
  readonly #classes: ClassTexts

  constructor(use: GroupUse, sides: ReadonlyMap<AddressNode, KnownSides>, variant: Variant, classes: ClassTexts) {
    this.#use = use
    this.#sides = sides
    this.#variant = variant
    this.#classes = classes
  }

  emit(node: PatternNode): string {
    switch (node.type) {
      case 'character':
        return this.#character(node.code)
      case 'set':
        return this.#set(node)
      case 'sequence':
        return node.items.map((item) => (item.type === 'alternation' ? this.#wrapped(item) : this.emit(item))).join('')
      case 'alternation':
        return node.branches.map((branch) => this.emit(branch)).join('|')
      case 'repeat':
        return this.#repeat(node)
      case 'group':
        return this.#group(node)
      case 'atomic':
        return this.#atomic(() => this.emit(node.item))
      case 'look':
        return `(?${node.behind ? '<' : ''}${node.negated ? '!' : '='}${this.emit(node.item)})`
      case 'reference':
        return `${this.#test(node.number, true)}${this.#backward(this.numbers.get(node.number))}`
      case 'conditional':
        return this.#conditional(node.number, node.yes, node.no)
      case 'assertion':
        return this.#assertion(node.kind)
      case 'address':
        return this.#address(node)
    }
  }

  #wrapped(node: PatternNode): string {
    return `(?:${this.emit(node)})`
  }

  #character(code: number): string {
    if (this.#variant === 'ascii' && code > 0x7f) return '[]'
    return escapeCode(code, '^$\\.*+?()[]{}|/')
  }

  #set(set: SetNode): string {
    if (this.#variant === 'ascii') {
      const ranges = asciiPart(set)
      // The wide class keeps negated sets short; both match the same ASCII characters.
      const inverse = complement(ranges, 0x7f)
      return inverse.length < ranges.length ? `[^${classBody(inverse)}]` : `[${classBody(ranges)}]`
    }
    const { word } = this.#classes
    const body = `${classBody(set.ranges)}${set.classes.map((name) => this.#unicodeClass(name)).join('')}`
    if (!set.classes.includes('not-word')) return `[${set.negated ? '^' : ''}${body}]`
    const others = body === '' ? '' : `[${body}]|`
    return set.negated ? `(?!${others}[^${word}])[^]` : `(?:${others}[^${word}])`
  }

  #repeat(node: RepeatNode): string {
    const { item, min, max, kind } = node
    if (kind === 'possessive') return this.#possessive(node)
    // JavaScript takes no empty turn; where that would show, the choice is written out.
    if (min === 0 && max === 1 && canBeEmpty(item)) {
      const source = this.#wrapped(item)
      return kind === 'lazy' ? `(?:|${source})` : `(?:${source}|)`
    }
    const single = item.type === 'character' || item.type === 'set'
    return `${single ? this.#single(item) : this.#wrapped(item)}${quantifier(min, max)}${kind === 'lazy' ? '?' : ''}`
  }

  /** Each turn gives nothing back, so that a later one never changes it. */
  #possessive(node: RepeatNode): string {
    const single = node.item.type === 'character' || node.item.type === 'set'
    const item: PatternNode = single ? node.item : { type: 'atomic', item: node.item }
    return this.#atomic(() => this.#repeat({ ...node, item, kind: 'greedy' }))
  }

  /** A character or set as one atom. */
  #single(item: PatternNode): string {
    const source = this.emit(item)
    return source.startsWith('(?!') ? `(?:${source})` : source
  }

  #group(node: GroupNode): string {
    if (!this.#use.capturing.has(node.number)) return this.#wrapped(node.item)
    if (!this.#use.tested.has(node.number)) return this.#capture(node)
    // Captures the rest of the text in front of the group: see #test.
    this.groups.push(null)
    this.#marks.set(node.number, this.groups.length)
    return `(?:(?=([^]*))${this.#capture(node)})`
  }

  #capture(node: GroupNode): string {
    this.groups.push(node.tag)
    this.numbers.set(node.number, this.groups.length)
    return `(${this.emit(node.item)})`
  }

  /** JavaScript has no atomic groups, but a look-ahead is one: it captures, and the text is taken by reference. */
  #atomic(emitItem: () => string): string {
    this.groups.push(null)
    const number = this.groups.length
    return `(?:(?=(${emitItem()}))${this.#backward(number)})`
  }

  #conditional(number: number, yes: PatternNode, no: PatternNode): string {
    const whenSet = this.#wrapped(yes)
    if (!this.#use.tested.has(number)) return whenSet
    return `(?:${this.#test(number, true)}${whenSet}|${this.#test(number, false)}${this.#wrapped(no)})`
  }

  /**
   * Whether a group took part. What was captured in front of it is the whole rest of the text from
   * there; behind the group less text is left, so a reference to it cannot match, while a reference
   * to a group that took no part matches the empty text.
   */
  #test(number: number, tookPart: boolean): string {
    const mark = this.#marks.get(number)
    return mark === undefined ? '' : `(?${tookPart ? '!' : '='}${this.#backward(mark)})`
  }

  /** A back-reference that no digit behind it can lengthen. */
  #backward(number: number | undefined): string {
    return `(?:\\${number})`
  }

  #assertion(kind: AssertionNode['kind']): string {
    switch (kind) {
      case 'start':
        return '^'
      case 'end':
        return '$'
      case 'line-start':
        return '(?<![^\\n])'
      case 'line-end':
        return '(?![^\\n])'
      case 'last-line-end':
        return '(?=\\n?$)'
      case 'taken-last-line-end':
        this.groups.push(null)
        this.newlines.push(this.groups.length)
        return '(\\n?)$'
      case 'ascii-boundary':
        return '\\b'
      case 'not-ascii-boundary':
        return '\\B'
      case 'boundary':
        return this.#variant === 'ascii' ? '\\b' : this.#boundary(true)
      case 'not-boundary':
        return this.#variant === 'ascii' ? '\\B' : this.#boundary(false)
    }
  }

  #boundary(here: boolean): string {
    const word = `[${this.#classes.word}]`
    const [first, second] = here ? ['!', '='] : ['=', '!']
    return `(?:(?<=${word})(?${first}${word})|(?<!${word})(?${second}${word}))`
  }

  #unicodeClass(name: ClassName): string {
    switch (name) {
      case 'digit':
        return this.#classes.digit
      case 'not-digit':
        return this.#classes === runningClasses ? '\\P{Nd}' : classBody(complement(unicodeDigits, 0x10ffff))
      case 'word':
        return this.#classes.word
      case 'space':
        return classBody(spaceRanges)
      case 'not-space':
        return classBody(complement(spaceRanges, 0x10ffff))
      case 'not-word':
        return ''
    }
  }

  #address(node: AddressNode): string {
    this.groups.push('addr')
    const word = this.#variant === 'ascii' ? asciiWord : `${runningClasses.word}\\p{M}`
    return addressSource(node, word, this.#sides.get(node) ?? { left: false, right: false })
  }
}

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`
  if (min === 0 && max === 1) return '?'
  return min === max ? `{${min}}` : `{${min},${max}}`
}

function classBody(ranges: readonly CharacterRange[]): string {
  const one = (code: number) => escapeCode(code, '\\]^-')
  return ranges.map(({ from, to }) => (from === to ? one(from) : `${one(from)}-${one(to)}`)).join('')
}

/** Printable ASCII as itself, with a backslash where it is special; everything else by number. */
function escapeCode(code: number, special: string): string {
  const text = String.fromCodePoint(code)
  if (special.includes(text)) return `\\${text}`
  if (code >= 0x20 && code < 0x7f) return text
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  const wide = code > 0xffff || (code >= 0xd800 && code < 0xe000)
  return wide ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}
