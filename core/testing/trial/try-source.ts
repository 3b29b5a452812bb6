import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../../errors.ts'
import type { IntakeSource } from '../../intake/intake.ts'
import type { SourceHost, SourcePlugin } from '../../plugin.ts'
import { intakeFor, Seen, sourceOf } from '../seen-lines.ts'
import { testHost } from '../test-host.ts'
import { failureOf } from './failure.ts'
import type { Tried } from './load-tried.ts'
import type { Tell } from './messages.ts'

/** So many lines say what a source brings. */
const mostLines = 20

/**
 * Runs a source in the intake of the agent until it has brought 20 lines, has ended, or `longestMs` are over, and tells
 * each line. Answers whether it did well; a source that brings nothing does.
 */
export async function trySource(
  tried: Extract<Tried, { kind: 'source' }>,
  longestMs: number,
  tell: Tell,
): Promise<boolean> {
  const { plugin, options, name, file } = tried
  let good = true
  let lines = 0
  const failed = (error: unknown) => {
    good = false
    tell({ type: 'failure', failure: failureOf(error, file) })
  }
  const { host, end } = testHost(options, { name, heard: (line) => tell({ type: 'log', ...line }) })
  const over = new AbortController()
  const seen = new Seen((line) => {
    if (lines++ < mostLines) tell({ type: 'line', log: name, line: shown(line) })
    if (lines >= mostLines) over.abort()
    return ''
  })
  const intake = intakeFor(seen, { ended: () => over.abort() })
  const source: IntakeSource = {
    ...sourceOf(
      name,
      telling(plugin, failed, () => over.abort()),
      options,
      'trial',
    ),
    host: (parts) => Object.create(host, Object.getOwnPropertyDescriptors(parts)) as SourceHost,
  }
  tell({ type: 'doing', what: 'start' })
  await intake.configure([source])
  await sleep(longestMs, undefined, { signal: over.signal }).catch(() => {})
  tell({ type: 'doing', what: 'stop' })
  await intake.stop()
  end()
  return good && seen.alarms.length === 0
}

/** The source, which tells when `start` rejects: then the agent would begin anew, and the trial is over. */
function telling(plugin: SourcePlugin, failed: (error: unknown) => void, over: () => void): SourcePlugin {
  return {
    ...plugin,
    async start(emit, host) {
      try {
        await plugin.start(emit, host)
      } catch (error) {
        if (!host.signal.aborted) {
          failed(error)
          over()
        }
        throw error
      }
    },
    ...(plugin.stop && { stop: (host) => plugin.stop?.(host) }),
  }
}

function shown(line: string): string {
  const text = Buffer.from(line, 'latin1').toString('utf8')
  return printable(text.length > 512 ? `${text.slice(0, 512)}…` : text)
}
