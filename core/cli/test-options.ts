import { availableParallelism } from 'node:os'
import { BailiffError, quote } from '../errors.ts'

/** The options of `bailiff test` as commander gives them. */
export interface TestOptions {
  readonly config?: string
  readonly mode?: string
  readonly json?: true
  readonly summary?: true
  readonly yesNo?: true
  readonly threads?: string
  readonly fail2ban?: string
  readonly datepattern?: string
  readonly timezone?: string
  readonly encoding?: string
  readonly raw?: true
  readonly usedns?: string
  readonly maxlines?: string
  readonly journalmatch?: string
  readonly ignoreregex?: readonly string[]
  readonly now?: string
  /** False with `--no-date`. */
  readonly date: boolean
  readonly all?: true
  /** False with `--no-check-all`. */
  readonly checkAll: boolean
  readonly out?: string
  readonly invert?: true
  readonly verbose?: true
  readonly verboseDate?: true
  readonly printAllMatched?: true
  readonly printAllMissed?: true
  readonly printAllIgnored?: true
  readonly printNoMissed?: true
  readonly printNoIgnored?: true
}

/** Options of `fail2ban-regex` that mean nothing here, and why. */
export const meaningless: Readonly<Record<string, string>> = {
  '-D, --debuggex': 'it would put lines of your logs into addresses of a web site',
  '-l, --log-level <level>': 'a test writes no log: what is wrong is said, and -v says more',
  '-t, --log-traceback': 'an error names file, option and what is allowed, and has no trace',
  '--full-traceback': 'an error names file, option and what is allowed, and has no trace',
}

/** What the other options say besides, in one: which of the forms of output is asked for. */
export type OutputForm = 'report' | 'json' | 'out' | 'invert' | 'summary'

/** The form of output that is asked for. */
export function outputForm({ json, out, invert, summary, yesNo }: TestOptions): OutputForm {
  if (json) return 'json'
  if (invert) return 'invert'
  if (out !== undefined) return 'out'
  return summary || yesNo ? 'summary' : 'report'
}

/** Whether every failregex is tried: the report does as `fail2ban-regex`, what is for programs says what a jail would. */
export function triesAll(options: TestOptions): boolean {
  const form = outputForm(options)
  if (form === 'out' || form === 'invert') return false
  return options.all === true || (form === 'report' && options.checkAll)
}

/** The time at which lines are read, unix seconds. Throws a BailiffError for one that is none. */
export function timeOf({ now }: TestOptions): number {
  if (now === undefined) return Date.now() / 1000
  const time = Number(now)
  if (now.trim() !== '' && Number.isFinite(time) && time > 0 && time < 1e11) return time
  throw new BailiffError('usage', `--now ${quote(now)} is no time`, { hint: 'unix seconds: --now 1763817600' })
}

/** Whether more than one thread is asked for. */
export function asksThreads({ threads = '1' }: TestOptions): boolean {
  return threads !== '1'
}

/** Threads that may count, at most as many as there are processors. Throws a BailiffError for what is no number of them. */
export function threadsOf({ threads = '1' }: TestOptions): number {
  const count = /^\d{1,4}$/.test(threads) ? Number(threads) : 0
  if (count > 0) return Math.min(count, availableParallelism())
  throw new BailiffError('usage', `--threads ${quote(threads)} is no number of threads`, {
    hint: 'from 1 on; no more are used than there are processors',
  })
}

/** Throws a BailiffError for options that exclude each other, or that mean nothing in the dialect that is tried. */
export function refuseContradictions(options: TestOptions): void {
  const { json, summary, yesNo, out, invert, printAllMissed, printNoMissed, printAllIgnored, printNoIgnored } = options
  const given = out !== undefined
  const pairs = [
    ['--json', '--summary', json && summary],
    ['--json', '--out', json && given],
    ['--json', '--invert', json && invert],
    ['--json', '--yes-no', json && yesNo],
    ['--summary', '--out', summary && given],
    ['--summary', '--invert', summary && invert],
    ['--yes-no', '--out', yesNo && given],
    ['--yes-no', '--invert', yesNo && invert],
    ['--yes-no', '--all', yesNo && options.all],
    ['--print-all-missed', '--print-no-missed', printAllMissed && printNoMissed],
    ['--print-all-ignored', '--print-no-ignored', printAllIgnored && printNoIgnored],
  ] as const
  const pair = pairs.find(([, , both]) => both)
  if (pair !== undefined)
    throw new BailiffError('usage', `${pair[0]} and ${pair[1]} exclude each other`, { hint: 'use one of them' })
  const without = (options.fail2ban === undefined ? inOurs : inTheirs)(options)
  if (without !== null)
    throw new BailiffError('usage', `${without.option}: ${without.why}`, { hint: without.hint ?? 'leave it out' })
}

interface Without {
  readonly option: string
  readonly why: string
  readonly hint?: string
}

/** What means nothing where a filter of our own is tried. */
function inOurs(options: TestOptions): Without | null {
  const { encoding, usedns, maxlines, verboseDate, date } = options
  const tree = 'for filters of Fail2ban: --fail2ban /etc/fail2ban'
  if (encoding !== undefined && !/^(?:auto|utf-?8|ascii)$/i.test(encoding))
    return {
      option: `--encoding ${quote(encoding)}`,
      why: 'filters of our own read UTF-8, and bytes that are none stand for themselves',
      hint: tree,
    }
  if (usedns !== undefined && usedns !== 'no')
    return {
      option: `--usedns ${quote(usedns)}`,
      why: 'in filters of our own <HOST> is an address and never a name, as with no',
      hint: tree,
    }
  if (maxlines !== undefined && maxlines !== '1')
    return {
      option: `--maxlines ${quote(maxlines)}`,
      why: 'a failregex of our own sees one line; <F-MLFID> joins the lines of a session',
      hint: tree,
    }
  if (verboseDate)
    return {
      option: '--verbose-date',
      why: 'dates of our own have no weights: what the line alone says counts',
      hint: tree,
    }
  if (asksThreads(options) && !(outputForm(options) === 'summary' && date))
    return {
      option: '--threads',
      why: 'several threads count, and what tells of lines has them in their order',
      hint: 'with --summary or --yes-no, and without --no-date',
    }
  return null
}

/** What means nothing where a filter of Fail2ban is tried. */
function inTheirs(options: TestOptions): Without | null {
  if (asksThreads(options))
    return { option: '--threads', why: 'filters of Fail2ban see the lines in their order, in one thread' }
  if (options.config === undefined) return null
  return { option: '--config', why: 'jails and filters are those of the folder behind --fail2ban' }
}
