import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { printable } from '../../errors.ts'
import { heapLimit, hostEnvironment, memoryLimits } from '../../plugin-host/host-command.ts'
import type { Tell, TrialEvent, TrialRequest } from './messages.ts'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
/** A plugin that keeps the thread so long does not give it back. */
const hangsAfterMs = 10_000
const lookEveryMs = 250
/** What the process of a plugin may take in an agent, unless its configuration says otherwise. */
const memoryBytes = 256 * 1024 * 1024
/** What a plugin prints, and writes to its log: more of it says no more. */
const mostPrinted = 200
const longestLine = 1000

/**
 * Tries a plugin in a process of its own, with the environment that it has in the agent, and tells all that happens, the event `end` last. It is ended when it keeps the
 * thread for ten seconds, and when `signal` aborts. Resolves with the outcome; null: it was aborted.
 */
export function runTrial(
  request: TrialRequest,
  tell: Tell,
  signal: AbortSignal,
): Promise<Extract<TrialEvent, { type: 'end' }>['outcome'] | null> {
  return new Promise((resolve) => {
    // A process group of its own, so that programs that it started end with it.
    const [execPath = '', ...execArgv] = [...memoryLimits(memoryBytes), process.execPath, heapLimit(memoryBytes)]
    const child = fork(main, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: hostEnvironment(),
      execPath,
      execArgv,
      detached: true,
    })
    let outcome: Extract<TrialEvent, { type: 'end' }>['outcome'] | null = null
    let doing = 'load'
    let heardAt = performance.now()
    let hung = false
    let chatter = 0
    const chat: Tell = (event) => {
      if (++chatter <= mostPrinted) tell(event)
      else if (chatter === mostPrinted + 1)
        tell({
          type: 'failure',
          failure: { message: `it writes more than ${mostPrinted} lines; the rest is left out` },
        })
    }
    child.on('message', (event: TrialEvent | null) => {
      heardAt = performance.now()
      // The plugin can write here, too.
      if (typeof event !== 'object' || event === null) return
      if (event.type === 'doing') doing = event.what
      if (event.type === 'end') outcome = event.outcome
      else if (event.type === 'log') chat(event)
      else if (event.type !== 'alive') tell(event)
    })
    passOn(child, chat)
    const watching = setInterval(() => {
      if (performance.now() - heardAt < hangsAfterMs) return
      hung = true
      killGroup(child)
    }, lookEveryMs)
    const abort = () => killGroup(child)
    signal.addEventListener('abort', abort, { once: true })
    child.on('error', (error) => tell({ type: 'failure', failure: { message: error.message } }))
    // Its programs may hold its output open.
    child.on('exit', () => killGroup(child))
    child.on('close', (code, endedBy) => {
      clearInterval(watching)
      signal.removeEventListener('abort', abort)
      if (signal.aborted) return resolve(null)
      if (outcome === null) tell({ type: 'failure', failure: { message: lastWord(doing, hung, code, endedBy) } })
      outcome ??= 'crashed'
      tell({ type: 'end', outcome })
      resolve(outcome)
    })
    child.send(request, () => {})
  })
}

function lastWord(doing: string, hung: boolean, code: number | null, endedBy: NodeJS.Signals | null): string {
  if (hung)
    return `it keeps the thread for more than ${hangsAfterMs / 1000} s in "${doing}" and was ended: is there a loop without end?`
  const how = endedBy === null ? `exit code ${code}` : endedBy
  return `the plugin ended its process (${how}) in "${doing}": a plugin throws an error, and never calls process.exit`
}

/** What the plugin prints, line by line. */
function passOn(child: ChildProcess, tell: Tell): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    let rest = ''
    const take = (text: string) =>
      tell({
        type: 'printed',
        stream,
        line: printable(text.length > longestLine ? `${text.slice(0, longestLine)}…` : text),
      })
    child[stream]?.setEncoding('utf8').on('data', (data: string) => {
      const lines = (rest + data).split('\n')
      rest = (lines.pop() ?? '').slice(0, longestLine + 1)
      for (const line of lines) take(line)
    })
    child[stream]?.on('end', () => rest !== '' && take(rest))
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}
