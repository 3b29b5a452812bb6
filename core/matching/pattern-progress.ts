/**
 * How far a pattern that does not match a line got with it: the longest beginning of the pattern that
 * still matches, found by cutting its tree. For people only; nothing that decides asks for it.
 */
import { sidesOfAddresses } from './address-sides.ts'
import type { LineGuard } from './line-guard.ts'
import { emitPattern } from './pattern-emitter.ts'
import type { PatternPlace } from './pattern-error.ts'
import { useOfGroups } from './pattern-groups.ts'
import { locatePattern } from './pattern-parser.ts'
import { width, type PatternNode, type PatternSpan } from './pattern-tree.ts'

/** Where a pattern and a text part. Offsets are UTF-16 units. */
export interface Progress {
  /** The part of the pattern that found nothing to match. */
  readonly pattern: PatternSpan
  /** Where in the text it was looked for; `somewhere`: there or further on. */
  readonly textAt: number
  readonly somewhere: boolean
  /** Characters that the beginning demands and found: of several patterns the one with the most is the nearest. */
  readonly weight: number
}

/** A pattern that goes on so long with a line is left: it is not worth a hanging command. */
const patienceMs = 500

/** `guard` stops what takes too long. Null where the beginning of the pattern, which matches everything, is all that can be told, or where it takes too long. */
export function progressOf(pattern: string, place: PatternPlace, text: string, guard: LineGuard): Progress | null {
  const { tree, spans } = locatePattern(pattern, place)
  const walk = new ProgressWalk(pattern, place, text, spans)
  let found: Progress | null = null
  guard.run(() => (found = walk.walk(tree)), patienceMs)
  return found
}

/** What stands before a node, so that a cut tree can be made: the items before it, outermost first. */
type Before = readonly PatternNode[]

interface Cut {
  readonly before: Before
  readonly failing: PatternNode
  readonly span: PatternSpan
  /** Where the beginning matched: its end when its repetitions take all they can, and when they take little. */
  readonly most: number
  readonly least: number
}

class ProgressWalk {
  readonly #pattern: string
  readonly #place: PatternPlace
  readonly #text: string
  readonly #spans: ReadonlyMap<PatternNode, PatternSpan>

  constructor(pattern: string, place: PatternPlace, text: string, spans: ReadonlyMap<PatternNode, PatternSpan>) {
    this.#pattern = pattern
    this.#place = place
    this.#text = text
    this.#spans = spans
  }

  walk(tree: PatternNode): Progress | null {
    const whole = { start: 0, end: this.#pattern.length }
    if (this.#ends([tree]) !== null) return null
    const cut = this.#deepest([], tree, whole)
    if (cut === null) return null
    const weight = cut.before.reduce((sum, node) => sum + weightOf(node), 0)
    return { pattern: cut.span, textAt: cut.least, somewhere: cut.most !== cut.least, weight }
  }

  /** The deepest place in the node up to which it matches behind what stands before it. It does not match as a whole. */
  #deepest(before: Before, node: PatternNode, span: PatternSpan): Cut | null {
    switch (node.type) {
      case 'sequence':
        return this.#inSequence(before, node.items, span)
      case 'alternation':
        return node.branches
          .map((branch) => this.#deepest(before, branch, span))
          .reduce((best, cut) => (cut !== null && (best === null || cut.most > best.most) ? cut : best), null)
      case 'group':
      case 'atomic':
        return this.#deepest(before, node.item, span)
      case 'repeat': {
        const turns = this.#turns(before, node)
        const done = turns === 0 ? before : [...before, { ...node, min: turns, max: turns }]
        return this.#deepest(done, node.item, span)
      }
      default:
        return this.#cut(before, node, span)
    }
  }

  #inSequence(before: Before, items: readonly PatternNode[], span: PatternSpan): Cut | null {
    // A longer beginning matches only where the shorter ones do, so the place can be halved in on.
    let [low, high] = [0, items.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#ends([...before, ...items.slice(0, middle)]) === null) high = middle
      else low = middle
    }
    const failing = items[low]
    if (failing === undefined) return this.#cut(before, { type: 'sequence', items: [] }, span)
    const done = [...before, ...items.slice(0, low)]
    const cut = this.#deepest(done, failing, this.#spans.get(failing) ?? span)
    if (cut === null || cut.failing !== failing) return cut
    if (cut.most === cut.least) return { ...cut, span: { ...cut.span, end: this.#endOfWord(items, low, cut.span.end) } }
    return this.#wordOf(before, items, low, span) ?? cut
  }

  /** Behind something of any length the whole word is what was looked for, not its first letter that is missing. */
  #wordOf(before: Before, items: readonly PatternNode[], at: number, span: PatternSpan): Cut | null {
    let start = at
    while (start > 0 && isPlain(items[start]) && isPlain(items[start - 1])) start--
    const first = items[start]
    if (first === undefined) return null
    const from = this.#spans.get(first)?.start ?? span.start
    const to = this.#endOfWord(items, at, span.end)
    return this.#cut([...before, ...items.slice(0, start)], first, { start: from, end: to })
  }

  /** Where the plain characters end that go on from an item. */
  #endOfWord(items: readonly PatternNode[], at: number, otherwise: number): number {
    let end = at
    while (isPlain(items[at]) && isPlain(items[end + 1])) end++
    const last = items[end]
    return (last && this.#spans.get(last)?.end) ?? otherwise
  }

  #turns(before: Before, node: Extract<PatternNode, { type: 'repeat' }>): number {
    let turns = 0
    while (turns < node.min && this.#ends([...before, { ...node, min: turns + 1, max: turns + 1 }]) !== null) turns++
    return turns
  }

  #cut(before: Before, failing: PatternNode, span: PatternSpan): Cut | null {
    const most = this.#ends(before)
    // Where the end of the text is missing, what comes behind the longest match is what is too much.
    const least = failing.type === 'assertion' ? most : this.#ends(before.map(lazily))
    return most === null || least === null ? null : { before, failing, span, most, least }
  }

  /** Where the beginning of the pattern ends in the text; null where it does not match. */
  #ends(nodes: readonly PatternNode[]): number | null {
    const tree: PatternNode = { type: 'sequence', items: nodes }
    const use = useOfGroups(tree, this.#pattern, this.#place)
    const { source } = emitPattern(tree, use, sidesOfAddresses(tree), 'unicode')
    const found = new RegExp(source, 'u').exec(this.#text)
    return found === null ? null : found.index + found[0].length
  }
}

/** The same node, which takes as little as it can. */
function lazily(node: PatternNode): PatternNode {
  switch (node.type) {
    case 'repeat':
      return { ...node, item: lazily(node.item), kind: node.kind === 'possessive' ? node.kind : 'lazy' }
    case 'sequence':
      return { ...node, items: node.items.map(lazily) }
    case 'alternation':
      return { ...node, branches: node.branches.map(lazily) }
    case 'group':
      return { ...node, item: lazily(node.item) }
    default:
      return node
  }
}

function isPlain(node: PatternNode | undefined): boolean {
  if (node?.type === 'character') return true
  // A letter in both cases, as `(?i)` makes it.
  return node?.type === 'set' && !node.negated && node.classes.length === 0 && node.ranges.length <= 2
}

/** The characters that a node demands at least; those it names weigh most. */
function weightOf(node: PatternNode): number {
  switch (node.type) {
    case 'character':
      return 4
    case 'address':
      return 16
    case 'sequence':
      return node.items.reduce((sum, item) => sum + weightOf(item), 0)
    case 'group':
    case 'atomic':
      return weightOf(node.item)
    case 'repeat':
      return node.min * weightOf(node.item)
    case 'alternation':
      return Math.min(...node.branches.map(weightOf))
    default:
      return width(node).min
  }
}
