/** A tree as steps that the machine takes one after the other: every step knows the next one. */
import { asciiPart, complement, merge, rangesUnderAscii, spaceRanges } from '../../matching/character-sets.ts'
import {
  width,
  type AssertionNode,
  type CharacterRange,
  type ClassName,
  type PatternNode,
  type ReferenceNode,
  type RepeatNode,
  type SetNode,
} from '../../matching/pattern-tree.ts'
import { unicodeDigits, unicodeWord } from '../../matching/unicode-tables.ts'

export type Step =
  /** One character that is in the set. */
  | { readonly type: 'one'; readonly set: CharacterTest; readonly next: Step }
  /** So many characters of the set. */
  | {
      readonly type: 'run'
      readonly set: CharacterTest
      readonly min: number
      readonly max: number
      readonly kind: RepeatNode['kind']
      readonly next: Step
    }
  | { readonly type: 'assertion'; readonly kind: AssertionNode['kind']; readonly next: Step }
  /** Remembers the place: 2n-2 where group n begins, 2n-1 where it ends. */
  | { readonly type: 'mark'; readonly index: number; readonly next: Step }
  | { readonly type: 'branch'; readonly branches: readonly Step[] }
  /** Begins a repetition. */
  | { readonly type: 'repeat'; readonly loop: Loop }
  /** Ends a turn of the innermost repetition that runs. */
  | { readonly type: 'until'; readonly loop: Loop }
  | {
      readonly type: 'possessive'
      readonly item: Step
      readonly min: number
      readonly max: number
      readonly next: Step
    }
  | { readonly type: 'atomic'; readonly item: Step; readonly next: Step }
  | {
      readonly type: 'look'
      readonly item: Step
      /** How many characters it goes back. */
      readonly back: number
      readonly negated: boolean
      readonly next: Step
    }
  | {
      readonly type: 'reference'
      readonly group: number
      readonly ignoring: ReferenceNode['ignoring']
      readonly next: Step
    }
  | { readonly type: 'condition'; readonly group: number; readonly yes: Step; readonly no: Step }
  | { readonly type: 'success' }

/** A repetition of more than single characters. Steps of its inside end in `until`. */
export interface Loop {
  readonly min: number
  readonly max: number
  readonly lazy: boolean
  /** A turn; set once, when the loop is made. */
  item: Step
  readonly next: Step
}

/** Whether a code point is in a set. */
export interface CharacterTest {
  readonly ascii: Uint8Array
  /** Ranges in order, beyond ASCII: first and last in turn. */
  readonly wide: Int32Array
}

/** The steps of a whole pattern; the last one is `success`. */
export function programOf(root: PatternNode): Step {
  return new ProgramWriter().write(root, { type: 'success' })
}

/** Whether the code point belongs to the set. */
export function isIn({ ascii, wide }: CharacterTest, code: number): boolean {
  if (code < 0x80) return ascii[code] === 1
  let [low, high] = [0, wide.length >> 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (code > (wide[2 * middle + 1] ?? 0)) low = middle + 1
    else high = middle
  }
  return low < wide.length >> 1 && code >= (wide[2 * low] ?? 0)
}

class ProgramWriter {
  readonly #tests = new Map<string, CharacterTest>()

  write(node: PatternNode, next: Step): Step {
    switch (node.type) {
      case 'character':
      case 'set':
        return { type: 'one', set: this.#test(node), next }
      case 'sequence':
        return node.items.reduceRight((after, item) => this.write(item, after), next)
      case 'alternation':
        return { type: 'branch', branches: node.branches.map((branch) => this.write(branch, next)) }
      case 'repeat':
        return this.#repeat(node, next)
      case 'group': {
        const end: Step = { type: 'mark', index: 2 * node.number - 1, next }
        return { type: 'mark', index: 2 * node.number - 2, next: this.write(node.item, end) }
      }
      case 'atomic':
        return { type: 'atomic', item: this.write(node.item, success), next }
      case 'look': {
        const { behind, negated } = node
        return {
          type: 'look',
          item: this.write(node.item, success),
          back: behind ? width(node.item).min : 0,
          negated,
          next,
        }
      }
      case 'reference':
        return { type: 'reference', group: node.number, ignoring: node.ignoring, next }
      case 'conditional':
        return { type: 'condition', group: node.number, yes: this.write(node.yes, next), no: this.write(node.no, next) }
      case 'assertion':
        return { type: 'assertion', kind: node.kind, next }
      case 'address':
        throw new Error('an address tag is none of Python')
    }
  }

  #repeat({ item, min, max, kind }: RepeatNode, next: Step): Step {
    const unit = unitIn(item)
    if (unit !== null) return { type: 'run', set: this.#test(unit), min, max, kind, next }
    if (kind === 'possessive') return { type: 'possessive', item: this.write(item, success), min, max, next }
    const loop: Loop = { min, max, lazy: kind === 'lazy', item: success, next }
    loop.item = this.write(item, { type: 'until', loop })
    return { type: 'repeat', loop }
  }

  #test(node: PatternNode & { type: 'character' | 'set' }): CharacterTest {
    const key = JSON.stringify(node)
    const known = this.#tests.get(key) ?? testOf(node)
    this.#tests.set(key, known)
    return known
  }
}

const success: Step = { type: 'success' }

/** What is exactly one character wide, whatever brackets are around it. */
function unitIn(node: PatternNode): (PatternNode & { type: 'character' | 'set' }) | null {
  if (node.type === 'character' || node.type === 'set') return node
  const [only] = node.type === 'sequence' && node.items.length === 1 ? node.items : []
  return only === undefined ? null : unitIn(only)
}

function testOf(node: PatternNode & { type: 'character' | 'set' }): CharacterTest {
  const set: SetNode =
    node.type === 'set'
      ? node
      : { type: 'set', negated: false, ranges: [{ from: node.code, to: node.code }], classes: [] }
  const ascii = new Uint8Array(0x80)
  for (const { from, to } of asciiPart(set)) ascii.fill(1, from, to + 1)
  const all = merge([...set.ranges, ...set.classes.flatMap(wideRanges)])
  const ranges = set.negated ? complement(all, 0x10ffff) : all
  return { ascii, wide: Int32Array.from(ranges.filter(({ to }) => to >= 0x80).flatMap(({ from, to }) => [from, to])) }
}

/** What a class holds, beyond ASCII as well. */
function wideRanges(name: ClassName): readonly CharacterRange[] {
  switch (name) {
    case 'word':
      return unicodeWord
    case 'digit':
      return unicodeDigits
    case 'space':
      return spaceRanges
    case 'not-word':
      return complement(unicodeWord, 0x10ffff)
    case 'not-digit':
      return complement(unicodeDigits, 0x10ffff)
    case 'not-space':
      return complement(spaceRanges, 0x10ffff)
  }
}

/** `\w` on text, and under `(?a)`. */
export const wordTest: CharacterTest = testOf({ type: 'set', negated: false, ranges: [], classes: ['word'] })
export const asciiWordTest: CharacterTest = testOf({
  type: 'set',
  negated: false,
  ranges: rangesUnderAscii('word'),
  classes: [],
})
