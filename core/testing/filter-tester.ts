import { parseAddress, type Address } from '../address.ts'
import { printable } from '../errors.ts'
import { compileFilter } from '../matching/filters.ts'
import { LineReader } from '../matching/lines.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { ensure, ensureSame, type Check } from './check.ts'

/** A filter to be tried: its patterns in the failregex language, as in a filter file. */
export interface TriedFilter {
  readonly failregex: string | readonly string[]
  readonly ignoreregex?: string | readonly string[]
  readonly prefregex?: string
  /** The programs whose lines it reads; unless given, patterns see the whole line without its date. */
  readonly programs?: readonly string[]
}

/** What is to be found in a line. */
export interface ExpectedLine {
  readonly line: string
  readonly address: string
  /** What the tags capture, by their name in lower case: `user`, … Those that are not named are not looked at. */
  readonly groups?: Readonly<Record<string, string>>
  /** Index of the failregex. */
  readonly rule?: number
}

/** What a matcher found in one line. */
export interface FoundInLine {
  readonly address: Address
  readonly rule: number
  readonly groups: Readonly<Record<string, string>>
  /** When the line was written, unix milliseconds; null where it has no date. */
  readonly time: number | null
}

/**
 * What a matcher finds in each line with a filter; null where it finds nothing, or no address. Throws a PatternError for
 * a filter that is wrong, and an error where the matcher leaves the filter to others.
 */
export function findInLines(
  matcher: MatcherPlugin,
  filter: TriedFilter,
  lines: readonly string[],
): (FoundInLine | null)[] {
  const compiled = compileFilter({
    name: 'tried',
    programs: filter.programs ?? null,
    prefregex: filter.prefregex ?? null,
    failregex: [filter.failregex].flat(),
    ignoreregex: [filter.ignoreregex ?? []].flat(),
  })
  const scanner = matcher.compile([compiled])
  const [left] = scanner.left ?? []
  ensure(scanner.took.includes(0), `the matcher leaves the filter to others: ${left?.reason ?? 'it does not say why'}`)
  const reader = new LineReader()
  try {
    return lines.map((line) => {
      let found: FoundInLine | null = null
      const bytes = Buffer.from(`${line.replaceAll('\n', ' ')}\n`)
      scanner.scan(reader.block(bytes, bytes.toString('latin1'), 0), ({ rule, address, groups, head, timeMs }) => {
        const parsed = parseAddress(address)
        if (parsed !== null) found = { address: parsed, rule, groups: { ...groups }, time: timeMs ?? head.time }
      })
      return found
    })
  } finally {
    scanner.dispose?.()
  }
}

/** One check for each line: `match` is found with its address (and what else is said of it), `pass` is not found. */
export function filterChecks(
  matcher: MatcherPlugin,
  filter: TriedFilter,
  { match = [], pass = [] }: { readonly match?: readonly ExpectedLine[]; readonly pass?: readonly string[] },
): Check[] {
  return [
    ...match.map(({ line, address, groups = {}, rule }): Check => {
      const run = async () => {
        const [found] = findInLines(matcher, filter, [line])
        ensure(found !== null && found !== undefined, 'nothing was found')
        ensureSame(found.address, address, 'the address')
        if (rule !== undefined) ensureSame(found.rule, rule, 'the failregex')
        for (const [name, text] of Object.entries(groups)) ensureSame(found.groups[name], text, `the group ${name}`)
      }
      return { name: `it finds ${address} in: ${shown(line)}`, remedy: 'change the failregex, or the line', run }
    }),
    ...pass.map((line): Check => {
      const run = async () => ensureSame(findInLines(matcher, filter, [line]), [null], 'what was found')
      return {
        name: `it passes over: ${shown(line)}`,
        remedy: 'anchor the failregex at both ends, or add an ignoreregex',
        run,
      }
    }),
  ]
}

function shown(line: string): string {
  return printable(line.length > 100 ? `${line.slice(0, 99)}…` : line)
}
