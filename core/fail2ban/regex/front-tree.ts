import { children, type PatternNode } from '../../matching/pattern-tree.ts'

/**
 * Of a tree that ends in a group with this name of `.+` and in `$` the same with one character in place of both. In a
 * line with a newline at its end, and no other, each way to match what stands before leads to a match if and only if such a
 * character follows. Null: the tree ends otherwise.
 */
export function frontTree(root: PatternNode, name: string): PatternNode | null {
  if (root.type !== 'sequence') return null
  const [end, group] = root.items.toReversed()
  if (end?.type !== 'assertion' || end.kind !== 'last-line-end') return null
  if (group?.type !== 'group' || group.tag !== name || refersTo(root, group.number)) return null
  const rest = unwrapped(group.item)
  if (rest.type !== 'repeat' || rest.min !== 1 || rest.max !== Infinity || rest.kind !== 'greedy') return null
  const any = unwrapped(rest.item)
  return isDot(any) ? { ...root, items: [...root.items.slice(0, -2), any] } : null
}

function unwrapped(node: PatternNode): PatternNode {
  const [only, ...others] = node.type === 'sequence' ? node.items : []
  return only !== undefined && others.length === 0 ? unwrapped(only) : node
}

/** All but a newline. */
function isDot(node: PatternNode): boolean {
  if (node.type !== 'set' || !node.negated || node.classes.length > 0 || node.ranges.length !== 1) return false
  const [range] = node.ranges
  return range?.from === newline && range.to === newline
}

const newline = 10

function refersTo(node: PatternNode, group: number): boolean {
  const isOwn = (node.type === 'reference' || node.type === 'conditional') && node.number === group
  return isOwn || children(node).some((child) => refersTo(child, group))
}
