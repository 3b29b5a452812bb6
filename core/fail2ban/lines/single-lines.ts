import type { BlockPatterns } from '../blocks/block-kernel.ts'
import type { Failregex } from '../regex/failregex.ts'
import type { NamedSpans, PythonMatch, PythonPattern } from '../regex/python-pattern.ts'
import type { KnownSessions } from './block-lines.ts'
import { inherit, searchGroups, type Captured } from './captured-groups.ts'
import type { DatedLine } from './line-dates.ts'
import { withoutHits, type LineFinding } from './line-finding.ts'
import type { Groups, GroupValue, LineHit } from './line-hit.ts'
import { wholeText } from './log-line.ts'
import type { NumberedRule, RuleDispatch } from './rule-dispatch.ts'

/** A line whose prefregex and failregexes are asked. */
export interface SingleLine {
  readonly line: string
  readonly dated: DatedLine
  /** The line without its date, and with a newline. */
  readonly text: string
  /** True: it holds ASCII alone; undefined: nobody knows. */
  readonly ascii: true | undefined
  /** A match without a time does not count. */
  readonly timeNeeded: boolean
}

/** What a failregex captured. */
export type DatedHit = Pick<LineHit, 'rule' | 'groups'>

/** A line that opens a session and is no failure, which is best read when another line of the session comes. */
export interface Opening {
  readonly session: string
  readonly read: () => DatedHit
}

/**
 * The search of filters that look at one line at a time, take the first failregex that matches and ignore none: nearly
 * all there are. The same as the search of all others, without what those need.
 */
export class SingleLines {
  readonly #prefregex: Failregex | null
  readonly #content: number
  readonly #dispatch: RuleDispatch
  /** Finds all of the prefregex but its content, and the first character of that; null: it cannot be told so. */
  readonly #front: PythonPattern | null
  /** The prefregex says nothing about the end of sessions. */
  readonly #opens: boolean
  /** The place of the session among what the prefregex captures. */
  readonly #session: number
  /** For each failregex what it takes over from the prefregex: place and name. */
  readonly #inherited = new Map<Failregex, readonly (readonly [place: number, name: string])[]>()

  /** All sessions are those that the prefregex names. */
  readonly hasOneSession: boolean

  constructor(dispatch: RuleDispatch, prefregex: Failregex | null) {
    this.hasOneSession = !dispatch.names('mlfid')
    this.#dispatch = dispatch
    this.#prefregex = prefregex
    this.#content = prefregex?.names.indexOf('content') ?? -1
    this.#front = prefregex?.front('content') ?? null
    this.#opens = !['mlfforget', 'mlfgained'].some((name) => prefregex?.names.includes(name))
    this.#session = this.#front?.names.indexOf('mlfid') ?? -1
  }

  find(single: SingleLine): LineFinding {
    if (this.#prefregex === null) return this.#search(single, single.text, null)
    const prefix = this.#prefregex.find(single.text, single.ascii)
    if (prefix === null) return withoutHits(single.dated)
    const content = prefix.named[this.#content]
    return this.#search(single, content ? terminated(content, single.text) : single.text, prefix)
  }

  /**
   * The hit of a line that has a date and ASCII alone; `text`: without its date, a newline at its end and no other.
   * Null: there is none. `sessions`: those that are remembered; lines that end one which is not, and are no failures, are
   * no hits then, and those that open one may be read later; null: all are hits. `front`: what `patterns.front` finds in it, where that is known. `other`: `find` has to be
   * asked.
   */
  findDated(
    text: string,
    sessions: KnownSessions | null,
    front: NamedSpans | null,
  ): DatedHit | Opening | null | 'other' {
    if (this.#prefregex === null) return this.#searchDated(text, null, null)
    if (this.#front === null) return 'other'
    const prefix = front === null ? this.#front.search(text, true) : matchAt(front, text)
    return prefix && this.#searchDated(text.slice(prefix.end - 1), prefix, sessions)
  }

  /** How `findDated` finds its hits; null: it asks for all of the prefregex. */
  get patterns(): Omit<BlockPatterns, 'literals'> | null {
    if (this.#prefregex !== null && this.#front === null) return null
    return { dispatch: this.#dispatch, front: this.#front }
  }

  #searchDated(
    text: string,
    prefix: PythonMatch | null,
    sessions: KnownSessions | null,
  ): DatedHit | Opening | null | 'other' {
    const session = sessions === null ? undefined : prefix?.named[this.#session]
    const rules = this.#dispatch.for(text)
    for (let next = 0; next < rules.length; next++) {
      const { index, regex, laterLiteral, endsQuietly, opensQuietly } = rules[next] as NumberedRule
      // The last one is likely to match, for others do not.
      if (laterLiteral !== null && next < rules.length - 1 && !text.includes(laterLiteral)) continue
      if (endsQuietly && session !== undefined) {
        if (!regex.test(text, true)) continue
        if (sessions?.knows(session) === false) return null
      }
      if (opensQuietly && this.#opens && session !== undefined && sessions?.knows(session) === false) {
        if (!regex.test(text, true)) continue
        return { session, read: () => ({ rule: index, groups: this.#match(regex, text, true, prefix) ?? {} }) }
      }
      const groups = this.#match(regex, text, true, prefix)
      if (groups !== null) return isIdentifying(groups) ? { rule: index, groups } : 'other'
    }
    return null
  }

  #search({ line, dated, ascii, timeNeeded }: SingleLine, begin: string, prefix: PythonMatch | null): LineFinding {
    let text = begin
    let undated = false
    const rules = this.#dispatch.for(text)
    for (let next = 0; next < rules.length; next++) {
      const { index, regex } = rules[next] as NumberedRule
      const groups = this.#match(regex, text, ascii, prefix)
      if (groups === null) continue
      if (!dated.dated) undated = true
      if (undated && dated.time === null && timeNeeded) continue
      if (isIdentifying(groups))
        return withHit({ rule: index, time: dated.time, groups, lines: [whole(line, dated)] }, dated, prefix !== null)
      // The line is taken, though it names nobody, and the failregexes that follow see none.
      text = '\n'
    }
    const found = withoutHits(dated, prefix !== null)
    return undated ? { ...found, trouble: 'undated' } : found
  }

  #match(regex: Failregex, text: string, ascii: true | undefined, prefix: PythonMatch | null): Groups | null {
    if (regex.merges) {
      const found = searchGroups(regex, text, ascii)
      return found && inherit(prefix && this.#capturedBy(prefix), found.captured)
    }
    const found = regex.find(text, ascii)
    if (found === null) return null
    const groups: Record<string, GroupValue> = {}
    if (prefix !== null)
      for (const [place, name] of this.#inheritedBy(regex)) {
        const value = prefix.named[place]
        if (value !== undefined) groups[name] = value
      }
    const { names } = regex
    for (let place = 0; place < names.length; place++) {
      const value = found.named[place]
      if (value !== undefined) groups[names[place] as string] = value
    }
    return groups
  }

  #capturedBy({ named }: PythonMatch): Captured {
    return { names: this.#prefregex?.names ?? [], values: named }
  }

  #inheritedBy(regex: Failregex): readonly (readonly [place: number, name: string])[] {
    const known = this.#inherited.get(regex)
    if (known !== undefined) return known
    const names = this.#prefregex?.names ?? []
    const inherited = [...names.entries()].filter(([, name]) => name !== 'content' && !regex.names.includes(name))
    this.#inherited.set(regex, inherited)
    return inherited
  }
}

/** What was found as what `search` answers. */
function matchAt({ end, named }: NamedSpans, text: string): PythonMatch {
  return { start: 0, end, named: named.map((span) => (span === null ? undefined : text.slice(span[0], span[1]))) }
}

/** The content with a newline, which nearly always is the end of the text: that needs no copy. */
function terminated(content: string, text: string): string {
  const start = text.length - 1 - content.length
  return text.startsWith(content, start) ? text.slice(start) : `${content}\n`
}

/** Written out, for it is asked of every hit: as `identifying` has them, and groups that took no part are left out. */
function isIdentifying({ mlfid, ip4, dns, ip6, fid }: Groups): boolean {
  return mlfid !== undefined || ip4 !== undefined || dns !== undefined || ip6 !== undefined || fid !== undefined
}

/** The line as it was written, with the date that it was given if it has none itself. */
function whole(line: string, { parts }: DatedLine): string {
  const [before, date, after] = parts
  return before.length + date.length + after.length === line.length ? line : wholeText(parts)
}

function withHit(hit: LineHit, dated: DatedLine, prefixed: boolean): LineFinding {
  return { hits: [hit], ignoredBy: [], prefixed, line: dated, trouble: dated.dated ? dated.trouble : 'undated' }
}
