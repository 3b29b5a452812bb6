/**
 * The module that runs in each thread of the pool. It holds compiled filters and nothing else; all
 * that a task needs comes with it, so a thread may be stopped at any time and replaced.
 */
import { setFlagsFromString } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { BailiffError, quote } from '../errors.ts'
import type { RangeDates } from '../events.ts'
import type { MatcherPlugin } from '../plugin.ts'
import type { TreeJailSetup } from '../fail2ban/lines/jail-lines.ts'
import { datesIn, nativeTimes } from './line-times.ts'
import {
  ProgressCell,
  type BrokenJail,
  type DatesTask,
  type GuardedResult,
  type ScanTask,
  type WorkerSetup,
} from './messages.ts'
import type { OrderedJail } from './ordered-jails.ts'
import { threadNumber } from './processor-time.ts'
import { createRowScanner } from './scan.ts'

// Patterns that the linear engine can run are given to it when they backtrack too much.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

/** What goes wrong with the engines is an error of each task: a thread that fails while it starts leaves tasks waiting for ever. */
const scanner = once(async () => {
  const { jails, engineUrls, sessionSeed, treeJails = [] } = workerData as WorkerSetup
  const { ordered, broken, make } = await treeJailsOf(treeJails)
  const engines = await Promise.all(engineUrls.map(loadEngine))
  return { ready: createRowScanner({ jails, ordered, engines }, sessionSeed), broken, make }
})

const thread = threadNumber()

// A thread that helps out is given nothing before it can begin: until then the others do it sooner.
await scanner().catch(() => {})

/** Answers a task. The memory of its rows is lent for it, or handed over. */
export default async function scan({ chunk, lineMs, memories, progress, rowMemory }: ScanTask): Promise<GuardedResult> {
  const { ready, broken, make } = await scanner()
  // Before the time of any line is taken.
  make(chunk.jails)
  ready.prepare(chunk)
  const cell = new ProgressCell(progress)
  cell.begin(thread)
  ready.lend(rowMemory)
  const result = ready.scan(chunk, cell, lineMs, memories, sliceMs)
  return handedOver(broken.length === 0 ? result : { ...result, broken })
}

/** Answers a question for the dates of a range, each way of reading them asked once. It needs no engine and no filter. */
export async function dates({ range, jails, now }: DatesTask): Promise<RangeDates> {
  const { jails: own, treeJails = [] } = workerData as WorkerSetup
  const ofTree = treeJails.filter(({ jail }) => jails.includes(jail))
  const native = own.filter(({ jail }) => jails.includes(jail)).map(({ filter }) => filter.dates ?? null)
  const readings = eachOnce(native).map((reading) => nativeTimes(reading, now))
  if (ofTree.length === 0) return datesIn(range, readings)
  const [{ treeTimes }, { DateForms }] = await treeDates()
  const forms = new DateForms()
  const texts = eachOnce(
    ofTree.map(({ texts: { datepattern, timezone, encoding } }) => ({ datepattern, timezone, encoding })),
  )
  return datesIn(range, [...readings, ...texts.map((one) => treeTimes(one, now, forms))])
}

function treeDates() {
  return Promise.all([import('../fail2ban/lines/line-times.ts'), import('../fail2ban/dates/date-forms.ts')])
}

/** Those that say the same count once. */
function eachOnce<Data>(all: readonly Data[]): Data[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()]
}

async function handedOver(result: GuardedResult): Promise<GuardedResult> {
  const { buffer } = result.rows.words
  if (buffer instanceof SharedArrayBuffer || buffer.byteLength < largeBytes) return result
  const { move, transferableSymbol, valueSymbol } = await import('piscina')
  // What is handed over arrives as its value, but piscina's types know only what stands for it.
  return move({ [transferableSymbol]: [buffer], [valueSymbol]: result } as never) as unknown as GuardedResult
}

/** After so long other logs have their turn. */
const sliceMs = 50

/** Less is copied: that costs less than to load what hands it over. */
const largeBytes = 65_536

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => (made ??= make())
}

/**
 * Only who has a Fail2ban tree needs their code. A filter that is broken stops its own jail alone, and is among `broken`
 * from then on. Each is compiled when a chunk is for its jail: a thread that helps out with one log is not to
 * compile those of all.
 */
async function treeJailsOf(setups: NonNullable<WorkerSetup['treeJails']>): Promise<TreeJails> {
  if (setups.length === 0) return { ordered: new Map(), broken: [], make: () => {} }
  const [{ JailLines }, { DateForms }, { faultyOption }] = await Promise.all([
    import('../fail2ban/lines/jail-lines.ts'),
    import('../fail2ban/dates/date-forms.ts'),
    import('../fail2ban/lines/option-error.ts'),
  ])
  const forms = new DateForms()
  const broken: BrokenJail[] = []
  const compile = (setup: TreeJailSetup): OrderedJail => {
    const { jail } = setup
    try {
      return new JailLines(setup, forms)
    } catch (error) {
      const { hint } = error instanceof BailiffError ? error : {}
      const message = error instanceof Error ? error.message : String(error)
      broken.push({ jail, option: faultyOption(error), message, hint })
      return { jail, memory: null, look: () => [] }
    }
  }
  const ordered = new Map<string, OrderedJail>()
  const byJail = new Map(setups.map((setup) => [setup.jail, setup]))
  const make = (jails: readonly string[]) => {
    for (const jail of jails) {
      const setup = ordered.has(jail) ? undefined : byJail.get(jail)
      if (setup !== undefined) ordered.set(jail, compile(setup))
    }
  }
  return { ordered, broken, make }
}

interface TreeJails {
  /** Those that were made so far. */
  readonly ordered: ReadonlyMap<string, OrderedJail>
  readonly broken: readonly BrokenJail[]
  /** Compiles the filters of these jails, if that is yet to be done. */
  make(jails: readonly string[]): void
}

async function loadEngine(url: string): Promise<MatcherPlugin> {
  const module = (await import(url)) as { default?: Partial<MatcherPlugin> }
  const { default: engine } = module
  if (typeof engine?.compile !== 'function') {
    throw new BailiffError('config', `the module ${quote(url)} exports no matcher`, {
      hint: 'export default defineMatcher({…})',
    })
  }
  return engine as MatcherPlugin
}
