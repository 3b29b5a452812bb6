/** Leads a line through all jails, with the parts that the agent uses, and says what becomes of it. */
import { BailiffError, printable } from '../errors.ts'
import type { AddressExplanation } from '../control/api.ts'
import type { Address } from '../address.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { followsLog, type Candidate } from './candidate.ts'
import { readHead } from './line-date.ts'
import { causes, type Cause, type JailTrace, type LineExplanation, type Step } from './line-explanation.ts'
import { traceLine, type AskedLine, type Traced } from './line-trace.ts'
import { traceModuleLine } from './module-trace.ts'
import type { LineSequence } from './line-sequence.ts'
import { inTurn, judgeMatch } from './line-verdict.ts'
import { Trials, type LinePlace } from './trials.ts'

/** What is asked of a line. */
export interface LineQuestion {
  /** Without its newline. */
  readonly bytes: Buffer
  /** Whether a newline ended it. */
  readonly ended: boolean
  /** The log it stands in; null: not said. */
  readonly log: string | null
  /** The log, open; null: not at hand. */
  readonly fd: number | null
  /** The jail it is about; null: all. */
  readonly jail: string | null
  /** Unix milliseconds. */
  readonly now: number
  /** The lines before it, where several are read one after the other; null: it stands alone. */
  readonly sequence: LineSequence | null
}

export interface ExplainerOptions {
  /** The jails that are on, then those that are off. */
  readonly candidates: readonly Candidate[]
  /** Filters that no jail uses; asked for only where no jail has to do with a line. */
  readonly unused: () => Promise<readonly Candidate[]>
  readonly engines: readonly MatcherPlugin[]
  readonly report: (address: Address) => Promise<AddressExplanation>
}

const maxShown = 512

export class LineExplainer {
  readonly #options: ExplainerOptions
  readonly #trials: Trials

  constructor(options: ExplainerOptions) {
    this.#options = options
    this.#trials = new Trials(options.engines)
  }

  /** Throws a BailiffError for a jail that the configuration does not have. */
  async explain(question: LineQuestion): Promise<LineExplanation> {
    const { bytes, now } = question
    const usual = readHead(bytes, now, null).head
    const traces: JailTrace[] = []
    for (const candidate of this.#asked(question)) traces.push(await this.#trace(candidate, question))
    if (!traces.some(({ nearly }) => nearly) && question.jail === null) {
      for (const candidate of await this.#options.unused()) {
        const trace = await this.#trace(candidate, question)
        if (trace.nearly && trace.cause === 'jail-off') traces.push(trace)
      }
    }
    const jails = traces.toSorted(
      (a, b) => nearness(b) - nearness(a) || causes.indexOf(b.cause) - causes.indexOf(a.cause),
    )
    return {
      ...verdictOf(jails, question),
      line: printable(usual.line.slice(0, maxShown)),
      time: usual.time,
      jails,
      hints: [],
    }
  }

  #asked({ jail }: LineQuestion): readonly Candidate[] {
    const { candidates } = this.#options
    if (jail === null) return candidates
    if (candidates.some((each) => each.jail === jail)) return candidates
    const names = candidates.map((each) => each.jail).join(', ')
    throw new BailiffError('usage', `there is no jail ${printable(jail)}; there are ${names || 'none'}`)
  }

  async #trace(candidate: Candidate, question: LineQuestion): Promise<JailTrace> {
    const { bytes, now, log, fd } = question
    const place = { log: log ?? 'line', fd, now, proxies: candidate.proxies }
    const { line, traced } = await this.#lead(candidate, bytes, place)
    const judged = await this.#judged(candidate, traced, line, question)
    const state = candidate.state === 'unused' ? 'off' : candidate.state
    const { nearest, rule } = traced
    return {
      jail: candidate.jail,
      filter: candidate.filter.name,
      state,
      nearly: traced.nearly,
      readsLog:
        candidate.state === 'unused' || question.log === null ? null : followsLog(candidate.files, question.log),
      ...judged,
      address: traced.match?.address ?? null,
      rule,
      nearest,
    }
  }

  async #lead(
    candidate: Candidate,
    bytes: Buffer,
    place: LinePlace,
  ): Promise<{ readonly line: AskedLine; readonly traced: Traced }> {
    const { now, log } = place
    if (candidate.tree === undefined) {
      const line: AskedLine = { bytes, place, read: readHead(bytes, now, candidate.filter.dates ?? null) }
      const { module } = candidate.filter
      const traced = module
        ? traceModuleLine(candidate, module, line, this.#trials)
        : traceLine(candidate, line, this.#trials)
      return { line, traced }
    }
    const { traceTreeLine } = await import('./tree-trace.ts')
    const { guard } = this.#trials
    const { read, traced } = await traceTreeLine(candidate, candidate.tree, bytes, { now, log, guard })
    return { line: { bytes, place, read }, traced }
  }

  async #judged(
    candidate: Candidate,
    traced: Traced,
    line: AskedLine,
    question: LineQuestion,
  ): Promise<Pick<JailTrace, 'cause' | 'verdict' | 'steps'>> {
    const steps: Step[] = [...traced.steps]
    const end = (cause: Cause, verdict: string) => ({ cause, verdict, steps })
    const { match, nearly } = traced
    const unread = this.#unread(candidate, question)
    if (unread !== null) steps.unshift({ step: 'log', ok: false, detail: unread.detail })
    if (!nearly) return end(weak(traced.cause), traced.verdict)
    if (unread !== null && match !== null) return end(unread.cause, unread.verdict)
    if (match === null) return end(traced.cause, traced.verdict)
    if (!question.ended) {
      steps.push({ step: 'line', ok: false, detail: 'no newline ends it yet' })
      const verdict = `The line is not finished: it is read when a newline ends it, and would then be a failure of ${match.address} in ${candidate.jail}.`
      return end('unfinished', verdict)
    }
    const report = await this.#options.report(match.address)
    const judged = judgeMatch(match, candidate, line.read, report, question.now)
    const { sequence } = question
    const taken = sequence !== null && reaches(judged.cause, 'clock-skew')
    const final = taken
      ? inTurn(judged, sequence.take({ ...match, jail: candidate.jail }, question.now), match)
      : judged
    return { ...final, steps: [...steps, ...final.steps] }
  }

  /** Why the jail does not get to see the line at all; null where it does, as far as is known. */
  #unread(candidate: Candidate, { log }: LineQuestion): { cause: Cause; detail: string; verdict: string } | null {
    const { jail, state, place, files } = candidate
    if (state === 'off')
      return {
        cause: 'jail-off',
        detail: `the jail is off (${place})`,
        verdict: `The jail ${jail} is off (${place}), so nobody counts the line; it would match there.`,
      }
    if (state === 'unused')
      return {
        cause: 'jail-off',
        detail: 'no jail uses this filter',
        verdict: `No jail has to do with this line; the filter ${jail} matches it: write jails: { ${jail}: on } to use it.`,
      }
    if (log === null || followsLog(files, log)) return null
    const reads = files === null ? 'no files' : files.join(', ')
    return {
      cause: 'log-not-read',
      detail: `${jail} reads ${reads}`,
      verdict: `${printable(log)} is not read by ${jail}, which reads ${reads}; there the line would match.`,
    }
  }
}

/**
 * Whom a line concerns: a jail that matches it, or nearly does, before all others; and of those, as of the rest,
 * one that reads the log before one that would have to be told to.
 */
function nearness({ nearly, readsLog }: JailTrace): number {
  return (nearly ? 2 : 0) + (readsLog === false ? 0 : 1)
}

/** What fails in a filter that has nothing to do with the line is no news. */
function weak(cause: Cause): Cause {
  return cause === 'other-program' || cause === 'no-header' || cause === 'other-format' ? 'no-jail' : cause
}

/** Whether a cause is at least so far on the way. */
function reaches(cause: Cause, least: Cause): boolean {
  return causes.indexOf(cause) >= causes.indexOf(least)
}

function verdictOf(
  jails: readonly JailTrace[],
  { jail: asked, log }: LineQuestion,
): Pick<LineExplanation, 'cause' | 'verdict' | 'jail'> {
  const own = asked === null ? undefined : jails.find(({ jail }) => jail === asked)
  const [first] = jails
  if (own !== undefined && first !== undefined && own !== first && first.nearly && !own.nearly) {
    const verdict = `Not ${own.jail} but ${first.jail} has to do with this line. ${first.verdict} ${own.jail}: ${own.verdict}`
    return { cause: 'other-jail', verdict, jail: own.jail }
  }
  const chosen = own ?? first
  if (chosen === undefined) return { cause: 'no-jail', verdict: 'No jail is on, so no line counts.', jail: null }
  if (
    !chosen.nearly &&
    asked === null &&
    chosen.readsLog !== true &&
    jails.length > 1 &&
    !reaches(chosen.cause, 'prefregex')
  ) {
    const whose = log === null ? '' : ` of ${printable(log)}`
    return {
      cause: 'no-jail',
      verdict: `No jail has to do with this line${whose}: nothing of it is what one looks for.`,
      jail: null,
    }
  }
  const also = jails.filter(
    (each) => each !== chosen && reaches(each.cause, 'clock-skew') && reaches(chosen.cause, 'clock-skew'),
  )
  const more =
    also.length === 0 || own !== undefined ? '' : ` It counts in ${also.map(({ jail }) => jail).join(', ')} as well.`
  return { cause: chosen.cause, verdict: `${chosen.verdict}${more}`, jail: chosen.jail }
}
