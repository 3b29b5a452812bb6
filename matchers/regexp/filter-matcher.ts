import type { CompiledFilter, LineHead, Pattern } from '../../core/plugin.ts'
import { createMessageReader } from './messages.ts'

/** What a filter found in a line. */
export interface Found {
  readonly rule: number
  readonly address: string
  readonly groups: Readonly<Record<string, string>>
}

/** Matches one filter against the head of a line; null where it does not match. */
export type FilterMatcher = (head: LineHead) => Found | null

/** Compiles a filter. Each failregex is tried only on texts whose first character it can begin with. */
export function createFilterMatcher(filter: CompiledFilter): FilterMatcher {
  const { messageOf, prefregex, ignoreregex, byFirst } = prepare(filter)
  return (head) => {
    const text = messageOf(head)
    if (text === null) return null
    const before = prefregex === null ? null : run(prefregex, head.ascii, text)
    if (prefregex !== null && before === null) return null
    const content = before?.groups.content ?? text
    const found = firstMatch(byFirst, head.ascii, content)
    if (found === null || ignoredBy(ignoreregex, head.ascii, text) >= 0) return null
    const all = before === null ? found : joined(found, before)
    return hasAddress(all) ? all : null
  }
}

/** How far a line came in a filter. */
export interface FilterTrace {
  /** What the patterns see; null: the filter does not look at lines with such a head. */
  readonly text: string | null
  /** What prefregex leaves to failregex, the text itself where there is none; null: prefregex did not match. */
  readonly content: string | null
  /** The first failregex that matched, by its index; null: none did. */
  readonly rule: number | null
  /** The failregexes that were tried up to that one: the others cannot begin with the first character. */
  readonly tried: readonly number[]
  /** The ignoreregex that took the line away, by its index; null: none. */
  readonly ignoredBy: number | null
  /** What stands where the address should; null: no failregex matched, or it captured nothing. */
  readonly address: string | null
}

/** As `createFilterMatcher`, step by step with the same parts, for a person who asks about one line. */
export function createFilterTracer(filter: CompiledFilter): (head: LineHead) => FilterTrace {
  const { messageOf, prefregex, ignoreregex, byFirst } = prepare(filter)
  return (head) => {
    const text = messageOf(head)
    const before = text === null || prefregex === null ? null : run(prefregex, head.ascii, text)
    const content = text === null || (prefregex !== null && before === null) ? null : (before?.groups.content ?? text)
    const found = content === null ? null : firstMatch(byFirst, head.ascii, content)
    const able = content === null ? [] : beginningAs(byFirst, content).map(({ rule }) => rule)
    const tried = found === null ? able : able.slice(0, able.indexOf(found.rule) + 1)
    const ignored = text === null ? -1 : ignoredBy(ignoreregex, head.ascii, text)
    const address = found?.address ?? before?.address ?? null
    return { text, content, rule: found?.rule ?? null, tried, ignoredBy: ignored < 0 ? null : ignored, address }
  }
}

interface Prepared {
  readonly messageOf: (head: LineHead) => string | null
  readonly prefregex: CompiledPattern | null
  readonly ignoreregex: readonly CompiledPattern[]
  readonly byFirst: readonly (readonly CompiledPattern[])[]
}

function prepare(filter: CompiledFilter): Prepared {
  return {
    messageOf: createMessageReader(filter.programs),
    prefregex: filter.prefregex === null ? null : compile(filter.prefregex, 0),
    ignoreregex: filter.ignoreregex.map(compile),
    byFirst: dispatchTable(filter.failregex, filter.failregex.map(compile)),
  }
}

/** What a pattern captured. */
interface Captures {
  readonly rule: number
  readonly address: string | undefined
  readonly groups: Record<string, string>
}

interface CompiledPattern {
  readonly ascii: RegExp
  readonly unicode: RegExp
  readonly address: readonly number[]
  /** The groups that fill a tag: the number of each, and the tag. */
  readonly numbers: readonly number[]
  readonly tags: readonly string[]
  readonly rule: number
}

function compile(pattern: Pattern, rule: number): CompiledPattern {
  const numbered = pattern.groups.map((tag, index) => ({ number: index + 1, tag: tag ?? '' }))
  const filling = numbered.filter(({ tag }) => tag !== '' && tag !== 'addr')
  return {
    ascii: new RegExp(pattern.ascii, pattern.flags),
    unicode: new RegExp(pattern.unicode, `${pattern.flags}u`),
    address: numbered.filter(({ tag }) => tag === 'addr').map(({ number }) => number),
    numbers: filling.map(({ number }) => number),
    tags: filling.map(({ tag }) => tag),
    rule,
  }
}

/** For each ASCII character, and for everything else at the end, the failregexes that can begin with it. */
function dispatchTable(
  patterns: readonly Pattern[],
  compiled: readonly CompiledPattern[],
): readonly (readonly CompiledPattern[])[] {
  const beginsWith = (rule: number, code: number) => {
    const first = patterns[rule]?.firstCharacters ?? null
    return first === null || (code < 128 && first.includes(String.fromCharCode(code)))
  }
  return Array.from({ length: 129 }, (_, code) => compiled.filter(({ rule }) => beginsWith(rule, code)))
}

/** The patterns that can begin as the text does. */
function beginningAs(byFirst: readonly (readonly CompiledPattern[])[], text: string): readonly CompiledPattern[] {
  const code = text.charCodeAt(0)
  return byFirst[code < 128 ? code : 128] ?? []
}

function firstMatch(byFirst: readonly (readonly CompiledPattern[])[], ascii: boolean, text: string): Captures | null {
  for (const pattern of beginningAs(byFirst, text)) {
    const captures = run(pattern, ascii, text)
    if (captures !== null) return captures
  }
  return null
}

function ignoredBy(patterns: readonly CompiledPattern[], ascii: boolean, text: string): number {
  for (let index = 0; index < patterns.length; index++) {
    const pattern = patterns[index]
    if (pattern !== undefined && regexpOf(pattern, ascii).test(text)) return index
  }
  return -1
}

function regexpOf(pattern: CompiledPattern, ascii: boolean): RegExp {
  return ascii ? pattern.ascii : pattern.unicode
}

function run(pattern: CompiledPattern, ascii: boolean, text: string): Captures | null {
  const found = regexpOf(pattern, ascii).exec(text)
  if (found === null) return null
  const groups: Record<string, string> = {}
  const { numbers, tags } = pattern
  // The first group of a name that is not empty wins. Counted loops: this runs for every match.
  for (let index = 0; index < numbers.length; index++) {
    const text = found[numbers[index] ?? 0]
    if (text !== undefined) groups[tags[index] ?? ''] ||= text
  }
  let address: string | undefined
  for (let index = 0; index < pattern.address.length; index++) address ??= found[pattern.address[index] ?? 0]
  return { rule: pattern.rule, address, groups }
}

function hasAddress(captures: Captures): captures is Captures & Found {
  return captures.address !== undefined
}

/** The groups of prefregex are inherited; those of failregex override them unless they are empty. */
function joined(found: Captures, before: Captures): Captures {
  const { content: _, ...groups } = before.groups
  for (const [name, text] of Object.entries(found.groups)) groups[name] = text || (groups[name] ?? '')
  return { rule: found.rule, address: found.address ?? before.address, groups }
}
