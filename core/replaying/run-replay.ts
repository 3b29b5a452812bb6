/** Leads stored logs through a configuration, as an agent would that had watched them being written. */
import { refusalReasons } from '../firewall/messages.ts'
import { NeverBanned } from '../firewall/never-banned.ts'
import { createLogScanner } from '../matching/scan.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { mergeByTime } from './by-time.ts'
import { Replay, type JailTotals, type ReplayJail, type ReplayOptions } from './replay.ts'
import { scanStored, type ReadCounts, type StoredLog } from './stored-log.ts'

const chunksAtOnce = 8

export interface ReplayRun extends Pick<ReplayOptions, 'onBan' | 'onUnban' | 'observe' | 'onNameFailure'> {
  readonly jails: readonly ReplayJail[]
  readonly engines: readonly MatcherPlugin[]
  readonly logs: readonly StoredLog[]
  /** Hears now and then how many bytes of the files were read, and which file is read. */
  readonly progress: (fileBytes: number, file: string) => void
  /** Whether somebody wants no more. */
  readonly stopped: () => boolean
}

/** What came of it, beside the bans. */
export interface ReplayOutcome {
  readonly totals: readonly JailTotals[]
  readonly lines: number
  readonly skipped: number
  /** Failures without a date, which did not count. */
  readonly undated: number
  /** The time of the last line that counted, unix ms; 0: none did. */
  readonly end: number
  readonly inForce: number
}

/** Throws a BailiffError for a log that cannot be read. */
export async function runReplay(run: ReplayRun): Promise<ReplayOutcome> {
  const { jails, engines, logs, progress, stopped } = run
  const neverBanned = new NeverBanned()
  const replay = new Replay({
    ...run,
    vital: () =>
      neverBanned.at(performance.now()).map(({ prefix, reason }) => ({ prefix, why: refusalReasons[reason] })),
  })
  const scanner = createLogScanner({
    jails: jails.map(({ name, filter, ignore }) => ({ jail: name, filter, proxies: ignore.proxies ?? [] })),
    engines,
  })
  const counts: ReadCounts = { lines: 0, skipped: 0, fileBytes: 0 }
  let file = ''
  let chunks = 0
  const streams = logs.map(async function* (log) {
    for await (const matches of scanStored(log, scanner, counts, (next) => (file = next))) {
      progress(counts.fileBytes, file)
      // Files are read without waiting: signals and the terminal have their turn now and then.
      if (++chunks % chunksAtOnce === 0) await new Promise((resolve) => setImmediate(resolve))
      if (stopped()) return
      yield matches
    }
  })
  try {
    await replay.start()
    await mergeByTime(streams, (match) => replay.count(match), stopped)
    const totals = replay.end()
    const { undated, clock: end, inForce } = replay
    return { totals, lines: counts.lines, skipped: counts.skipped, undated, end, inForce }
  } finally {
    neverBanned.stop()
  }
}
