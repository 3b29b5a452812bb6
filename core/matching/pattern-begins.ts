/**
 * With what texts a pattern begins, and what it holds besides: a line of many patterns is led to those that may match
 * it by a few of its characters. As the literals these may be weak but never wrong.
 */
import { children, canBeEmpty, type GroupNode, type PatternNode } from './pattern-tree.ts'
import { exactTexts, firstCharacters, rarest } from './pattern-literals.ts'

/** A pattern begins with one of so many texts at most. */
const maxBegins = 16

/**
 * ASCII texts with one of which each text begins in which the pattern finds something, for patterns that match at the
 * start alone; null: nothing is known.
 */
export function beginTexts(root: PatternNode): readonly string[] | null {
  if (firstCharacters(root) === null) return null
  const { texts } = beginOf(root)
  return texts.includes('') ? null : texts
}

/** The rarest ASCII text that stands in every match and in none of the begins; null: there is none. */
export function laterLiteral(root: PatternNode, begins: readonly string[]): string | null {
  const texts = heldTexts(root).filter((text) => text.length > 2 && !begins.some((begin) => begin.includes(text)))
  return rarest(texts)
}

/** The names of the groups that hold at least a character in every match. */
export function filledGroups(root: PatternNode): ReadonlySet<string> {
  return new Set([...sureGroups(root)].flatMap(({ tag, item }) => (tag === null || canBeEmpty(item) ? [] : tag)))
}

interface Begin {
  readonly texts: readonly string[]
  /** They are all that is matched. */
  readonly isWhole: boolean
}

const nothing: Begin = { texts: [''], isWhole: true }
const unknown: Begin = { texts: [''], isWhole: false }

function beginOf(node: PatternNode): Begin {
  switch (node.type) {
    case 'character':
    case 'set': {
      const texts = exactTexts(node)
      return texts === null ? unknown : { texts, isWhole: true }
    }
    case 'assertion':
    case 'look':
      return nothing
    case 'sequence':
      return beginOfSequence(node.items)
    case 'alternation':
    case 'conditional': {
      const all = children(node).map(beginOf)
      return bounded(
        all.flatMap(({ texts }) => texts),
        all.every(({ isWhole }) => isWhole),
      )
    }
    case 'repeat': {
      const { texts, isWhole } = node.max === 0 ? nothing : beginOf(node.item)
      return bounded(node.min === 0 ? [...texts, ''] : texts, isWhole && node.max <= 1)
    }
    case 'group':
    case 'atomic':
      return beginOf(node.item)
    default:
      return unknown
  }
}

function beginOfSequence(items: readonly PatternNode[]): Begin {
  let begin: readonly string[] = ['']
  for (const item of items) {
    const { texts, isWhole } = beginOf(item)
    const longer = begin.flatMap((start) => texts.map((text) => start + text))
    if (longer.length > maxBegins) return { texts: begin, isWhole: false }
    begin = longer
    if (!isWhole) return { texts: begin, isWhole: false }
  }
  return { texts: begin, isWhole: true }
}

function bounded(texts: readonly string[], isWhole: boolean): Begin {
  return texts.length > maxBegins ? unknown : { texts: [...new Set(texts)], isWhole }
}

/** Texts each of which stands in every match: what is known exactly in one row. */
function heldTexts(node: PatternNode): string[] {
  switch (node.type) {
    case 'sequence': {
      const found: string[] = []
      let row = ''
      for (const item of node.items) {
        const [only, ...others] = exactTexts(item) ?? []
        if (only !== undefined && others.length === 0) row += only
        else {
          found.push(row, ...heldTexts(item))
          row = ''
        }
      }
      return [...found, row]
    }
    case 'repeat':
      return node.min === 0 ? [] : heldTexts(node.item)
    case 'group':
    case 'atomic':
      return heldTexts(node.item)
    default: {
      const [only, ...others] = exactTexts(node) ?? []
      return only !== undefined && others.length === 0 ? [only] : []
    }
  }
}

/** The groups that take part in every match. */
function sureGroups(node: PatternNode): ReadonlySet<GroupNode> {
  switch (node.type) {
    case 'alternation':
    case 'conditional': {
      const [first = new Set<GroupNode>(), ...others] = children(node).map(sureGroups)
      return new Set([...first].filter((group) => others.every((groups) => groups.has(group))))
    }
    case 'repeat':
      return node.min > 0 ? sureGroups(node.item) : new Set()
    case 'look':
      return new Set()
    case 'group':
      return new Set([...sureGroups(node.item), node])
    default:
      return new Set(children(node).flatMap((child) => [...sureGroups(child)]))
  }
}
