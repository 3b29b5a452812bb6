/** Compiles the patterns of a Fail2ban filter: what their tags stand for, run as Python's `re` runs it. */
import { spaceRanges } from '../../matching/character-sets.ts'
import { PatternError, type PatternPlace } from '../../matching/pattern-error.ts'
import { groupMerging, mergeGroups, type GroupValue } from './merged-groups.ts'
import { compilePython, type PythonMatch, type PythonOptions, type PythonPattern } from './python-pattern.ts'
import { expandTags, type Expansion } from './tags.ts'

export interface FailregexOptions {
  /** With `no` a `<HOST>` is an address, never a name. */
  readonly usedns: 'yes' | 'warn' | 'no' | 'raw'
  /** A failregex of a filter with `maxlines` above 1 is compiled with Python's flag MULTILINE; other kinds never are. */
  readonly multiline: boolean
  readonly kind: 'failregex' | 'ignoreregex' | 'prefregex'
  /** For messages: which of its list it is, from 0. */
  readonly index?: number
  /** The prefregex of the filter: the group that identifies a failure may stand there. */
  readonly prefregex?: Failregex | null
}

export interface Failregex {
  /** As written. */
  readonly text: string
  /** Tags expanded, as `get JAIL failregex` shows it in Fail2ban. */
  readonly expanded: string
  /** The names of its groups, in their order. */
  readonly names: readonly string[]
  /** Every text that it finds contains one of these (ASCII, case as given); null: nothing is known. */
  readonly literals: readonly string[] | null
  /** The ASCII characters one of which begins every text in which it finds something; null: it may be any, or it is unknown. */
  readonly firstCharacters: string | null
  /** How it begins, what it holds and fills: see `PythonPattern`. */
  readonly begins: readonly string[] | null
  readonly laterLiteral: string | null
  readonly filled: ReadonlySet<string>
  /** Null: truly regular, it runs in linear time; else what it has that needs backtracking. */
  readonly backtracking: string | null
  /**
   * What Python's `search` finds first in a text; null: nothing. The text is a decoded one, with the newline at its end
   * where Fail2ban appends one. `ascii`: whether it is known to hold ASCII alone, or not to; else it is looked at.
   * Throws a BailiffError when the search takes too long (`maxSteps` in machine.ts), never hangs.
   */
  search(text: string, ascii?: boolean): FailregexMatch | null
  /** As `search`, with the texts of the named groups in the order of `names` alone: it costs less. */
  find(text: string, ascii?: boolean): PythonMatch | null
  /** Whether `find` finds something: it costs least. */
  test(text: string, ascii?: boolean): boolean
  /** Finds in a line what stands before this group: see `PythonPattern.front`. */
  front(group: string): PythonPattern | null
  /** Whether groups are merged, so that `merged` has more than `groups`. */
  readonly merges: boolean
}

export interface FailregexMatch {
  /** Offsets in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** The texts of the named groups by name; undefined where a group took no part. It has no prototype. */
  readonly groups: Readonly<Record<string, string | undefined>>
  /** As `groups`, and what `alt_…` and `tuple_…` groups merge to: what Fail2ban's `getGroups` gives. */
  readonly merged: Readonly<Record<string, GroupValue>>
}

/** The groups that say who failed, or which session: a failregex, or its prefregex, has one of them at least. */
const identifying = ['fid', 'ip4', 'ip6', 'dns', 'mlfid']

/** Compiles one pattern. Throws a PatternError for what Fail2ban refuses. */
export function compileFailregex(text: string, options: FailregexOptions): Failregex {
  const place: PatternPlace = { list: options.kind, index: options.index ?? 0 }
  const expansion = expandTags(text, options.usedns !== 'no')
  const expanded = expansion.text
  if (isBlank(expanded)) throw new PatternError(place, text, 0, 'the expression is empty')
  const pattern = compileExpanded(text, expansion, {
    place,
    multiline: options.multiline && options.kind === 'failregex',
  })
  const { names } = pattern
  const known = new Set([...names, ...(options.prefregex?.names ?? [])])
  if (options.kind === 'failregex' && !identifying.some((name) => known.has(name))) {
    const hint = 'write <HOST>, <ADDR> or <F-ID>…</F-ID> where the address or the name stands'
    throw new PatternError(place, text, 0, 'no group says who failed', hint)
  }
  const merging = groupMerging(names)
  return {
    text,
    expanded,
    names,
    merges: merging !== null,
    find: (line, ascii) => pattern.search(line, ascii),
    test: (line, ascii) => pattern.test(line, ascii),
    front: (group) => pattern.front(group),
    get begins() {
      return pattern.begins
    },
    get laterLiteral() {
      return pattern.laterLiteral
    },
    get filled() {
      return pattern.filled
    },
    get literals() {
      return pattern.literals
    },
    get firstCharacters() {
      return pattern.firstCharacters
    },
    get backtracking() {
      return pattern.backtracking
    },
    search(line, ascii) {
      const found = pattern.search(line, ascii)
      if (found === null) return null
      const groups: Record<string, string | undefined> = Object.create(null)
      names.forEach((name, index) => (groups[name] = found.named[index]))
      return { start: found.start, end: found.end, groups, merged: merging ? mergeGroups(groups, merging) : groups }
    },
  }
}

/** What is wrong is told of what was written. */
function compileExpanded(written: string, { text, origin }: Expansion, options: PythonOptions): PythonPattern {
  try {
    return compilePython(text, options)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new PatternError(options.place, written, origin(error.position), error.reason, error.hint)
  }
}

function isBlank(text: string): boolean {
  return [...text].every((letter) => {
    const code = letter.codePointAt(0) ?? 0
    return spaceRanges.some(({ from, to }) => from <= code && code <= to)
  })
}
