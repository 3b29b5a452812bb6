/**
 * The expressions of some filters as one program (Thompson, 1968): a graph whose nodes take a byte, choose between
 * two ways, note a place, or end. Which way is tried first is the order in which V8 would try them.
 */
import type { RegexNode } from './regex-syntax.ts'

export type ProgramNode =
  /** Takes a byte of the set. */
  | { readonly op: 'take'; readonly set: number; readonly next: number }
  /** Goes to `first` where that can lead to a match, else to `second`. */
  | { readonly op: 'split'; first: number; second: number; readonly choice: number }
  /** Notes the place in a slot. */
  | { readonly op: 'note'; readonly slot: number; readonly next: number }
  /** Passes at the end of the text. */
  | { readonly op: 'end'; readonly next: number }
  /** Passes where the text from here on begins as the look wants it, or where it does not. */
  | { readonly op: 'look'; readonly look: number; readonly negated: boolean; readonly next: number }
  | { readonly op: 'match' }

/** One expression in a program. */
export interface ProgramRule {
  readonly start: number
  /** Whether what the program finds is what the expression finds. Else it finds that and more, and captures nothing. */
  readonly exact: boolean
  /** The groups of the expression that are noted, slots 2n and 2n + 1 for the n-th: in the order asked for. */
  readonly groups: readonly number[]
}

/** What looks ahead: a part of the program by itself, whose `match` may stand anywhere in the text. */
export interface ProgramLook {
  readonly start: number
  /** Its nodes, and those of the looks in it, which have lower indexes among the looks: from the one, up to before the other. */
  readonly from: number
  readonly to: number
  /** So many bytes it may look at; Infinity: all. */
  readonly longest: number
}

/** A program that is complete, as plain data. */
export interface ProgramGraph {
  readonly nodes: readonly ProgramNode[]
  readonly sets: readonly (readonly number[])[]
  readonly rules: readonly ProgramRule[]
  readonly looks: readonly ProgramLook[]
  readonly choices: number
  readonly shorterThan: number
}

/** Thrown where a program would have more nodes than it may. */
export class ProgramTooLarge extends Error {}

/** Counts from here on are taken for any number, in texts that are too short for the count to matter. */
const manyTimes = 200

/** So many different looks of one expression are followed: each makes the states more, and each state larger. */
const mostLooks = 64

/** Grows with each rule. Nodes are named by their index. */
export class Program implements ProgramGraph {
  readonly nodes: ProgramNode[] = []
  /** Ranges of bytes, in pairs. */
  readonly sets: (readonly number[])[] = []
  readonly rules: ProgramRule[] = []
  readonly looks: ProgramLook[] = []
  /** How many nodes choose. */
  choices = 0
  /** Texts that are shorter than this many bytes are matched as the expressions say. */
  shorterThan = Infinity
  readonly #setIndex = new Map<string, number>()
  /** Looks by what they look for: addresses have the same in all patterns. */
  readonly #lookIndex = new Map<string, number>()
  /** More nodes are refused. */
  limit: number
  #building: Building = { slots: new Map(), exact: true, looks: new Set() }

  constructor(limit: number) {
    this.limit = limit
  }

  /** Adds an expression; `groups` are the numbers of those that are to be noted, most wanted first. Its index is answered. */
  add(tree: RegexNode, groups: readonly number[]): number {
    const slots = new Map(groups.map((number, index) => [number, 2 * index]))
    this.#building = { slots, exact: true, looks: new Set() }
    const end = this.#node({ op: 'match' })
    const inside = withoutStart(tree)
    const first = this.#build(inside ?? tree, end)
    const start = inside === null ? this.#anywhere(first) : first
    return this.rules.push({ start, exact: this.#building.exact, groups }) - 1
  }

  /** What it is now. */
  get graph(): ProgramGraph {
    const { nodes, sets, rules, looks, choices, shorterThan } = this
    return { nodes, sets, rules, looks, choices, shorterThan }
  }

  /** Any text, as little as possible, in front of a node. */
  #anywhere(first: number): number {
    const split = this.#split(first, 0)
    this.#turn(split, first, this.#take([0, 127], split))
    return split
  }

  /** Builds a node so that `next` follows it; answers where it begins. */
  #build(node: RegexNode, next: number): number {
    switch (node.type) {
      case 'set':
        return this.#take(node.ranges, next)
      case 'sequence':
        return node.items.reduceRight((behind, item) => this.#build(item, behind), next)
      case 'alternation': {
        const branches = node.branches.map((branch) => this.#build(branch, next))
        return branches.reduceRight((rest, branch) => this.#split(branch, rest))
      }
      case 'group': {
        const slot = this.#building.slots.get(node.number)
        if (slot === undefined) return this.#build(node.item, next)
        const body = this.#build(node.item, this.#node({ op: 'note', slot: slot + 1, next }))
        return this.#node({ op: 'note', slot, next: body })
      }
      case 'repeat':
        return this.#repeat(node, next)
      case 'end':
        return this.#node({ op: 'end', next })
      case 'look':
        return this.#look(node, next)
      case 'start':
        // Elsewhere than in front of all: it is taken to hold everywhere.
        this.#building.exact = false
        return next
      case 'unsure':
        this.#building.exact = false
        return node.any ? this.#loop({ type: 'set', ranges: [0, 127] }, false, next) : next
    }
  }

  #repeat({ item, min, max, lazy }: RegexNode & { type: 'repeat' }, next: number): number {
    const many = isManyTimes(max)
    if (many) this.shorterThan = Math.min(this.shorterThan, max)
    if (max > 1 && (canBeEmpty(item) || this.#notes(item))) this.#building.exact = false
    let behind = next
    if (max === Infinity || many) behind = this.#loop(item, lazy, next)
    else for (let turn = min; turn < max; turn++) behind = this.#either(this.#build(item, behind), next, lazy)
    for (let turn = 0; turn < min; turn++) behind = this.#build(item, behind)
    return behind
  }

  #look(node: RegexNode & { type: 'look' }, next: number): number {
    const { item, negated } = node
    const looks = new Set([...this.#building.looks, ...lookKeys(node)])
    // What a look finds too much, its negation finds too little. And what a group notes ahead would have to be noted.
    if (!isSure(item) || (!negated && this.#notes(item)) || looks.size > mostLooks) {
      this.#building.exact = false
      return next
    }
    this.#building.looks = looks
    return this.#node({ op: 'look', look: this.#lookFor(item), negated, next })
  }

  #lookFor(item: RegexNode): number {
    const key = keyOf(item)
    const known = this.#lookIndex.get(key)
    if (known !== undefined) return known
    const pattern = this.#building
    this.#building = { ...pattern, slots: new Map() }
    const from = this.nodes.length
    const start = this.#build(item, this.#node({ op: 'match' }))
    this.#building = pattern
    const index = this.looks.push({ start, from, to: this.nodes.length, longest: longestOf(item) }) - 1
    this.#lookIndex.set(key, index)
    return index
  }

  #loop(item: RegexNode, lazy: boolean, next: number): number {
    const split = this.#split(0, 0)
    const body = this.#build(item, split)
    if (lazy) this.#turn(split, next, body)
    else this.#turn(split, body, next)
    return split
  }

  #either(body: number, next: number, lazy: boolean): number {
    return lazy ? this.#split(next, body) : this.#split(body, next)
  }

  /** Whether a group in it is noted: in an expression that repeats it, each turn forgets what the one before noted. */
  #notes(node: RegexNode): boolean {
    if (node.type === 'group' && this.#building.slots.has(node.number)) return true
    return inside(node).some((one) => this.#notes(one))
  }

  #take(ranges: readonly number[], next: number): number {
    const key = ranges.join()
    const set = this.#setIndex.get(key) ?? this.sets.push(ranges) - 1
    this.#setIndex.set(key, set)
    return this.#node({ op: 'take', set, next })
  }

  #split(first: number, second: number): number {
    return this.#node({ op: 'split', first, second, choice: this.choices++ })
  }

  #turn(split: number, first: number, second: number): void {
    const node = this.nodes[split]
    if (node?.op === 'split') Object.assign(node, { first, second })
  }

  #node(node: ProgramNode): number {
    if (this.nodes.length >= this.limit) throw new ProgramTooLarge('its patterns need more states than fit')
    return this.nodes.push(node) - 1
  }
}

interface Building {
  /** By the number of a group: the first of its two slots. */
  readonly slots: ReadonlyMap<number, number>
  exact: boolean
  /** What its looks look for, those in other looks too. */
  looks: ReadonlySet<string>
}

/** Looks for the same have the same. */
function keyOf(item: RegexNode): string {
  return JSON.stringify(item)
}

/** Of a look, and of those in it. */
function lookKeys(node: RegexNode): readonly string[] {
  const inner = inside(node).flatMap(lookKeys)
  return node.type === 'look' ? [keyOf(node.item), ...inner] : inner
}

function inside(node: RegexNode): readonly RegexNode[] {
  switch (node.type) {
    case 'sequence':
      return node.items
    case 'alternation':
      return node.branches
    case 'repeat':
    case 'group':
    case 'look':
      return [node.item]
    default:
      return []
  }
}

/**
 * Whether a program says of a text just what the node does, wherever it stands and however long it is; groups and which
 * way is taken apart.
 */
function isSure(node: RegexNode): boolean {
  if (node.type === 'repeat' && isManyTimes(node.max)) return false
  return node.type !== 'unsure' && node.type !== 'start' && inside(node).every(isSure)
}

function isManyTimes(max: number): boolean {
  return max >= manyTimes && max !== Infinity
}

/** How many bytes decide about the node, at most. */
function longestOf(node: RegexNode): number {
  switch (node.type) {
    case 'set':
      return 1
    case 'alternation':
      return Math.max(...node.branches.map(longestOf))
    case 'repeat': {
      const each = longestOf(node.item)
      return each === 0 || node.max === 0 ? 0 : each * node.max
    }
    default:
      return inside(node).reduce((sum, one) => sum + longestOf(one), 0)
  }
}

/** The node without the start of the text, which is the first thing in it on every way; null where it is not. */
function withoutStart(node: RegexNode): RegexNode | null {
  switch (node.type) {
    case 'start':
      return { type: 'sequence', items: [] }
    case 'sequence': {
      const [first, ...rest] = node.items
      const stripped = first === undefined ? null : withoutStart(first)
      return stripped === null ? null : { type: 'sequence', items: [stripped, ...rest] }
    }
    case 'group': {
      const item = withoutStart(node.item)
      return item === null ? null : { ...node, item }
    }
    case 'alternation': {
      const branches = node.branches.flatMap((branch) => withoutStart(branch) ?? [])
      return branches.length === node.branches.length ? { type: 'alternation', branches } : null
    }
    default:
      return null
  }
}

function canBeEmpty(node: RegexNode): boolean {
  switch (node.type) {
    case 'set':
      return false
    case 'sequence':
      return node.items.every(canBeEmpty)
    case 'alternation':
      return node.branches.some(canBeEmpty)
    case 'group':
      return canBeEmpty(node.item)
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.item)
    default:
      return true
  }
}
