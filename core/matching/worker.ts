/**
 * The module that runs in each thread of the pool. It holds compiled filters and nothing else; all
 * that a task needs comes with it, so a thread may be stopped at any time and replaced.
 */
import { setFlagsFromString } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { BailiffError, quote } from '../errors.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { ProgressCell, type BrokenJail, type ScanTask, type WorkerSetup } from './messages.ts'
import type { OrderedJail } from './ordered-jails.ts'
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
  const { ordered, broken } = await loadTreeJails(treeJails)
  const ready = createLogScanner({ jails, ordered, engines: await Promise.all(engineUrls.map(loadEngine)) })
  return { ready, more: broken.length === 0 ? {} : { broken } }
})

const thread = threadNumber()

/** Answers a task. */
export default async function scan({ chunk, lineMs, memories, progress }: ScanTask): Promise<PackedResult> {
  const { ready, more } = await scanner()
  const cell = new ProgressCell(progress)
  cell.begin(thread)
  return packResult({ ...ready.scan(chunk, cell, lineMs, memories), ...more })
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => (made ??= make())
}

/** Only who has a Fail2ban tree needs their code. A filter that is broken stops its own jail alone. */
async function loadTreeJails(
  setups: NonNullable<WorkerSetup['treeJails']>,
): Promise<{ readonly ordered: readonly OrderedJail[]; readonly broken: readonly BrokenJail[] }> {
  if (setups.length === 0) return { ordered: [], broken: [] }
  const [{ JailLines }, { DateForms }, { faultyOption }] = await Promise.all([
    import('../fail2ban/lines/jail-lines.ts'),
    import('../fail2ban/dates/date-forms.ts'),
    import('../fail2ban/lines/option-error.ts'),
  ])
  const forms = new DateForms()
  const broken: BrokenJail[] = []
  const ordered = setups.map((setup): OrderedJail => {
    try {
      return new JailLines(setup, forms)
    } catch (error) {
      const { jail } = setup
      const { hint } = error instanceof BailiffError ? error : {}
      const message = error instanceof Error ? error.message : String(error)
      broken.push({ jail, option: faultyOption(error), message, hint })
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
