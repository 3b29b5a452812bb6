/** Waiting and ending, both bounded. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves with the first answer that is not false or undefined; throws after `withinMs`, naming what was awaited. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 20 } = {},
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain for ${what}`)
    await sleep(everyMs)
  }
}

/** Ends a process of ours: SIGTERM, and SIGKILL when it has not gone 5 s later. Resolves with its exit code. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  child.kill(signal)
  const code = await gone
  clearTimeout(timer)
  return code
}
