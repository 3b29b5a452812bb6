/** A trial of a plugin, in a process of its own: it is asked one thing by its parent, tells what happens, and ends. */
import { BailiffError } from '../../errors.ts'
import { endWithParent } from './end-with-parent.ts'
import { failureOf } from './failure.ts'
import { loadTried, type Tried } from './load-tried.ts'
import type { TrialEvent, TrialRequest } from './messages.ts'
import { runSuite } from './run-suite.ts'
import { tryAction } from './try-action.ts'
import { tryMatcher } from './try-matcher.ts'
import { tryNotifier } from './try-notifier.ts'
import { trySource } from './try-source.ts'

const aliveEveryMs = 500
/** Errors that nobody caught: each is told once, and so many. */
const mostUncaught = 10
/** What is logged is not of interest to the last field. */
const longestFields = 2000

// The plugin may change what `process` has.
const send = process.send?.bind(process)
const exit = process.exit.bind(process)

endWithParent()
process.once('message', (request: TrialRequest) => void carryOut(request))

async function carryOut(request: TrialRequest): Promise<void> {
  const uncaught = new Set<string>()
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      const { message, ...rest } = failureOf(error, request.file)
      if (uncaught.has(message) || uncaught.size >= mostUncaught) return
      uncaught.add(message)
      tell({ type: 'failure', failure: { message: `an error that nobody caught: ${message}`, ...rest } })
    })
  setInterval(() => tell({ type: 'alive' }), aliveEveryMs)
  tell({ type: 'doing', what: 'load' })
  try {
    const tried = await loadTried(request)
    const { kind, name, options } = tried
    tell({ type: 'loaded', kind, name, options: plain(options) })
    const good = await (request.mode === 'test' ? runSuite(tried, request, tell) : tryKind(tried, request))
    // What is left behind shows itself in the next turns.
    await new Promise((resolve) => setTimeout(resolve, 50))
    end(good && uncaught.size === 0 ? 'ok' : 'failed')
  } catch (error) {
    tell({ type: 'failure', failure: failureOf(error, request.file) })
    end(error instanceof BailiffError && error.kind === 'config' ? 'config' : 'failed')
  }
}

function tryKind(tried: Tried, request: TrialRequest): Promise<boolean> | boolean {
  switch (tried.kind) {
    case 'action':
      return tryAction(tried, tell)
    case 'notifier':
      return tryNotifier(tried, tell)
    case 'source':
      return trySource(tried, request.sourceMs, tell)
    case 'matcher':
      return tryMatcher(tried, request, tell)
  }
}

function tell(event: TrialEvent): void {
  send?.(event.type === 'log' ? { ...event, fields: plain(event.fields) } : event)
}

/** With the last event the process ends, whatever the plugin left running. */
function end(outcome: Extract<TrialEvent, { type: 'end' }>['outcome']): void {
  send?.({ type: 'end', outcome }, undefined, {}, () => exit(0))
}

/** Anything as plain data. */
function plain(value: unknown): object {
  try {
    const text = JSON.stringify(value) ?? '{}'
    return text.length > longestFields ? { cut: text.slice(0, longestFields) } : (JSON.parse(text) as object)
  } catch {
    return { unshowable: true }
  }
}
