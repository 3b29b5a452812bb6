import type { ExaminedLine, JailFilter } from '../fail2ban/lines/jail-filter.ts'
import type { LogLine } from '../fail2ban/lines/log-line.ts'
import type { FilterTexts } from '../fail2ban/lines/filter-texts.ts'
import { printable } from '../errors.ts'
import { print } from './output.ts'
import type { TestedLine } from './tested-lines.ts'

/** Which lines the report lists. */
export interface ReportOptions {
  readonly printNoMissed?: true
  readonly printNoIgnored?: true
  readonly printAllMatched?: true
  readonly printAllMissed?: true
  readonly printAllIgnored?: true
  readonly verbose?: boolean
  /** So many lines of a kind are listed unless all are asked for. */
  readonly listed: number
}

type Kind = 'matched' | 'ignored' | 'missed'

/** Counts what a filter does with lines, and says it as `fail2ban-regex` does. */
export class TreeTestReport {
  readonly #texts: FilterTexts
  readonly #filter: JailFilter
  readonly #options: ReportOptions
  readonly #counts = { matched: 0, ignored: 0, missed: 0 }
  readonly #lists: Record<Kind, string[]> = { matched: [], ignored: [], missed: [] }
  readonly #hits: number[]
  readonly #ignoring: number[]
  readonly #hosts = new Map<number, string[]>()
  readonly #startedAt = performance.now()
  #prefixed = 0
  #lines = 0
  #waiting: readonly LogLine[] = []

  constructor(texts: FilterTexts, filter: JailFilter, options: ReportOptions) {
    this.#texts = texts
    this.#filter = filter
    this.#options = options
    this.#hits = texts.failregex.map(() => 0)
    this.#ignoring = texts.ignoreregex.map(() => 0)
  }

  take({ text }: TestedLine, examined: ExaminedLine): void {
    const { failures, ignoredBy, prefixed } = examined
    for (const { rule, id, time } of failures) {
      this.#hits[rule] = (this.#hits[rule] ?? 0) + 1
      if (this.#options.verbose) this.#tellHost(rule, `${id ?? 'None'}  ${time === null ? 'no date' : timeText(time)}`)
    }
    for (const rule of ignoredBy) this.#ignoring[rule] = (this.#ignoring[rule] ?? 0) + 1
    if (prefixed) this.#prefixed++
    if (this.#texts.maxlines > 1) this.#takeConsumed()
    const ignored = ignoredBy.length > 0 || failures.some(({ nofail }) => nofail)
    const kind = ignored ? 'ignored' : failures.length > 0 ? 'matched' : 'missed'
    this.#lines++
    this.#counts[kind]++
    if (this.#isListed(kind)) this.#lists[kind].push(text)
  }

  /** Prints everything. */
  end(): void {
    const { prefregex, failregex, ignoreregex } = this.#texts
    const { matched, ignored, missed } = this.#counts
    print('\nResults\n=======')
    if (prefregex !== null) {
      print(`\nPrefregex: ${this.#prefixed} total`)
      tree(null, [this.#filter.lines.prefregex ?? prefregex])
    }
    this.#printRules('Failregex', failregex, this.#hits)
    this.#printRules('Ignoreregex', ignoreregex, this.#ignoring)
    if (!this.#texts.journal) this.#printDates()
    print(`\nLines: ${this.#lines} lines, ${ignored} ignored, ${matched} matched, ${missed} missed`)
    print(`[processed in ${((performance.now() - this.#startedAt) / 1000).toFixed(2)} sec]\n`)
    const { printAllMatched, printNoIgnored, printNoMissed } = this.#options
    if (printAllMatched) this.#printLines('matched')
    if (!printNoIgnored) this.#printLines('ignored')
    if (!printNoMissed) this.#printLines('missed')
  }

  get counts(): Readonly<Record<Kind | 'lines', number>> {
    return { ...this.#counts, lines: this.#lines }
  }

  /** Lines that waited for others and were taken with this one: they are no longer missed. */
  #takeConsumed(): void {
    const { maxlines } = this.#texts
    const before = this.#waiting
    this.#waiting = this.#filter.lines.memory.waiting
    const kept = new Set(this.#waiting.map(keyOf))
    for (const line of before.slice(before.length >= maxlines ? 1 : 0)) {
      if (kept.has(keyOf(line))) continue
      const text = line.join('')
      const at = this.#lists.missed.indexOf(text)
      if (at >= 0) this.#lists.missed.splice(at, 1)
      if (this.#options.printAllMatched) this.#lists.matched.push(text)
      this.#counts.matched++
      this.#counts.missed--
    }
  }

  #tellHost(rule: number, text: string): void {
    const known = this.#hosts.get(rule)
    if (known === undefined) this.#hosts.set(rule, [text])
    else known.push(text)
  }

  #isListed(kind: Kind): boolean {
    const { listed, printAllMatched, printAllMissed, printAllIgnored, printNoMissed, printNoIgnored } = this.#options
    const few = this.#counts[kind] <= listed + 1
    if (kind === 'matched') return printAllMatched === true
    if (kind === 'missed') return !printNoMissed && (printAllMissed === true || few)
    return !printNoIgnored && (printAllIgnored === true || few)
  }

  #printRules(title: string, rules: readonly string[], hits: readonly number[]): void {
    const rows = rules.flatMap((rule, index) => {
      const count = hits[index] ?? 0
      if (count === 0 && !this.#options.verbose) return []
      const row = `${String(index + 1).padStart(2)}) [${count}] ${rule}`
      const hosts = title === 'Failregex' ? (this.#hosts.get(index) ?? []) : []
      return [row, ...hosts.map((host) => `    ${host}`)]
    })
    print(`\n${title}: ${hits.reduce((sum, count) => sum + count, 0)} total`)
    tree(' #) [# of hits] regular expression', rows)
  }

  #printDates(): void {
    const templates = this.#filter.lines.detector.templates.filter(({ hits }) => hits > 0 || this.#options.verbose)
    print('\nDate template hits:')
    tree(
      '[# of hits] date format',
      templates.map(({ hits, name }) => `[${hits}] ${name}`),
    )
  }

  #printLines(kind: Kind): void {
    const count = this.#counts[kind]
    if (count === 0) return
    const all =
      kind === 'matched' || (kind === 'missed' ? this.#options.printAllMissed : this.#options.printAllIgnored) === true
    const title = `${kind[0]?.toUpperCase()}${kind.slice(1)} line(s):`
    if (count < this.#options.listed || all) tree(title, this.#lists[kind])
    else print(`${title} too many to print.  Use --print-all-${kind} to print all ${count} lines`)
  }
}

/** Rows as a tree of two branches, or of one without a heading. */
function tree(heading: string | null, rows: readonly string[]): void {
  if (rows.length === 0) return
  const head = heading === null ? '' : `|- ${heading}\n`
  print(`${head}${rows.map((row) => `|  ${printable(row.trimEnd())}`).join('\n')}\n\`-`)
}

function keyOf(line: LogLine): string {
  return JSON.stringify(line)
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toString().replace(/ GMT.*/, '')
}
