/** The way of a line through the filter of one jail, up to the match that the judge would hear of. */
import type { FilterTrace } from '../../matchers/regexp/filter-matcher.ts'
import { looks } from '../../matchers/structured/object-place.ts'
import { literalsOf } from '../../matchers/regexp/prefilter.ts'
import { printable, quote } from '../errors.ts'
import type { Match } from '../events.ts'
import { placeOf } from '../jails.ts'
import { maxLineBytes } from '../matching/line-cutting.ts'
import { progressOf } from '../matching/pattern-progress.ts'
import type { Candidate } from './candidate.ts'
import { fieldsEnd } from './field-verdict.ts'
import { dateStep, type ReadHead } from './line-date.ts'
import type { Cause, Nearest, Step } from './line-explanation.ts'
import type { LinePlace, Trials } from './trials.ts'

/** What came of a line in a filter. */
export interface Traced {
  /** Null exactly when the line does not come to the judge; then cause and verdict say why. */
  readonly match: Match | null
  readonly cause: Cause
  readonly verdict: string
  readonly steps: readonly Step[]
  /** Whether the line would match but for the cause. */
  readonly nearly: boolean
  readonly nearest: Nearest | null
  readonly rule: string | null
}

/** A line as it is asked about. */
export interface AskedLine {
  /** Without its newline. */
  readonly bytes: Buffer
  readonly read: ReadHead
  readonly place: LinePlace
}

const nothingSeen: FilterTrace = { text: null, content: null, rule: null, tried: [], ignoredBy: null, address: null }

/** Texts in front of the message that are tried as a date that was not read. */
const datesTried = 24

export function traceLine(candidate: Candidate, line: AskedLine, trials: Trials): Traced {
  return new LineTrace(candidate, line, trials).run()
}

type End = Pick<Traced, 'cause' | 'verdict'> & Partial<Pick<Traced, 'nearly' | 'nearest'>>

class LineTrace {
  readonly #candidate: Candidate
  readonly #line: AskedLine
  readonly #trials: Trials
  readonly #trace: FilterTrace
  readonly #steps: Step[] = []

  constructor(candidate: Candidate, line: AskedLine, trials: Trials) {
    this.#candidate = candidate
    this.#line = line
    this.#trials = trials
    this.#trace = trials.trace(candidate.filter, line.read.head, line.place) ?? nothingSeen
  }

  run(): Traced {
    const { jail, filter, settings } = this.#candidate
    const { bytes, place, read } = this.#line
    const { matches, skipped, slow, bare } = this.#trials.scan(filter, bytes, place)
    const match = matches[0] === undefined ? null : { ...matches[0], jail }
    this.#readSteps()
    if (slow.length > 0) return this.#ended(null, this.#tooSlow())
    if (skipped > 0) return this.#ended(null, this.#tooLong())
    const trace = this.#trace
    if (match !== null) {
      if (filter.structure === null) this.#patternSteps(trace)
      else this.#step('fields', true, `they meet the conditions (${filter.structure.format})`)
      return this.#ended(match, { cause: 'counts', verdict: '' }, settings.failregex[match.rule]?.where)
    }
    if (filter.structure !== null) return this.#ended(null, this.#otherFields(filter.structure.format))
    if (trace.text === null) return this.#ended(null, this.#otherHead())
    this.#patternSteps(trace)
    if (trace.content === null) return this.#ended(null, this.#unlessOtherwise(this.#noPrefix()))
    if (trace.rule === null) return this.#ended(null, this.#unlessOtherwise(this.#noRule(trace.content)))
    const where = settings.failregex[trace.rule]?.where
    if (trace.ignoredBy !== null) return this.#ended(null, this.#takenAway(trace.rule, trace.ignoredBy), where)
    if (!bare && place.fd !== null && filter.programs !== null && read.head.syslog === null)
      return this.#ended(null, this.#notBelieved(), where)
    return this.#ended(null, this.#noAddress(trace.rule, trace.address ?? ''), where)
  }

  #ended(match: Match | null, end: End, where?: Parameters<typeof placeOf>[0]): Traced {
    const { cause, verdict, nearly = match !== null, nearest = null } = end
    return { match, cause, verdict, steps: this.#steps, nearly, nearest, rule: where ? placeOf(where) : null }
  }

  #step(step: string, ok: boolean | null, detail: string): void {
    this.#steps.push({ step, ok, detail: printable(detail) })
  }

  #readSteps(): void {
    const { head } = this.#line.read
    const { bytes, read, place } = this.#line
    const text = bytes.toString('utf8')
    const invalid = text.includes('\ufffd') ? ', not all of it UTF-8: what is not stands for itself as U+FFFD' : ''
    this.#step('line', null, `${bytes.length} bytes${head.ascii ? ', ASCII' : invalid || ', UTF-8'}`)
    this.#steps.push(dateStep(read, place.now))
    const syslog = head.syslog
    const pid = syslog?.pid ? `, process ${syslog.pid}` : ''
    const times = syslog !== null && syslog.attempts > 1 ? `, stands for ${syslog.attempts} lines` : ''
    this.#step(
      'head',
      null,
      syslog === null ? 'no host and program behind the date' : `program ${syslog.program}${pid}${times}`,
    )
    const { programs } = this.#candidate.filter
    if (programs !== null) this.#step('program', this.#trace.text !== null, `it reads lines of ${programs.join(', ')}`)
  }

  #patternSteps(trace: FilterTrace): void {
    const { filter, settings } = this.#candidate
    const literals = literalsOf(filter)
    const hit = literals?.find((literal) => this.#line.bytes.includes(literal))
    if (literals === null)
      this.#step('prefilter', null, 'nothing is known that every match contains: each line is tried')
    else if (hit === undefined)
      this.#step('prefilter', false, `the line has none of the ${literals.length} texts that a match contains`)
    else this.#step('prefilter', true, `the line has ${quote(hit)}`)
    if (settings.prefregex !== null)
      this.#step(
        'prefregex',
        trace.content !== null,
        trace.content === null ? 'does not match' : `leaves ${quote(trace.content)}`,
      )
    if (trace.content === null) return
    const of = `${trace.tried.length} of ${filter.failregex.length} can begin like this`
    const found = trace.rule === null ? undefined : settings.failregex[trace.rule]
    if (found === undefined) this.#step('failregex', false, `${of}, and none matches`)
    else this.#step('failregex', true, `failregex ${trace.rule ?? 0} matches (${placeOf(found.where)})`)
    if (found === undefined) return
    const ignore = trace.ignoredBy === null ? undefined : settings.ignoreregex[trace.ignoredBy]
    if (ignore !== undefined) this.#step('ignoreregex', false, `matches as well (${placeOf(ignore.where)})`)
    else if (settings.ignoreregex.length > 0) this.#step('ignoreregex', true, 'none matches')
  }

  #tooLong(): End {
    const { length } = this.#line.bytes
    this.#step('line', false, `longer than ${maxLineBytes} bytes`)
    return {
      cause: 'too-long',
      verdict: `The line has ${length} bytes, and lines of more than ${maxLineBytes} are passed over.`,
    }
  }

  #tooSlow(): End {
    this.#step('failregex', false, 'takes too long')
    return {
      cause: 'too-slow',
      verdict: `The line takes the patterns of ${this.#candidate.jail} too long, so it is passed over.`,
    }
  }

  #otherFields(format: 'json' | 'logfmt'): End {
    const otherMode = this.#unlessOtherMode()
    if (otherMode !== null) return otherMode
    const { bytes, read } = this.#line
    const trace = this.#trials.traceFields(this.#candidate.filter, bytes, read.head)
    if (trace === null) return this.#tooSlow()
    const text = read.head.syslog?.message ?? read.head.undated
    const { steps, ...end } = fieldsEnd(this.#candidate, trace, looks[format].begin.test(text))
    for (const { step, ok, detail } of steps) this.#step(step, ok, detail)
    return end
  }

  /** The head is not one that the filter reads: of another program, or without one. */
  #otherHead(): End {
    const { jail, filter } = this.#candidate
    const programs = filter.programs ?? []
    const reads = `${jail} reads only lines of ${programs.join(', ')}`
    const { head, dateForm } = this.#line.read
    const { syslog } = head
    const nearly = this.#trials.matches(this.#trials.ofAnyProgram(filter), this.#asMessage(), this.#line.place)
    const but = nearly ? '; it would match otherwise' : ''
    if (syslog === null && this.#trials.matches(filter, this.#dated(head.undated), this.#line.place))
      return {
        cause: 'no-header',
        verdict: `The date of the line has a form behind which no program is looked for${dateForm ? ` (${printable(dateForm)})` : ''}, and ${reads}; behind a date of syslog it would match.`,
        nearly: true,
      }
    if (syslog === null)
      return {
        cause: 'no-header',
        verdict: `The line has a date and no program behind it (HOST PROGRAM[PID]: …), and ${reads}${but}.`,
        nearly,
      }
    return {
      cause: 'other-program',
      verdict: `The line is of the program ${quote(syslog.program)}, and ${reads}${but}.`,
      nearly,
    }
  }

  /** The message alone, behind a date. */
  #asMessage(): Buffer {
    const { head } = this.#line.read
    return this.#dated(head.syslog?.message ?? head.undated)
  }

  #dated(text: string): Buffer {
    return Buffer.from(`${new Date(this.#line.place.now).toISOString()} ${text}`)
  }

  #notBelieved(): End {
    const { log } = this.#line.place
    this.#step('head', false, 'the lines of this log have one')
    return {
      cause: 'no-header',
      verdict: `The line has neither date nor program, and other lines of ${printable(log)} do, so it is not believed: somebody may have written a line break.`,
      nearly: true,
    }
  }

  #takenAway(rule: number, ignored: number): End {
    const { settings, jail } = this.#candidate
    const place = settings.ignoreregex[ignored]?.where
    return {
      cause: 'ignoreregex',
      verdict: `Failregex ${rule} of ${jail} matches, and ignoreregex ${ignored} takes the line away (${place ? placeOf(place) : ''}).`,
      nearly: true,
    }
  }

  #noAddress(rule: number, text: string): End {
    this.#step('address', false, `${quote(text)} is none`)
    return {
      cause: 'no-address',
      verdict: `Failregex ${rule} of ${this.#candidate.jail} matches, but ${quote(text)} is no IP address.`,
      nearly: true,
    }
  }

  #noPrefix(): End {
    const { jail, settings } = this.#candidate
    const { prefregex } = settings
    if (this.#lacksLiterals()) return { cause: 'no-literal', verdict: this.#nothingLookedFor() }
    const verdict = `The line is not one that ${jail} looks at: its prefregex does not match.`
    if (prefregex === null || !this.#showsNearest()) return { cause: 'prefregex', verdict }
    const place = { list: 'prefregex', index: 0 } as const
    const progress = progressOf(prefregex.text, place, this.#trace.text ?? '', this.#trials.guard)
    return {
      cause: 'prefregex',
      verdict,
      nearest: progress && this.#nearest(null, prefregex, this.#trace.text ?? '', progress),
    }
  }

  #noRule(content: string): End {
    const { jail, filter, settings } = this.#candidate
    const nearest = this.#showsNearest() ? this.#nearestRule(content) : null
    if (this.#lacksLiterals()) return { cause: 'no-literal', verdict: this.#nothingLookedFor(), nearest }
    const hit = literalsOf(filter)?.find((literal) => this.#line.bytes.includes(literal))
    const mode = settings.mode === 'normal' ? '' : ` in the mode ${settings.mode}`
    const looks = hit === undefined ? '' : `The line has ${quote(hit)}, as lines that ${jail} looks for have, but n`
    return {
      cause: 'failregex',
      verdict: `${looks || 'N'}one of the ${filter.failregex.length} failregexes of ${jail}${mode} matches.`,
      nearest,
    }
  }

  /** Whether the line has none of the texts of which every match has one. */
  #lacksLiterals(): boolean {
    const literals = literalsOf(this.#candidate.filter)
    return literals !== null && !literals.some((literal) => this.#line.bytes.includes(literal))
  }

  #nothingLookedFor(): string {
    const { jail, filter } = this.#candidate
    return `Nothing of the line is what ${jail} looks for, so none of its ${filter.failregex.length} failregexes can match.`
  }

  /** Nobody hears of filters that no jail uses unless they match, and there are many. */
  #showsNearest(): boolean {
    return this.#candidate.state !== 'unused'
  }

  #nearestRule(content: string): Nearest | null {
    const all = this.#candidate.settings.failregex.flatMap((pattern, index) => {
      const progress = progressOf(pattern.text, { list: 'failregex', index }, content, this.#trials.guard)
      return progress === null ? [] : [{ pattern, index, progress }]
    })
    const [best] = all.toSorted((a, b) => b.progress.weight - a.progress.weight)
    if (best === undefined || best.progress.weight === 0) return null
    return this.#nearest(best.index, best.pattern, content, best.progress)
  }

  #nearest(
    rule: number | null,
    { text: pattern, where }: Candidate['settings']['failregex'][number],
    text: string,
    { pattern: patternSpan, textAt, somewhere }: NonNullable<ReturnType<typeof progressOf>>,
  ): Nearest {
    const before = printable(text.slice(0, textAt))
    const shown = before + printable(text.slice(textAt))
    return { rule, pattern, place: placeOf(where), patternSpan, text: shown, textAt: before.length, somewhere }
  }

  /** The patterns do not match; where the line would match but for its date or the mode, that is the cause. */
  #unlessOtherwise(end: End): End {
    return this.#unlessDated() ?? this.#unlessOtherMode() ?? end
  }

  #unlessDated(): End | null {
    const { filter, jail } = this.#candidate
    const { head } = this.#line.read
    if (head.time !== null) return null
    const starts = [...head.line.slice(0, 200).matchAll(/(?<=[\s\]|,;])(?=\S)/g)].map(({ index }) => index)
    const tried = this.#trials.ofUsualDates(filter)
    const at = starts
      .slice(0, datesTried)
      .find((from) => this.#trials.matches(tried, this.#dated(head.line.slice(from)), this.#line.place))
    if (at === undefined) return null
    const text = head.line.slice(0, at).trim()
    this.#step(
      'date',
      false,
      text === '' ? 'nothing stands where a date should' : `${quote(text)} stands where a date should`,
    )
    const reader = filter.dates?.patterns ? `the datepattern of ${jail} finds` : 'Bailiff reads'
    const why = text === '' ? '' : `: ${quote(text)} is none that ${reader}`
    return {
      cause: 'no-date',
      verdict: `No date is found in the line${why}. With one it would match in ${jail}.`,
      nearly: true,
    }
  }

  #unlessOtherMode(): End | null {
    const { definition, settings, jail } = this.#candidate
    const others = Object.keys(definition.modes).filter((mode) => mode !== settings.mode)
    const mode = others.find((other) =>
      this.#trials.matches(this.#trials.inMode(this.#candidate, other).filter, this.#line.bytes, this.#line.place),
    )
    if (mode === undefined) return null
    this.#step('mode', false, `a failregex of the mode ${mode} matches`)
    return {
      cause: 'wrong-mode',
      verdict: `The filter of ${jail} is used in the mode ${settings.mode}, which lacks the pattern; its mode ${mode} has it.`,
      nearly: true,
    }
  }
}
