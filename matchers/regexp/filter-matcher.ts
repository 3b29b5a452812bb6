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
  const messageOf = createMessageReader(filter.programs)
  const prefregex = filter.prefregex === null ? null : compile(filter.prefregex, 0)
  const failregex = filter.failregex.map(compile)
  const ignoreregex = filter.ignoreregex.map(compile)
  const byFirst = dispatchTable(filter.failregex, failregex)
  return (head) => {
    const text = messageOf(head)
    if (text === null) return null
    const before = prefregex === null ? null : run(prefregex, head.ascii, text)
    if (prefregex !== null && before === null) return null
    const content = before?.groups.content ?? text
    const found = firstMatch(byFirst, head.ascii, content)
    if (found === null || ignoreregex.some((pattern) => regexpOf(pattern, head.ascii).test(text))) return null
    const all = before === null ? found : joined(found, before)
    return hasAddress(all) ? all : null
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

function firstMatch(byFirst: readonly (readonly CompiledPattern[])[], ascii: boolean, text: string): Captures | null {
  const code = text.charCodeAt(0)
  for (const pattern of byFirst[code < 128 ? code : 128] ?? []) {
    const captures = run(pattern, ascii, text)
    if (captures !== null) return captures
  }
  return null
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
