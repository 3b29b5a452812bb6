import { printable } from '../errors.ts'
import { print } from './output.ts'
import { table } from './table.ts'
import type { TestOptions } from './test-options.ts'
import { tallyText } from './test-summary.ts'
import { kindOf, type LineKind, type SeenLine, type TestedFilter, type TestOutput } from './tested-filter.ts'

/** How the report is written. */
export interface ReportOptions extends TestOptions {
  /** So many lines of a kind are listed unless all are asked for. */
  readonly listed: number
  /** What is used, one a line. */
  readonly uses: readonly string[]
}

/** Addresses that are listed. */
const mostHosts = 50

/** Counts what a filter does with lines, and says it as `fail2ban-regex` does; of a filter of our own also whom it finds. */
export class TestReport implements TestOutput {
  readonly wants = 'lines'
  readonly #filter: TestedFilter
  readonly #options: ReportOptions
  readonly #counts = { matched: 0, ignored: 0, missed: 0 }
  readonly #lists: Record<LineKind, string[]> = { matched: [], ignored: [], missed: [] }
  readonly #hits: number[]
  readonly #ignoring: number[]
  /** Under each rule the hosts, for people who want to hear more. */
  readonly #hostsOf = new Map<number, string[]>()
  readonly #hosts = new Map<string, { count: number; last: number | null }>()
  readonly #startedAt = performance.now()
  readonly #prefixGroups: string[] = []
  #isBegun = false
  #prefixed = 0
  #lines = 0

  constructor(filter: TestedFilter, options: ReportOptions) {
    this.#filter = filter
    this.#options = options
    this.#hits = filter.rules.failregex.map(() => 0)
    this.#ignoring = filter.rules.ignoreregex.map(() => 0)
  }

  take(line: SeenLine): void {
    this.#begin()
    const { text, failures, ignoredBy, prefixed, taken } = line
    const severalFrom = failures.filter(({ nofail }) => !nofail).length > 1 ? 2 : Infinity
    for (const [index, { rule, id, time }] of failures.entries()) {
      this.#hits[rule] = (this.#hits[rule] ?? 0) + 1
      if (!this.#options.verbose) continue
      const more = index >= severalFrom ? ' (multiple regex matched)' : ''
      this.#tellHost(rule, `${id ?? 'None'}  ${time === null ? 'no date' : timeText(time)}${more}`)
    }
    for (const rule of ignoredBy) this.#ignoring[rule] = (this.#ignoring[rule] ?? 0) + 1
    if (prefixed) this.#prefixed++
    if (line.prefixGroups !== null && this.#prefixed <= this.#options.listed + 1)
      this.#prefixGroups.push(`    ${this.#prefixed <= this.#options.listed ? line.prefixGroups : '...'}`)
    for (const before of taken) this.#take(before)
    const kind = kindOf(line)
    if (kind === 'matched') this.#countHost(line)
    this.#lines++
    this.#counts[kind]++
    if (this.#isListed(kind)) this.#lists[kind].push(text)
  }

  pieceTold(): void {}

  /** Prints everything. */
  end(): void {
    this.#begin()
    const { failing, ignoring, prefregex, failregex, ignoreregex } = this.#filter.rules
    const { matched, ignored, missed } = this.#counts
    print('\nResults\n=======')
    if (prefregex !== null) {
      print(`\nPrefregex: ${this.#prefixed} total`)
      tree(null, [prefregex, ...this.#prefixGroups])
    }
    this.#printRules(failing, failregex, this.#hits, this.#hostsOf)
    this.#printRules(ignoring, ignoreregex, this.#ignoring, new Map())
    this.#printDates()
    print(`\nLines: ${this.#lines} lines, ${ignored} ignored, ${matched} matched, ${missed} missed`)
    print(`[processed in ${((performance.now() - this.#startedAt) / 1000).toFixed(2)} sec]\n`)
    const { printAllMatched, printNoIgnored, printNoMissed, fail2ban } = this.#options
    if (printAllMatched) this.#printLines('matched')
    if (!printNoIgnored) this.#printLines('ignored')
    if (!printNoMissed) this.#printLines('missed')
    if (fail2ban === undefined) this.#printHosts()
  }

  /** Nothing is said before there is something: an error stands alone. */
  #begin(): void {
    if (this.#isBegun) return
    this.#isBegun = true
    const uses = this.#options.uses.flatMap((use) => use.split('\n')).map(printable)
    print(`\nRunning tests\n=============\n\n${uses.join('\n')}\n`)
  }

  /** A line that waited for others and was taken with them: it is no longer missed. */
  #take(text: string): void {
    const at = this.#lists.missed.indexOf(text)
    if (at >= 0) this.#lists.missed.splice(at, 1)
    if (this.#options.printAllMatched) this.#lists.matched.push(text)
    this.#counts.matched++
    this.#counts.missed--
  }

  #countHost({ failures: [first] }: SeenLine): void {
    if (first === undefined || first.id === null || this.#options.fail2ban !== undefined) return
    const count = (this.#hosts.get(first.id)?.count ?? 0) + first.attempts
    this.#hosts.set(first.id, { count, last: first.time })
  }

  #tellHost(rule: number, text: string): void {
    const known = this.#hostsOf.get(rule)
    if (known === undefined) this.#hostsOf.set(rule, [text])
    else known.push(text)
  }

  #isListed(kind: LineKind): boolean {
    const { listed, printAllMatched, printAllMissed, printAllIgnored, printNoMissed, printNoIgnored } = this.#options
    const few = this.#counts[kind] <= listed + 1
    if (kind === 'matched') return printAllMatched === true
    if (kind === 'missed') return !printNoMissed && (printAllMissed === true || few)
    return !printNoIgnored && (printAllIgnored === true || few)
  }

  #printRules(
    title: string,
    rules: readonly string[],
    hits: readonly number[],
    hostsOf: ReadonlyMap<number, readonly string[]>,
  ): void {
    const rows = rules.flatMap((rule, index) => {
      const count = hits[index] ?? 0
      if (count === 0 && !this.#options.verbose) return []
      const row = `${String(index + 1).padStart(2)}) [${count}] ${rule}`
      return [row, ...(hostsOf.get(index) ?? []).map((host) => `    ${host}`)]
    })
    print(`\n${title}: ${hits.reduce((sum, count) => sum + count, 0)} total`)
    tree(' #) [# of hits] regular expression', rows)
  }

  #printDates(): void {
    const dates = this.#filter.dateHits()
    if (dates === null) return
    print('\nDate template hits:')
    const shown = dates.filter(({ hits }) => hits > 0 || this.#options.verbose)
    tree(
      '[# of hits] date format',
      shown.flatMap(({ hits, name, more }) => [`[${hits}] ${name}`, ...more]),
    )
  }

  #printLines(kind: LineKind): void {
    const count = this.#counts[kind]
    if (count === 0) return
    const all =
      kind === 'matched' || (kind === 'missed' ? this.#options.printAllMissed : this.#options.printAllIgnored) === true
    const title = `${kind[0]?.toUpperCase()}${kind.slice(1)} line(s):`
    if (count < this.#options.listed || all)
      tree(
        title,
        this.#lists[kind].map((line) => line.trimEnd()),
      )
    else print(`${title} too many to print.  Use --print-all-${kind} to print all ${count} lines`)
  }

  #printHosts(): void {
    const hosts = [...this.#hosts].toSorted(([, a], [, b]) => b.count - a.count)
    const rows = hosts
      .slice(0, mostHosts)
      .map(([host, { count, last }]) => [host, count, last === null ? 'no date' : new Date(last * 1000).toISOString()])
    if (hosts.length > 0) print(`\n${table(['ADDRESS', 'FAILURES', 'LAST'], rows)}`)
    if (hosts.length > mostHosts) print(`… and ${hosts.length - mostHosts} more addresses; --json lists every line`)
    print(`\n${tallyText(this.#filter.tally)}`)
  }
}

/** Rows as a tree of two branches, or of one without a heading. */
function tree(heading: string | null, rows: readonly string[]): void {
  if (rows.length === 0) return
  const head = heading === null ? '' : `|- ${heading}\n`
  print(`${head}${rows.map((row) => `|  ${printable(row)}`).join('\n')}\n\`-`)
}

/** `Sun Nov 22 13:41:02 2026`, in the zone of this host. */
function timeText(seconds: number): string {
  const [day, month, date, year, time] = new Date(seconds * 1000).toString().split(' ')
  return [day, month, date, time, year].join(' ')
}
