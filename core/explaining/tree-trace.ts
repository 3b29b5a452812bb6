/** Leads a line through the filter of a jail of a Fail2ban tree, with the parts that the agent runs. */
import { printable, quote } from '../errors.ts'
import type { Match } from '../events.ts'
import type { ExaminedLine } from '../fail2ban/lines/jail-filter.ts'
import { undatedText } from '../fail2ban/lines/log-line.ts'
import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'
import { text } from '../fail2ban/lines/failure-id.ts'
import { parsePrefix, parseAddress } from '../address.ts'
import type { LineGuard } from '../matching/line-guard.ts'
import type { Candidate } from './candidate.ts'
import { dateStep, type ReadHead } from './line-date.ts'
import type { Cause, Step } from './line-explanation.ts'
import type { Traced } from './line-trace.ts'
import type { TreeCandidate } from './tree-candidate.ts'

/** What came of the line, and its head as this jail reads it. */
export interface TracedTreeLine {
  readonly traced: Traced
  readonly read: ReadHead
}

/** A line takes the patterns of a jail no longer than this. */
const lineMs = 5000
/** Of a failregex so much is shown. */
const longestPattern = 200

/** `line`: without its newline. `now`: unix ms. Lines that are asked one after the other are read as lines of one log. */
export async function traceTreeLine(
  { jail, filter }: Candidate,
  tree: TreeCandidate,
  line: Buffer,
  asked: { readonly now: number; readonly log: string; readonly guard: LineGuard },
): Promise<TracedTreeLine> {
  const { now, guard } = asked
  const decoded = tree.decode(line).replace(/\r+$/, '')
  const before = new Map(tree.filter.lines.detector.templates.map((used) => [used, used.hits]))
  let examined: ExaminedLine | null = null
  const moment = { now: now / 1000, time: null, dateText: '', inOperation: false, findtime: null }
  guard.run(() => (examined = tree.filter.examine(decoded, moment)), lineMs)
  const found = examined as ExaminedLine | null
  const template = tree.filter.lines.detector.templates.find((used) => used.hits > (before.get(used) ?? 0))
  const read = readOf(decoded, found, template?.name ?? null, tree)
  const steps = new Steps()
  steps.add(
    'line',
    null,
    `${line.length} bytes${read.head.ascii ? ', ASCII' : `, ${tree.texts.encoding === 'auto' ? 'UTF-8' : tree.texts.encoding}`}`,
  )
  steps.list.push(dateStep(read, now))
  if (found === null || found.line === null) {
    const why = found === null ? 'takes the patterns too long' : 'has a date that Fail2ban stops at'
    return {
      read,
      traced: steps.ended(found === null ? 'too-slow' : 'no-date', `The line ${why}, so ${jail} passes it over.`),
    }
  }
  return { read, traced: await new TreeTrace(jail, filter.name, tree, found, steps, asked).run(decoded) }
}

class Steps {
  readonly list: Step[] = []

  add(step: string, ok: boolean | null, detail: string): void {
    this.list.push({ step, ok, detail: printable(detail) })
  }

  ended(cause: Cause, verdict: string, more: Partial<Traced> = {}): Traced {
    return { match: null, cause, verdict, steps: this.list, nearly: false, nearest: null, rule: null, ...more }
  }
}

class TreeTrace {
  readonly #jail: string
  readonly #filterName: string
  readonly #tree: TreeCandidate
  readonly #found: ExaminedLine
  readonly #steps: Steps
  readonly #log: string

  constructor(
    jail: string,
    filterName: string,
    tree: TreeCandidate,
    found: ExaminedLine,
    steps: Steps,
    { log }: { readonly log: string },
  ) {
    this.#jail = jail
    this.#filterName = filterName
    this.#tree = tree
    this.#found = found
    this.#steps = steps
    this.#log = log
  }

  async run(line: string): Promise<Traced> {
    const { hits, ignoredBy, prefixed, line: dated, failures } = this.#found
    const { texts, placeOf } = this.#tree
    const undated = dated === null ? line : undatedText(dated.parts)
    if (hits.length === 0 && ignoredBy.length === 0 && this.#tree.words?.test(undated) === false) return this.#noWord()
    if (texts.prefregex !== null) this.#prefixStep(prefixed, undated)
    if (texts.prefregex !== null && !prefixed && ignoredBy.length === 0)
      return this.#steps.ended(
        'prefregex',
        `The line is not one that ${this.#jail} looks at: its prefregex does not match.`,
      )
    const [hit] = hits
    if (ignoredBy.length > 0) return this.#ignored(ignoredBy[0] ?? 0)
    if (hit === undefined) return this.#noRule()
    const pattern = (texts.failregex[hit.rule] ?? '').slice(0, longestPattern)
    this.#steps.add('failregex', true, `failregex ${hit.rule} matches (${placeOf('failregex')}): ${pattern}`)
    if (texts.ignoreregex.length > 0) this.#steps.add('ignoreregex', true, 'none matches')
    const rule = placeOf('failregex')
    const session = hit.groups.mlfid
    if (session !== undefined) this.#sessionStep(text(session), failures[0])
    const [failure] = failures
    if (failure === undefined || failure.nofail)
      return this.#steps.ended(
        'no-failure',
        `${this.#jail} knows the line, and it is no failure by itself (failregex ${hit.rule} has <F-NOFAIL>, or its session had a success).`,
        { nearly: true, rule },
      )
    if (failure.id === null)
      return this.#steps.ended(
        'waiting',
        `It is a failure in ${this.#jail}, and another line of its session has to tell whose.`,
        { nearly: true, rule },
      )
    return this.#whom(failure, failure.id, rule)
  }

  #noWord(): Traced {
    this.#steps.add('prefilter', false, 'the line has none of the words that a match contains')
    const count = this.#tree.texts.failregex.length
    return this.#steps.ended(
      'no-literal',
      `Nothing of the line is what ${this.#jail} looks for, so none of its ${count} failregexes can match.`,
    )
  }

  #prefixStep(prefixed: boolean, undated: string): void {
    const content = prefixed ? this.#tree.contentOf(undated) : null
    this.#steps.add(
      'prefregex',
      prefixed,
      !prefixed ? 'does not match' : content === null ? 'matches' : `leaves ${quote(content)}`,
    )
  }

  #ignored(index: number): Traced {
    const place = this.#tree.placeOf('ignoreregex')
    this.#steps.add('ignoreregex', false, `ignoreregex ${index} matches (${place})`)
    return this.#steps.ended('ignoreregex', `Ignoreregex ${index} of ${this.#jail} takes the line away (${place}).`, {
      nearly: true,
    })
  }

  #noRule(): Traced {
    const count = this.#tree.texts.failregex.length
    this.#steps.add('failregex', false, `none of ${count} matches`)
    const more =
      this.#tree.texts.maxlines > 1 ? `, alone or with up to ${this.#tree.texts.maxlines - 1} lines before it` : ''
    return this.#steps.ended('failregex', `None of the ${count} failregexes of ${this.#jail} matches${more}.`)
  }

  #sessionStep(key: string, failure: RawFailure | undefined): void {
    const lines = failure === undefined ? 0 : failure.lines.length
    const users = failure?.users.length ? `; users: ${failure.users.join(', ')}` : ''
    const told = lines > 1 ? `, with ${lines - 1} lines before it` : ''
    this.#steps.add('session', null, `${quote(key)}${told}${users}`)
  }

  /** Whom the failure is about, and whether the jail ignores him. */
  async #whom(failure: RawFailure, id: string, rule: string): Promise<Traced> {
    const { texts, ignoring, ignorecommand } = this.#tree
    if (failure.dns !== null) {
      this.#steps.add('address', null, `${quote(id)} is a name; usedns = ${texts.usedns}`)
      const verdict =
        texts.usedns === 'yes' || texts.usedns === 'warn'
          ? `It counts in ${this.#jail} for each address that the name ${quote(id)} has when the line is read.`
          : `Failregex ${failure.rule} of ${this.#jail} matches, but ${quote(id)} is a name, and usedns is ${texts.usedns}.`
      const counts = texts.usedns === 'yes' || texts.usedns === 'warn'
      return this.#steps.ended(counts ? 'counts' : 'no-address', verdict, { nearly: true, rule })
    }
    const source = await ignoring(id)
    if (source !== null) {
      this.#steps.add('ignore', false, `it is ignored (${source})`)
      return this.#steps.ended(
        'ignored',
        `The line tells of a failure of ${printable(id)} in ${this.#jail}, and is not counted: it is ignored (${source}).`,
        { nearly: true, rule },
      )
    }
    if (ignorecommand !== '') this.#steps.add('ignore', null, 'its ignorecommand is asked besides, not here')
    const address = parseAddress(failure.ip ?? '') ?? parseAddress(id)
    if (address === null) {
      const isPrefix = parsePrefix(id) !== null
      this.#steps.add('id', true, printable(id))
      return this.#steps.ended(
        'counts',
        `It counts as a failure of ${printable(id)} in ${this.#jail}${isPrefix ? '' : ', which is no address: a firewall keeps nobody away for it'}.`,
        { nearly: true, rule },
      )
    }
    return this.#steps.ended('counts', '', { match: this.#match(failure, address), nearly: true, rule })
  }

  #match({ rule, time, lines }: RawFailure, address: NonNullable<ReturnType<typeof parseAddress>>): Match {
    return {
      jail: this.#jail,
      filter: this.#filterName,
      rule,
      address,
      time: time === null ? null : time * 1000,
      attempts: 1,
      groups: {},
      session: null,
      once: false,
      log: this.#log,
      offset: 0,
      line: printable(lines.at(-1) ?? '').slice(0, 512),
    }
  }
}

/** The head of the line as this jail reads it, in the words of `readHead`. */
function readOf(line: string, found: ExaminedLine | null, form: string | null, { texts }: TreeCandidate): ReadHead {
  const dated = found?.line ?? null
  const isDated = dated?.dated === true && dated.parts[1] !== ''
  const dateText = isDated ? dated.parts[1] : ''
  const time = isDated && dated.time !== null ? dated.time * 1000 : null
  const undated = dated === null ? line : undatedText(dated.parts)
  return {
    head: { line, ascii: /^[\0-\x7f]*$/.test(line), time, undated, syslog: null },
    dateForm: form,
    dateText: dateText.trim(),
    yearless: form !== null && isDated && !/Year|TAI64N|Epoch/.test(form),
    timezone: texts.timezone,
  }
}
