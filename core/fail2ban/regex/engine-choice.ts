/** What V8 can say of an expression of Python: all of it, where a match begins, or nothing. */
import { PatternError, type PatternPlace } from '../../matching/pattern-error.ts'
import { useOfGroups, type Captured, type GroupUse } from '../../matching/pattern-groups.ts'
import { children, type PatternNode } from '../../matching/pattern-tree.ts'

export interface EngineChoice {
  /** `match`: V8 finds the match and its groups. `start`: V8 finds whether and where one begins. `none`: it finds nothing. */
  readonly finds: 'match' | 'start' | 'none'
  /** How the groups are used in what V8 is given. */
  readonly use: GroupUse
  /** Why V8 does not find all; null: it does. */
  readonly reason: string | null
}

/** Chooses for a tree; `all`: groups without a name are wanted as well. */
export function chooseEngine(tree: PatternNode, text: string, place: PatternPlace, all: boolean): EngineChoice {
  const exact = tryUse(tree, text, place, all ? 'all' : 'tagged')
  if (typeof exact !== 'string') return { finds: 'match', use: exact, reason: null }
  if (isAnyWay(tree)) return { finds: 'start', use: nothingCaptured, reason: exact }
  const start = tryUse(tree, text, place, 'none')
  if (typeof start !== 'string') return { finds: 'start', use: start, reason: exact }
  return { finds: 'none', use: nothingCaptured, reason: start }
}

const nothingCaptured: GroupUse = { capturing: new Set(), tested: new Set() }

function tryUse(tree: PatternNode, text: string, place: PatternPlace, captured: Captured): GroupUse | string {
  try {
    return useOfGroups(tree, text, place, captured)
  } catch (error) {
    if (error instanceof PatternError) return error.reason
    throw error
  }
}

/**
 * Whether only the order in which the ways are tried could differ. Then both find a match at the same places, though not
 * the same one: nothing in it depends on which way was taken before.
 */
function isAnyWay(node: PatternNode): boolean {
  if (node.type === 'reference' || node.type === 'conditional' || node.type === 'atomic') return false
  if (node.type === 'repeat' && node.kind === 'possessive') return false
  return children(node).every(isAnyWay)
}
