/**
 * Rewrites a tree so that V8's linear engine takes what is truly regular, without changing what it matches: look-behinds
 * that are always true go (the one in Fail2ban's IPv6 address), a `$` at the very end takes the last newline along, and
 * counts that multiply to more than the engine writes out are written out here.
 */
import { mostCopies } from '../../matching/linear.ts'
import type { GroupUse } from '../../matching/pattern-groups.ts'
import {
  canBeEmpty,
  children,
  withChildren,
  type CharacterNode,
  type PatternNode,
  type RepeatNode,
  type SetNode,
} from '../../matching/pattern-tree.ts'

/** A repetition that would be written out longer than this is left as it is. */
const longestCopy = 4000

/** The same pattern, nearer to what the linear engine takes. Groups that capture keep their numbers. */
export function linearForm(root: PatternNode, use: GroupUse): PatternNode {
  return writtenOut(endingTaken(withoutSureLooks(root, []), use), use)
}

/** `before`: what stands in front of the node, nearest last. */
function withoutSureLooks(node: PatternNode, before: readonly PatternNode[]): PatternNode {
  if (node.type === 'look') {
    const sure = node.behind && !node.negated && isUnit(node.item) && endsIn(before.toReversed(), unitOf(node.item))
    return sure ? { type: 'sequence', items: [] } : node
  }
  if (node.type === 'sequence') {
    const items = node.items.map((item, index) =>
      isLeaf(item) ? item : withoutSureLooks(item, [...before, ...node.items.slice(0, index)]),
    )
    return { ...node, items }
  }
  const around = node.type === 'repeat' && node.max > 1 ? [] : before
  return withChildren(
    node,
    children(node).map((child) => withoutSureLooks(child, around)),
  )
}

function isLeaf({ type }: PatternNode): boolean {
  return type === 'character' || type === 'set' || type === 'assertion' || type === 'reference'
}

type Unit = CharacterNode | SetNode

function isUnit(node: PatternNode): boolean {
  const item = node.type === 'sequence' && node.items.length === 1 ? node.items[0] : node
  return item !== undefined && (item.type === 'character' || (item.type === 'set' && isPlain(item)))
}

function unitOf(node: PatternNode): Unit {
  const item = node.type === 'sequence' ? node.items[0] : node
  return item as Unit
}

/** A set that its ranges alone tell. */
function isPlain(set: SetNode): boolean {
  return !set.negated && set.classes.length === 0
}

/** Whether all that the nodes match, nearest first, ends in a character of `unit`. */
function endsIn(nodes: readonly PatternNode[], unit: Unit): boolean {
  const [nearest, ...others] = nodes
  if (nearest === undefined) return false
  switch (nearest.type) {
    case 'character':
    case 'set':
      return isPartOf(nearest, unit)
    case 'sequence':
      return endsIn([...nearest.items.toReversed(), ...others], unit)
    case 'group':
    case 'atomic':
      return endsIn([nearest.item, ...others], unit)
    case 'alternation':
      return nearest.branches.every((branch) => endsIn([branch, ...others], unit))
    case 'repeat':
      if (canBeEmpty(nearest.item)) return false
      return endsIn([nearest.item], unit) && (nearest.min > 0 || endsIn(others, unit))
    case 'assertion':
    case 'look':
      return endsIn(others, unit)
    default:
      return false
  }
}

function isPartOf(part: Unit, whole: Unit): boolean {
  if (part.type === 'set' && !isPlain(part)) return false
  const ranges = rangesOf(whole)
  return rangesOf(part).every(({ from, to }) => ranges.some((range) => range.from <= from && to <= range.to))
}

function rangesOf(unit: Unit): SetNode['ranges'] {
  return unit.type === 'set' ? unit.ranges : [{ from: unit.code, to: unit.code }]
}

/** Nothing comes behind the node, and no group that captures is around it. */
function endingTaken(node: PatternNode, use: GroupUse): PatternNode {
  switch (node.type) {
    case 'assertion':
      return node.kind === 'last-line-end' ? { ...node, kind: 'taken-last-line-end' } : node
    case 'sequence': {
      const last = node.items.at(-1)
      return last === undefined ? node : { ...node, items: [...node.items.slice(0, -1), endingTaken(last, use)] }
    }
    case 'group':
      return use.capturing.has(node.number) ? node : { ...node, item: endingTaken(node.item, use) }
    case 'alternation':
    case 'conditional':
      return withChildren(
        node,
        children(node).map((child) => endingTaken(child, use)),
      )
    default:
      return node
  }
}

function writtenOut(node: PatternNode, use: GroupUse): PatternNode {
  if (isLeaf(node)) return node
  const inside = withChildren(
    node,
    children(node).map((child) => writtenOut(child, use)),
  )
  if (inside.type !== 'repeat' || inside.kind === 'possessive') return inside
  const { item, min, max } = inside
  const times = max === Infinity ? min : max
  const fits = times * copies(item) <= mostCopies || times * size(item) > longestCopy
  return fits || canBeEmpty(item) || captures(item, use) ? inside : unrolled(inside)
}

/** `x{2,4}` as `xx(?:x(?:x)?)?`, which is tried in the same order. */
function unrolled({ item, min, max, kind }: RepeatNode): PatternNode {
  const items = Array.from({ length: min }, () => item)
  if (max === Infinity) return { type: 'sequence', items: [...items, { type: 'repeat', item, min: 0, max, kind }] }
  let rest: PatternNode | null = null
  for (let left = max - min; left > 0; left--) {
    const one: PatternNode = rest === null ? item : { type: 'sequence', items: [item, rest] }
    rest = { type: 'repeat', item: one, min: 0, max: 1, kind }
  }
  return { type: 'sequence', items: rest === null ? items : [...items, rest] }
}

/** How often the engine would write the innermost part of a node. */
function copies(node: PatternNode): number {
  const inside = Math.max(1, ...children(node).map(copies))
  if (node.type !== 'repeat') return inside
  return inside * Math.max(1, node.max === Infinity ? node.min : node.max)
}

function size(node: PatternNode): number {
  return children(node).reduce((sum, child) => sum + size(child), 1)
}

function captures(node: PatternNode, use: GroupUse): boolean {
  if (node.type === 'group' && use.capturing.has(node.number)) return true
  return children(node).some((child) => captures(child, use))
}
