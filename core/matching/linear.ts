/**
 * Whether a pattern runs in linear time: whether V8's linear engine, to which the worker turns when a
 * pattern backtracks too much, takes it for lines of ASCII. What it takes is said in V8's
 * src/regexp/experimental/experimental.cc; test/core/matching/linear.test.ts asks the engine itself.
 */
import type { KnownSides } from './address-source.ts'
import type { GroupUse } from './pattern-groups.ts'
import { canBeEmpty, children, type AddressNode, type PatternNode } from './pattern-tree.ts'

/** Why the linear engine refuses a pattern: in words that go on from "it has"; null where it takes it. */
export function whyBacktracking(
  root: PatternNode,
  use: GroupUse,
  sides: ReadonlyMap<AddressNode, KnownSides>,
): string | null {
  const known = (node: AddressNode) => sides.get(node) ?? { left: false, right: false }
  const visit = (node: PatternNode, copies: number): string | null => {
    const own = reasonOf(node, use, known)
    if (own !== null) return own
    const inside = copies * copiesOf(node)
    if (inside > mostCopies) return `counts like {0,${mostCopies + 1}} that are too large, alone or multiplied`
    for (const child of children(node)) {
      const reason = visit(child, inside)
      if (reason !== null) return reason
    }
    return null
  }
  return visit(root, 1)
}

/** The engine writes a part out as often as it may be repeated, and so often at most. */
export const mostCopies = 16
/** What the counts inside of the expression of an address multiply to: see address-source.ts. */
const copiesOfAddress = 9

function copiesOf(node: PatternNode): number {
  if (node.type === 'address') return copiesOfAddress
  if (node.type !== 'repeat' || isChoice(node.min, node.max, node.item)) return 1
  // A part that may be repeated any number of times is written out as often as it must be.
  return node.max === Infinity ? Math.max(node.min, 1) : Math.max(node.min, node.max)
}

/** Such a repetition is written as an alternative: see pattern-emitter.ts. */
function isChoice(min: number, max: number, item: PatternNode): boolean {
  return min === 0 && max === 1 && canBeEmpty(item)
}

function reasonOf(node: PatternNode, use: GroupUse, known: (node: AddressNode) => KnownSides): string | null {
  switch (node.type) {
    case 'look':
      return 'a look-around'
    case 'reference':
      return 'a back-reference'
    case 'atomic':
      return 'an atomic group'
    case 'conditional':
      return use.tested.has(node.number) ? 'a condition' : null
    case 'group':
      return use.tested.has(node.number) ? 'a group that is tested' : null
    case 'repeat':
      return node.kind === 'possessive' ? 'a possessive count' : null
    case 'assertion':
      return /^(?:last-)?line-/.test(node.kind) ? 'a mark of a line inside the text' : null
    case 'address': {
      const { left, right } = known(node)
      return left && right ? null : 'an address without a blank, quote or bracket around it'
    }
    default:
      return null
  }
}
