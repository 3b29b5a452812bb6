/**
 * Where Python's groups and JavaScript's differ: a group that took no part fails a back-reference in
 * Python and matches the empty text in JavaScript; a repetition forgets the groups of its last turn
 * in JavaScript and keeps them in Python; a turn that matches nothing is allowed in Python only. This
 * file tells which groups must capture, which must be asked whether they took part, and refuses what
 * would come out differently.
 */
import { PatternError, type PatternPlace } from './pattern-error.ts'
import { canBeEmpty, children, type GroupNode, type PatternNode, type RepeatNode } from './pattern-tree.ts'
import { ignoringCaseOf } from './unicode-tables.ts'

export interface GroupUse {
  /** Numbers of the groups that must capture: they fill a tag, or something refers to them. */
  readonly capturing: ReadonlySet<number>
  /** Numbers of those that may take no part where they are referred to. Each consumes a character at least. */
  readonly tested: ReadonlySet<number>
}

/** Which groups must capture, besides those that something refers to. */
export type Captured = 'all' | 'tagged' | 'none'

/** The facts about the groups of a pattern. Throws a PatternError for what JavaScript would do otherwise. */
export function useOfGroups(
  root: PatternNode,
  text: string,
  place: PatternPlace,
  captured: Captured = 'tagged',
): GroupUse {
  const walk = new GroupWalk(text, place, captured)
  walk.collect(root)
  walk.visit(root, new Set(), { look: false, behind: false })
  walk.checkTested()
  return walk
}

/** Whether a node is around the place: any look-around, a look-behind. */
interface Around {
  readonly look: boolean
  readonly behind: boolean
}

class GroupWalk implements GroupUse {
  readonly capturing = new Set<number>()
  readonly tested = new Set<number>()
  readonly #text: string
  readonly #place: PatternPlace
  readonly #groups = new Map<number, GroupNode>()
  readonly #inLook = new Set<number>()
  /** Groups that have been visited to their end. */
  readonly #closed = new Set<number>()
  readonly #captured: Captured

  constructor(text: string, place: PatternPlace, captured: Captured) {
    this.#text = text
    this.#place = place
    this.#captured = captured
  }

  collect(node: PatternNode): void {
    if (node.type === 'group') this.#groups.set(node.number, node)
    if (node.type === 'group' && this.#mustCapture(node)) this.capturing.add(node.number)
    if (node.type === 'reference' || node.type === 'conditional') this.capturing.add(node.number)
    for (const child of children(node)) this.collect(child)
  }

  #mustCapture({ tag }: GroupNode): boolean {
    return this.#captured === 'all' || (this.#captured === 'tagged' && tag !== null)
  }

  /** `sure`: the groups that took part whenever the node is reached. Returns those after it. */
  visit(node: PatternNode, sure: ReadonlySet<number>, around: Around): ReadonlySet<number> {
    switch (node.type) {
      case 'sequence':
        return node.items.reduce((set, item) => this.visit(item, set, around), sure)
      case 'alternation':
        return common(node.branches.map((branch) => this.visit(branch, sure, around)))
      case 'repeat':
        return this.#visitRepeat(node, sure, around)
      case 'group':
        return this.#visitGroup(node, sure, around)
      case 'look': {
        const inside = this.visit(node.item, sure, { look: true, behind: around.behind || node.behind })
        return node.negated ? sure : inside
      }
      case 'reference':
      case 'conditional':
        return this.#visitUse(node, sure, around)
      default:
        return children(node).reduce((set, child) => this.visit(child, set, around), sure)
    }
  }

  checkTested(): void {
    for (const number of this.tested) {
      const group = this.#groups.get(number)
      if (!group) continue
      if (this.#inLook.has(number)) this.#fail(group.at, 'this group is referred to and stands in a look-around')
      if (canBeEmpty(group.item)) {
        this.#fail(
          group.at,
          'this group may be empty or absent where it is referred to',
          'let it hold a character at least',
        )
      }
    }
  }

  #visitGroup(node: GroupNode, sure: ReadonlySet<number>, around: Around): ReadonlySet<number> {
    if (around.look) this.#inLook.add(node.number)
    const inside = this.visit(node.item, sure, around)
    this.#closed.add(node.number)
    return new Set([...inside, node.number])
  }

  #visitUse(
    node: Extract<PatternNode, { type: 'reference' | 'conditional' }>,
    sure: ReadonlySet<number>,
    around: Around,
  ): ReadonlySet<number> {
    if (around.behind) this.#fail(node.at, 'a look-behind cannot refer to a group')
    if (!this.#closed.has(node.number)) this.#fail(node.at, 'a condition stands before the end of its group')
    if (node.type === 'reference' && node.ignoring !== null && !isCaseless(this.#groups.get(node.number)))
      this.#fail(node.at, 'a back-reference ignores case')
    if (!sure.has(node.number)) this.tested.add(node.number)
    if (node.type === 'reference') return sure
    return common([this.visit(node.yes, new Set([...sure, node.number]), around), this.visit(node.no, sure, around)])
  }

  #visitRepeat(node: RepeatNode, sure: ReadonlySet<number>, around: Around): ReadonlySet<number> {
    const after = this.visit(node.item, sure, around)
    if (node.max > 1) this.#checkTurns(node)
    if (node.kind === 'possessive') this.#checkPossessive(node)
    return node.min > 0 ? after : sure
  }

  /** Several turns: each must set all groups that capture, and consume something or prefer to. */
  #checkTurns(node: RepeatNode): void {
    const inside = [...groupsIn(node.item)].filter((group) => this.capturing.has(group.number))
    const sure = surely(node.item)
    for (const group of inside) {
      if (!sure.has(group.number)) {
        this.#fail(
          group.at,
          'this group stands in a repetition that may leave it out',
          'move the repetition into the group',
        )
      }
      if (canBeEmpty(node.item)) {
        this.#fail(group.at, 'this group stands in a repetition of something that may be empty')
      }
    }
    if (!emptyLast(node.item)) {
      this.#fail(
        this.#text.length,
        'a repetition prefers to repeat nothing',
        'let what is repeated hold a character at least',
      )
    }
  }

  /** Python does not put back what a turn captured before it failed. */
  #checkPossessive(node: RepeatNode): void {
    const inside = [...groupsIn(node.item)].find((group) => this.capturing.has(group.number))
    if (inside !== undefined) this.#fail(inside.at, 'this group stands in a possessive repetition')
  }

  #fail(at: number, message: string, hint?: string): never {
    throw new PatternError(this.#place, this.#text, at, message, hint)
  }
}

/** Whether all that a node matches is the same in every case. Only small sets are looked at. */
function isCaseless(node: PatternNode | undefined): boolean {
  if (node === undefined) return false
  if (node.type === 'character') return ignoringCaseOf(node.code).length === 1
  if (node.type !== 'set') return node.type !== 'reference' && children(node).every(isCaseless)
  const codes = node.ranges.flatMap(({ from, to }) =>
    Array.from({ length: Math.min(to - from + 1, 33) }, (_, at) => from + at),
  )
  const isSmall = !node.negated && node.classes.length === 0 && codes.length <= 32
  return isSmall && codes.every((code) => ignoringCaseOf(code).length === 1)
}

function* groupsIn(node: PatternNode): Generator<GroupNode> {
  if (node.type === 'group') yield node
  for (const child of children(node)) yield* groupsIn(child)
}

/** The groups that take part in every match of the node. */
function surely(node: PatternNode): ReadonlySet<number> {
  switch (node.type) {
    case 'alternation':
    case 'conditional':
      return common(children(node).map(surely))
    case 'repeat':
      return node.min > 0 ? surely(node.item) : new Set()
    case 'look':
      return node.negated ? new Set() : surely(node.item)
    case 'group':
      return new Set([...surely(node.item), node.number])
    default:
      return new Set(children(node).flatMap((child) => [...surely(child)]))
  }
}

/** Whether the empty text is the last thing that the node tries, if it can match it at all. */
function emptyLast(node: PatternNode): boolean {
  if (!canBeEmpty(node)) return true
  switch (node.type) {
    case 'alternation':
      return node.branches.every((branch, index) =>
        index === node.branches.length - 1 ? emptyLast(branch) : !canBeEmpty(branch),
      )
    case 'repeat':
      return node.max === 0 || (node.kind !== 'lazy' && emptyLast(node.item))
    case 'look':
    case 'assertion':
      return true
    default:
      return children(node).every(emptyLast)
  }
}

function common(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const [first = new Set<number>(), ...others] = sets
  return new Set([...first].filter((number) => others.every((set) => set.has(number))))
}
