/**
 * What every text must contain for a pattern to match it, and how it must begin. Both are used to
 * pass over lines without trying the pattern, so they may be weak but never wrong.
 */
import { asciiPart } from './character-sets.ts'
import { children, type PatternNode, type SetNode } from './pattern-tree.ts'

/** Neighbours are put together to so many texts at most. */
const maxTexts = 16
/** A set of this many literals at most: lists of words are long. */
const maxLiterals = 256
/** Shorter literals are taken only where there is nothing else. */
const wishedLength = 3
/** So many sets of literals are offered for a pattern. */
const maxChoices = 4
/** A single character stands in nearly every line. */
const usefulLength = 2
const lettersByFrequency = 'etaoinsrhldcumfpgwybvkxjqz'

/** ASCII texts one of which stands in every match, the rarest such set that was found; null where nothing is known. */
export function requiredLiterals(root: PatternNode): readonly string[] | null {
  const { best } = facts(root)
  if (best === null || best.some((literal) => literal.length < usefulLength)) return null
  return withoutSuperfluous(best)
}

/**
 * Such sets of literals that stand at different places of every match, so each alone is enough; the first is the one above.
 * Who has seen some of the log may know that it holds another one less often.
 */
export function literalChoices(root: PatternNode): readonly (readonly string[])[] {
  const best = requiredLiterals(root)
  if (best === null) return []
  const others = runs(root)
    .map(withoutSuperfluous)
    .filter((set) => set.length <= maxLiterals && set.every((literal) => literal.length >= wishedLength))
    .filter((set) => set.join('\0') !== best.join('\0'))
    .toSorted((a, b) => rarity(b) - rarity(a))
  return [best, ...others.slice(0, maxChoices - 1)]
}

/** The ASCII characters one of which begins every match, for patterns that begin at the start of the text; else null. */
export function firstCharacters(root: PatternNode): string | null {
  const first = begin(root)
  if (!first.anchored || first.empty || first.characters === null) return null
  return [...first.characters].toSorted().join('')
}

/** All ASCII texts that a node can match; null: they are too many, or unknown. */
export function exactTexts(node: PatternNode): readonly string[] | null {
  return facts(node).exact
}

/** Of texts the one that fewest lines will contain; null: there is none. */
export function rarest(texts: readonly string[]): string | null {
  return texts.reduce<string | null>(
    (best, text) => (best === null || rarity([text]) > rarity([best]) ? text : best),
    null,
  )
}

interface Facts {
  /** Every text that the node can match is one of these; null where they are too many or unknown. */
  readonly exact: readonly string[] | null
  readonly best: readonly string[] | null
}

const unknown: Facts = { exact: null, best: null }

function facts(node: PatternNode): Facts {
  switch (node.type) {
    case 'character':
      return node.code < 0x80 ? oneLetter(String.fromCharCode(node.code)) : unknown
    case 'set':
      return setFacts(node)
    case 'assertion':
    case 'look':
      return exactly([''])
    case 'sequence':
      return sequenceFacts(node.items)
    case 'alternation':
    case 'conditional':
      return branchFacts(children(node))
    case 'repeat': {
      if (node.max === 0) return exactly([''])
      const item = facts(node.item)
      if (node.min === 0) return node.max === 1 && item.exact ? exactly(['', ...item.exact]) : unknown
      return node.max === 1 ? item : { exact: null, best: item.best }
    }
    case 'group':
    case 'atomic':
      return facts(node.item)
    default:
      return unknown
  }
}

function oneLetter(letter: string): Facts {
  const exact = [letter]
  return { exact, best: exact }
}

function exactly(texts: readonly string[]): Facts {
  const exact = [...new Set(texts)]
  return exact.length > maxTexts ? unknown : { exact, best: rarer(null, exact) }
}

function setFacts(set: SetNode): Facts {
  if (set.negated || set.classes.length > 0 || set.ranges.some((range) => range.to >= 0x80)) return unknown
  const codes = asciiPart(set).flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
  return codes.length === 0 ? unknown : exactly(codes.map((code) => String.fromCharCode(code)))
}

function branchFacts(branches: readonly PatternNode[]): Facts {
  const all = branches.map(facts)
  const exacts = all.flatMap((one) => one.exact ?? [])
  if (all.every((one) => one.exact !== null) && exacts.length <= maxTexts) return exactly(exacts)
  const bests = all.flatMap((one) => one.best ?? [])
  return all.every((one) => one.best !== null) ? { exact: null, best: rarer(null, fewer(bests)) } : unknown
}

/** Neighbours that are known exactly make longer literals, until something unknown or too much variety cuts them. */
function sequenceFacts(items: readonly PatternNode[]): Facts {
  let best: readonly string[] | null = null
  let current: readonly string[] = ['']
  let whole = true
  for (const item of items) {
    const one = facts(item)
    // One letter alone is never worth looking for.
    if (item.type !== 'character') best = rarer(best, one.best)
    const longer = one.exact === null ? [] : current.flatMap((start) => one.exact?.map((end) => start + end) ?? [])
    if (longer.length > 0 && longer.length <= maxTexts) current = longer
    else {
      best = rarer(best, current)
      current = one.exact ?? ['']
      whole = false
    }
  }
  return { exact: whole ? [...new Set(current)] : null, best: rarer(best, current) }
}

/** What each of the things that follow one another in the pattern requires by itself; neighbours that are known exactly are one. */
function runs(node: PatternNode): readonly (readonly string[])[] {
  if (node.type === 'group' || node.type === 'atomic') return runs(node.item)
  if (node.type !== 'sequence') return required(facts(node))
  const found: (readonly string[])[] = []
  let exact: PatternNode[] = []
  for (const item of node.items) {
    if (facts(item).exact !== null) {
      exact.push(item)
      continue
    }
    found.push(...required(sequenceFacts(exact)), ...runs(item))
    exact = []
  }
  return [...found, ...required(sequenceFacts(exact))]
}

function required({ best }: Facts): readonly (readonly string[])[] {
  return best === null ? [] : [best]
}

/** The set of literals that fewer lines will contain. */
function rarer(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (b === null || b.length === 0 || b.length > maxLiterals || b.includes('')) return a
  return a === null || rarity(b) > rarity(a) ? b : a
}

function rarity(literals: readonly string[]): number {
  const bits = Math.min(...literals.map((literal) => [...literal].reduce((sum, letter) => sum + letterBits(letter), 0)))
  const short = literals.some((literal) => literal.length < wishedLength)
  return bits - 2 * Math.log2(literals.length) - (short ? 100 : 0)
}

/** Roughly minus the binary logarithm of how often a character stands in a log. */
function letterBits(letter: string): number {
  const index = lettersByFrequency.indexOf(letter)
  if (index >= 0) return 3 + index * 0.2
  if (letter === ' ') return 2.5
  return /[A-Z]/.test(letter) ? 6.5 : 4
}

/** Shorter ones where they are too many: words in letters of both cases often begin alike. */
function fewer(literals: readonly string[]): readonly string[] {
  return literals.length <= maxLiterals ? literals : [...new Set(literals.map((one) => one.slice(0, wishedLength)))]
}

/** A literal that contains another of the set adds nothing. */
function withoutSuperfluous(literals: readonly string[]): readonly string[] {
  const all = [...new Set(literals)]
  return all.filter((literal) => !all.some((other) => other !== literal && literal.includes(other)))
}

interface Begin {
  /** Whether it can only match at the start of the text. */
  readonly anchored: boolean
  /** Whether it may match without consuming a character. */
  readonly empty: boolean
  /** What the first character can be; null where that is not known. */
  readonly characters: ReadonlySet<string> | null
}

const nothing: Begin = { anchored: false, empty: true, characters: new Set() }

function begin(node: PatternNode): Begin {
  switch (node.type) {
    case 'character':
      return consuming(node.code < 0x80 ? [String.fromCharCode(node.code)] : null)
    case 'set':
      return consuming(setFacts(node).exact)
    case 'address':
      return consuming(`0123456789abcdefABCDEF:${node.brackets ? '[' : ''}`)
    case 'assertion':
      return { ...nothing, anchored: node.kind === 'start' }
    case 'look':
      return nothing
    case 'reference':
      return { ...nothing, characters: null }
    case 'sequence':
      return beginOfSequence(node.items)
    case 'alternation':
    case 'conditional':
      return either(children(node).map(begin))
    case 'repeat': {
      const item = begin(node.item)
      return node.min > 0 ? item : { ...item, anchored: false, empty: true }
    }
    default:
      return begin(node.item)
  }
}

function consuming(characters: Iterable<string> | null): Begin {
  return { anchored: false, empty: false, characters: characters === null ? null : new Set(characters) }
}

function beginOfSequence(items: readonly PatternNode[]): Begin {
  let sum = nothing
  for (const item of items) {
    if (!sum.empty) break
    const next = begin(item)
    sum = {
      // An anchor counts only where nothing has been consumed before it; if something may have been, the
      // anchor still forces it to be empty.
      anchored: sum.anchored || next.anchored,
      empty: next.empty,
      characters: union(sum.characters, next.characters),
    }
  }
  return sum
}

function either(branches: readonly Begin[]): Begin {
  return {
    anchored: branches.every((branch) => branch.anchored),
    empty: branches.some((branch) => branch.empty),
    characters: branches.reduce<Begin['characters']>((sum, branch) => union(sum, branch.characters), new Set()),
  }
}

function union(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): ReadonlySet<string> | null {
  return a === null || b === null ? null : new Set([...a, ...b])
}
