/**
 * A failregex as a tree. It has no flags: case, `(?s)`, `(?m)`, `(?a)` are worked into the nodes when
 * it is parsed, so every compiler of it reads the same plain meaning. All characters are Unicode code
 * points, all positions are UTF-16 offsets into the text of the pattern.
 */

export type PatternNode =
  | CharacterNode
  | SetNode
  | SequenceNode
  | AlternationNode
  | RepeatNode
  | GroupNode
  | AtomicNode
  | LookNode
  | ReferenceNode
  | ConditionalNode
  | AssertionNode
  | AddressNode

/** Where a node stands in the text of its pattern: its first unit, and the first behind it. */
export interface PatternSpan {
  readonly start: number
  readonly end: number
}

/** Exactly this character. */
export interface CharacterNode {
  readonly type: 'character'
  readonly code: number
}

/** One character that is in one of the ranges or classes; negated: one that is in none of them. */
export interface SetNode {
  readonly type: 'set'
  readonly negated: boolean
  readonly ranges: readonly CharacterRange[]
  readonly classes: readonly ClassName[]
}

/** Both ends belong to it. */
export interface CharacterRange {
  readonly from: number
  readonly to: number
}

/** `\d \w \s` and their opposites with Python's meaning on text: decimal digits, letters and numbers and `_`, white space. */
export type ClassName = 'digit' | 'word' | 'space' | 'not-digit' | 'not-word' | 'not-space'

/** One after the other; without items it matches the empty text. */
export interface SequenceNode {
  readonly type: 'sequence'
  readonly items: readonly PatternNode[]
}

/** The first branch that leads to a match. At least two branches. */
export interface AlternationNode {
  readonly type: 'alternation'
  readonly branches: readonly PatternNode[]
}

/** `max` is Infinity where there is no upper bound. Possessive: greedy, and nothing is given back. */
export interface RepeatNode {
  readonly type: 'repeat'
  readonly item: PatternNode
  readonly min: number
  readonly max: number
  readonly kind: 'greedy' | 'lazy' | 'possessive'
}

/** A capturing group. `tag` is what it fills (`user`), null for `(…)` without a name. Several groups may fill one tag. */
export interface GroupNode {
  readonly type: 'group'
  /** From 1, in the order of the opening brackets and tags. */
  readonly number: number
  readonly tag: string | null
  readonly item: PatternNode
  readonly at: number
}

/** `(?>…)`: the first way in which the item matches, and no other. */
export interface AtomicNode {
  readonly type: 'atomic'
  readonly item: PatternNode
}

export interface LookNode {
  readonly type: 'look'
  /** A look-behind has an item of fixed width. */
  readonly behind: boolean
  readonly negated: boolean
  readonly item: PatternNode
}

/** The text that the group captured; fails when the group took no part. */
export interface ReferenceNode {
  readonly type: 'reference'
  readonly number: number
  /** Whether the case of letters does not count, and of which letters. */
  readonly ignoring: 'ascii' | 'unicode' | null
  /** Of the group. */
  readonly width: PatternWidth
  readonly at: number
}

/** `(?(number)yes|no)`: `yes` when the group took part so far, `no` otherwise. */
export interface ConditionalNode {
  readonly type: 'conditional'
  readonly number: number
  readonly yes: PatternNode
  readonly no: PatternNode
  readonly at: number
}

/**
 * A place in the text. The native dialect has no final newline, so its `$` is `end`; Python's `$` is
 * `last-line-end`, the end or before a newline there. `taken-last-line-end` is the same as the last thing of
 * a pattern, where an expression may take the newline. The `ascii-` kinds see only ASCII letters, digits
 * and `_` as words.
 */
export interface AssertionNode {
  readonly type: 'assertion'
  readonly kind:
    | 'start'
    | 'end'
    | 'last-line-end'
    | 'taken-last-line-end'
    | 'line-start'
    | 'line-end'
    | 'boundary'
    | 'not-boundary'
    | 'ascii-boundary'
    | 'not-ascii-boundary'
}

/**
 * A whole IP address, never a part of something longer (see address-source.ts), with optional square
 * brackets around it where `brackets` says so. It captures the address.
 */
export interface AddressNode {
  readonly type: 'address'
  readonly family: 'any' | '4' | '6'
  readonly brackets: boolean
  readonly at: number
}

/** The nodes directly inside a node. */
export function children(node: PatternNode): readonly PatternNode[] {
  switch (node.type) {
    case 'sequence':
      return node.items
    case 'alternation':
      return node.branches
    case 'conditional':
      return [node.yes, node.no]
    case 'repeat':
    case 'group':
    case 'atomic':
    case 'look':
      return [node.item]
    default:
      return none
  }
}

const none: readonly PatternNode[] = []

/** The same node around other nodes: as many as `children` gives, in their order. */
export function withChildren(node: PatternNode, inside: readonly PatternNode[]): PatternNode {
  const [first = nothing, second = nothing] = inside
  switch (node.type) {
    case 'sequence':
      return { ...node, items: inside }
    case 'alternation':
      return { ...node, branches: inside }
    case 'conditional':
      return { ...node, yes: first, no: second }
    case 'repeat':
    case 'group':
    case 'atomic':
    case 'look':
      return { ...node, item: first }
    default:
      return node
  }
}

const nothing: SequenceNode = { type: 'sequence', items: [] }

export interface PatternWidth {
  readonly min: number
  readonly max: number
}

/** The fewest and the most characters that a node consumes. */
export function width(node: PatternNode): PatternWidth {
  switch (node.type) {
    case 'character':
    case 'set':
      return { min: 1, max: 1 }
    case 'address':
      return { min: 2, max: 47 }
    case 'reference':
      return node.width
    case 'assertion':
    case 'look':
      return { min: 0, max: 0 }
    case 'repeat': {
      const item = width(node.item)
      return { min: item.min * node.min, max: item.max === 0 || node.max === 0 ? 0 : item.max * node.max }
    }
    case 'sequence':
      return node.items.map(width).reduce((sum, one) => ({ min: sum.min + one.min, max: sum.max + one.max }), {
        min: 0,
        max: 0,
      })
    case 'alternation':
    case 'conditional': {
      const widths = children(node).map(width)
      return { min: Math.min(...widths.map((one) => one.min)), max: Math.max(...widths.map((one) => one.max)) }
    }
    default:
      return width(node.item)
  }
}

/** Whether a node may consume nothing: `width(node).min === 0`, without measuring all of it. */
export function canBeEmpty(node: PatternNode): boolean {
  switch (node.type) {
    case 'character':
    case 'set':
    case 'address':
      return false
    case 'assertion':
    case 'look':
      return true
    case 'reference':
      return node.width.min === 0
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.item)
    case 'sequence':
      return node.items.every(canBeEmpty)
    case 'alternation':
    case 'conditional':
      return children(node).some(canBeEmpty)
    default:
      return canBeEmpty(node.item)
  }
}
