/**
 * The module that runs in each thread of the pool. It holds compiled filters and nothing else; all
 * that a task needs comes with it, so a thread may be stopped at any time and replaced.
 */
import { setFlagsFromString } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { BailiffError, quote } from '../errors.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { ProgressCell, type BrokenJail, type GuardedResult, type ScanTask, type WorkerSetup } from './messages.ts'
import type { OrderedJail } from './ordered-jails.ts'
import { threadNumber } from './processor-time.ts'
import { PatternError } from './pattern-error.ts'
import { createRowScanner } from './scan.ts'

// Patterns that the linear engine can run are given to it when they backtrack too much.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

/**
 * The engines are loaded by the first task and not by this module: a thread that fails while it
 * starts leaves the tasks behind it waiting for ever, one that fails in a task is an error of the task.
 */
const scanner = once(async () => {
  const { jails, engineUrls, sessionSeed, treeJails = [] } = workerData as WorkerSetup
  const { ordered, broken } = await loadTreeJails(treeJails)
  const engines = await Promise.all(engineUrls.map(loadEngine))
  const ready = createRowScanner({ jails, ordered, engines }, sessionSeed)
  return { ready, more: broken.length === 0 ? {} : { broken } }
})

const thread = threadNumber()

/** Answers a task. The memory of its rows is handed over. */
export default async function scan({ chunk, lineMs, memories, progress }: ScanTask): Promise<GuardedResult> {
  const { ready, more } = await scanner()
  const cell = new ProgressCell(progress)
  cell.begin(thread)
  return handedOver({ ...ready.scan(chunk, cell, lineMs, memories), ...more })
}

async function handedOver(result: GuardedResult): Promise<GuardedResult> {
  const { words, spans, texts } = result.rows
  if (words.byteLength + texts.byteLength < largeBytes) return result
  const memories = [words, spans, texts].map(({ buffer }) => buffer)
  const { move, transferableSymbol, valueSymbol } = await import('piscina')
  // What is handed over arrives as its value, but piscina's types know only what stands for it.
  return move({ [transferableSymbol]: memories, [valueSymbol]: result } as never) as unknown as GuardedResult
}

/** Less is copied: that costs less than to load what hands it over. */
const largeBytes = 65_536

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => (made ??= make())
}

/** Only who has a Fail2ban tree needs their code. A filter that is broken stops its own jail alone. */
async function loadTreeJails(
  setups: NonNullable<WorkerSetup['treeJails']>,
): Promise<{ readonly ordered: readonly OrderedJail[]; readonly broken: readonly BrokenJail[] }> {
  if (setups.length === 0) return { ordered: [], broken: [] }
  const [{ JailLines }, { DateForms }] = await Promise.all([
    import('../fail2ban/lines/jail-lines.ts'),
    import('../fail2ban/dates/date-forms.ts'),
  ])
  const forms = new DateForms()
  const broken: BrokenJail[] = []
  const ordered = setups.map((setup): OrderedJail => {
    try {
      return new JailLines(setup, forms)
    } catch (error) {
      const { jail } = setup
      const option = error instanceof PatternError ? error.list : null
      broken.push({ jail, option, message: error instanceof Error ? error.message : String(error) })
      return { jail, memory: null, look: () => [] }
    }
  })
  return { ordered, broken }
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
