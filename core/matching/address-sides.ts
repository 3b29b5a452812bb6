/**
 * Finds the sides of an address tag at which the pattern itself demands a character that ends an
 * address (`from <HOST> port`). There no look-around is needed, which is faster and leaves the
 * expression to V8's linear engine when it backtracks too much.
 */
import { endsAddress, type KnownSides } from './address-source.ts'
import { asciiPart } from './character-sets.ts'
import { canBeEmpty, children, type AddressNode, type PatternNode, type SetNode } from './pattern-tree.ts'

/** What is known about the sides of each address tag of a pattern. */
export function sidesOfAddresses(root: PatternNode): ReadonlyMap<AddressNode, KnownSides> {
  const sides = new Map<AddressNode, KnownSides>()
  visit(root, [], [], sides)
  return sides
}

/** `before` (nearest last) and `after` (nearest first) are what surely stands around the node. */
function visit(
  node: PatternNode,
  before: readonly PatternNode[],
  after: readonly PatternNode[],
  sides: Map<AddressNode, KnownSides>,
): void {
  switch (node.type) {
    case 'address':
      sides.set(node, { left: endsHere(before.toReversed(), 'start'), right: endsHere(after, 'end') })
      break
    case 'sequence':
      node.items.forEach((item, index) => {
        if (item.type === 'character' || item.type === 'set') return
        visit(item, [...before, ...node.items.slice(0, index)], [...node.items.slice(index + 1), ...after], sides)
      })
      break
    case 'group':
    case 'alternation':
    case 'atomic':
      for (const child of children(node)) visit(child, before, after, sides)
      break
    case 'repeat':
      visit(node.item, node.max === 1 ? before : [], node.max === 1 ? after : [], sides)
      break
    default:
      for (const child of children(node)) visit(child, [], [], sides)
  }
}

/**
 * Whether the nodes, nearest first, demand an ending character (or the edge of the text) next to the address. A
 * port that the pattern demands (`<ADDR>:\d{1,5}` and an ending character) ends an address as well: only so can
 * `2001:db8::7:443` be read, which Apache and HAProxy write for port 443 of 2001:db8::7.
 */
function endsHere(nodes: readonly PatternNode[], edge: 'start' | 'end'): boolean {
  const [nearest, ...others] = nodes
  if (nearest === undefined) return false
  switch (nearest.type) {
    case 'assertion':
      return nearest.kind === edge || endsHere(others, edge)
    case 'look':
      return endsHere(others, edge)
    case 'character':
      if (endsAddress.has(String.fromCodePoint(nearest.code))) return true
      return edge === 'end' ? isColonBehind(nodes) : isMailTag(nodes)
    case 'set':
      return allEnd(nearest)
    case 'sequence':
      return endsHere([...(edge === 'end' ? nearest.items : nearest.items.toReversed()), ...others], edge)
    case 'group':
    case 'atomic':
      return endsHere([nearest.item, ...others], edge)
    case 'alternation':
      return nearest.branches.every((branch) => endsHere([branch, ...others], edge))
    case 'repeat': {
      if (canBeEmpty(nearest.item)) return false
      return endsHere([nearest.item], edge) && (nearest.min > 0 || endsHere(others, edge))
    }
    default:
      return false
  }
}

/** Whether a colon stands behind the address that is no part of it: one with a port, or the end of a clause (`<ADDR>: why`). */
function isColonBehind([nearest, ...others]: readonly PatternNode[]): boolean {
  if (nearest?.type !== 'character' || String.fromCodePoint(nearest.code) !== ':') return false
  return endsHere(others, 'end') || isPort(others)
}

/** One digit or more, and then what ends an address. */
function isPort([digits, ...others]: readonly PatternNode[]): boolean {
  if (digits?.type === 'group') return isPort([digits.item, ...others])
  if (digits?.type === 'sequence') return isPort([...digits.items, ...others])
  return digits?.type === 'repeat' && digits.min > 0 && isDigit(digits.item) && endsHere(others, 'end')
}

function isDigit(node: PatternNode): boolean {
  if (node.type !== 'set' || node.negated || node.classes.some((name) => name !== 'digit')) return false
  return node.ranges.every(({ from, to }) => from >= 0x30 && to <= 0x39)
}

/** Whether `IPv6:` stands before the address (RFC 5321, section 4.1.3). No part of an address could. */
function isMailTag(nodes: readonly PatternNode[]): boolean {
  return [...':6vPI'].every((letter, index) => {
    const node = nodes[index]
    return node?.type === 'character' && String.fromCodePoint(node.code) === letter
  })
}

function allEnd(set: SetNode): boolean {
  if (set.negated || set.classes.some((name) => name !== 'space')) return false
  if (set.ranges.some((range) => range.to >= 0x80)) return false
  const ranges = set.classes.length > 0 ? set.ranges : asciiPart(set)
  return ranges.every(({ from, to }) => {
    for (let code = from; code <= to; code++) if (!endsAddress.has(String.fromCharCode(code))) return false
    return true
  })
}
