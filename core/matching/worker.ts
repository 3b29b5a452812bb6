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
import { ProgressCell, type BrokenJail, type DatesTask, type ScanTask, type WorkerSetup } from './messages.ts'
import { lateJail, type OrderedJail } from './ordered-jails.ts'
import { packResult, type PackedResult } from './packed-results.ts'
import { threadNumber } from './processor-time.ts'
import { createLogScanner } from './scan.ts'

// Patterns that the linear engine can run are given to it when they backtrack too much.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

/**
 * The engines are loaded by the first task and not by this module: a thread that fails while it
 * starts leaves the tasks behind it waiting for ever, one that fails in a task is an error of the task.
 */
const scanner = once(async () => {
  const { jails, engineUrls, treeJails = [] } = workerData as WorkerSetup
  const { ordered, broken, make } = await treeJailsOf(treeJails)
  return {
    ready: createLogScanner({ jails, ordered, engines: await Promise.all(engineUrls.map(loadEngine)) }),
    broken,
    make,
  }
})

const thread = threadNumber()

/** Answers a task. */
export default async function scan({ chunk, lineMs, memories, progress }: ScanTask): Promise<PackedResult> {
  const { ready, broken, make } = await scanner()
  // Before the time of any line is taken.
  make(chunk.jails)
  const cell = new ProgressCell(progress)
  cell.begin(thread)
  const result = ready.scan(chunk, cell, lineMs, memories)
  return packResult(broken.length === 0 ? result : { ...result, broken })
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
  if (setups.length === 0) return { ordered: [], broken: [], make: () => {} }
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
  const late = new Map(setups.map((setup) => [setup.jail, lateJail(setup.jail, () => compile(setup))]))
  const known = new Set<string>()
  const make = (jails: readonly string[]) => {
    for (const jail of jails) {
      if (known.has(jail)) continue
      known.add(jail)
      void late.get(jail)?.memory
    }
  }
  return { ordered: [...late.values()], broken, make }
}

interface TreeJails {
  readonly ordered: readonly OrderedJail[]
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
