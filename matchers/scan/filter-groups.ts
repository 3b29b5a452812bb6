/**
 * Puts the filters that look at the same text of a line together, so that the kernel reads it once for all of them,
 * and says what they make of what their patterns match.
 */
import type { CompiledFilter, Pattern } from '../../core/plugin.ts'
import type { Verdict } from './automaton.ts'
import { Program, ProgramTooLarge, type ProgramGraph } from './program.ts'
import { readRegex, UnreadableRegex } from './regex-syntax.ts'

/** Some filters with the same programs. Rules are those of `program`, by their index. */
export interface FilterGroup {
  readonly programs: CompiledFilter['programs']
  readonly program: ProgramGraph
  readonly filters: readonly GroupedFilter[]
}

export interface GroupedFilter {
  /** Its index among those given to the scanner. */
  readonly filter: number
  readonly prefregex: number | null
  readonly failregex: readonly number[]
  readonly ignoreregex: readonly number[]
  /** The failregexes where there is a prefregex: they look at what it leaves them. */
  readonly content: ContentRules | null
}

/** The failregexes of one filter with a prefregex. */
export interface ContentRules {
  readonly program: ProgramGraph
}

/** What the groups of a pattern are for, in the order in which they are noted: those of addresses, of contents, others. */
export interface NotedGroups {
  readonly addresses: number
  readonly contents: number
  /** Beside the numbers of the groups the tag that each fills. */
  readonly numbers: readonly number[]
  readonly tags: readonly string[]
}

/** Nodes of one filter, and of some together. */
const [largestFilter, largestGroup] = [10_000, 20_000]

/** Some of the filters in groups, and why others of them are in none. All are named by their index among `given`. */
export function groupFilters(
  given: readonly CompiledFilter[],
  some: readonly number[],
): { groups: FilterGroup[]; left: { filter: number; reason: string }[] } {
  const groups: { programs: CompiledFilter['programs']; program: Program; filters: GroupedFilter[] }[] = []
  const left: { filter: number; reason: string }[] = []
  for (const index of some) {
    const filter = given[index]
    if (filter === undefined) continue
    try {
      const alone = grouped(filter, index, new Program(largestFilter))
      const size = alone.program.nodes.length
      const group = groups.find(
        ({ programs, program }) =>
          JSON.stringify(programs) === JSON.stringify(filter.programs) && program.nodes.length + size <= largestGroup,
      )
      if (group === undefined) {
        alone.program.limit = largestGroup
        groups.push({ programs: filter.programs, program: alone.program, filters: [alone.rules] })
      } else group.filters.push(grouped(filter, index, group.program).rules)
    } catch (error) {
      if (!(error instanceof UnreadableRegex) && !(error instanceof ProgramTooLarge)) throw error
      left.push({ filter: index, reason: error.message })
    }
  }
  return { groups: groups.map((group) => ({ ...group, program: group.program.graph })), left }
}

/** Why tables cannot hold a filter, whatever its patterns are; null: they may. */
export function whyNotTaken({ structure, dates, failregex, prefregex, ignoreregex }: CompiledFilter): string | null {
  if (structure !== null) return `it reads text, not the fields of ${structure.format}`
  if ((dates?.patterns ?? null) !== null) return 'its dates are read by datepattern'
  const patterns = [...failregex, ...ignoreregex, ...(prefregex === null ? [] : [prefregex])]
  return patterns.every(({ flags }) => flags === '') ? null : 'its expressions have flags'
}

/** The groups of a pattern that fill a tag. */
export function notedGroups({ groups }: Pattern): NotedGroups {
  const numbered = groups.flatMap((tag, index) => (tag === null ? [] : [{ tag, number: index + 1 }]))
  const addresses = numbered.filter(({ tag }) => tag === 'addr')
  const contents = numbered.filter(({ tag }) => tag === 'content')
  const all = [...addresses, ...contents, ...numbered.filter(({ tag }) => tag !== 'addr' && tag !== 'content')]
  return {
    addresses: addresses.length,
    contents: contents.length,
    numbers: all.map(({ number }) => number),
    tags: all.map(({ tag }) => tag),
  }
}

/** What the group's filters make of a text that matches these rules. */
export function judgeGroup({ program, filters }: FilterGroup): (matching: (rule: number) => boolean) => Verdict[] {
  return (matching) => filters.flatMap((one) => judgeFilter(one, program, matching) ?? [])
}

/** What a filter makes of the content that its prefregex left, by the rules of the content's program. */
export function judgeContent(
  filter: number,
  { program }: ContentRules,
): (matching: (rule: number) => boolean) => Verdict[] {
  return (matching) => {
    const rule = program.rules.findIndex((_, index) => matching(index))
    return rule < 0 ? [] : [{ kind: program.rules[rule]?.exact === true ? 0 : 1, filter, rule }]
  }
}

function judgeFilter(
  { filter, prefregex, failregex, ignoreregex, content }: GroupedFilter,
  { rules }: ProgramGraph,
  matching: (rule: number) => boolean,
): Verdict | null {
  const rule = prefregex === null ? failregex.find(matching) : matching(prefregex) ? prefregex : undefined
  if (rule === undefined) return null
  const ignoring = ignoreregex.filter(matching)
  if (ignoring.some((one) => rules[one]?.exact === true)) return { kind: 2, filter, rule }
  const isSure = rules[rule]?.exact === true && ignoring.length === 0 && (prefregex === null || content !== null)
  return { kind: isSure ? 0 : 1, filter, rule }
}

/** Adds the patterns of a filter to a program. */
function grouped(filter: CompiledFilter, index: number, program: Program): { program: Program; rules: GroupedFilter } {
  const add = (pattern: Pattern, to: Program) => to.add(readRegex(pattern.ascii), notedGroups(pattern).numbers)
  const addAll = (patterns: readonly Pattern[], to: Program) => patterns.map((pattern) => add(pattern, to))
  const { prefregex } = filter
  const before = prefregex === null ? null : add(prefregex, program)
  const content = new Program(largestFilter)
  const failregex = addAll(filter.failregex, prefregex === null ? program : content)
  const ignoreregex = addAll(filter.ignoreregex, program)
  const rules = {
    filter: index,
    prefregex: before,
    failregex,
    ignoreregex,
    content: prefregex === null || notedGroups(prefregex).contents === 0 ? null : { program: content.graph },
  }
  return { program, rules }
}
