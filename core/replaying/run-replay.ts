/** Leads stored logs through a configuration, as an agent would that had watched them being written. */
import { randomInt } from 'node:crypto'
import { refusalReasons } from '../firewall/messages.ts'
import { NeverBanned } from '../firewall/never-banned.ts'
import { createRowScanner } from '../matching/scan.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { mergeByTime } from './by-time.ts'
import type { FoundPart } from './found-part.ts'
import { Replay, type JailTotals, type ReplayJail, type ReplayOptions } from './replay.ts'
import { scanStored, type ReadCounts, type StoredLog } from './stored-log.ts'
import type { TreeReplay } from './tree-replay.ts'

const chunksAtOnce = 8

export interface ReplayRun extends Pick<
  ReplayOptions,
  'onBan' | 'onUnban' | 'onProlonged' | 'observe' | 'onNameFailure'
> {
  readonly jails: readonly ReplayJail[]
  readonly engines: readonly MatcherPlugin[]
  readonly logs: readonly StoredLog[]
  /** Hears now and then how many bytes of the files were read, and which file is read. */
  readonly progress: (fileBytes: number, file: string) => void
  /** Hears what somebody should know of the jails of a Fail2ban tree. */
  readonly tell: (message: string) => void
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
  const tree = await treeReplay(run, replay)
  const setup = {
    jails: jails
      .filter((jail) => !jail.tree)
      .map(({ name, filter, ignore }) => ({ jail: name, filter, proxies: ignore.proxies ?? [] })),
    engines,
    ordered: new Map((tree?.ordered ?? []).map((jail) => [jail.jail, jail])),
  }
  const scanner = createRowScanner(setup, randomInt(2 ** 32))
  const scanned = new Set([
    ...jails.flatMap(({ name, tree: ofTree }) => (ofTree ? [] : [name])),
    ...(tree?.ordered ?? []).map(({ jail }) => jail),
  ])
  const take = ({ log, row, hit }: FoundPart) => {
    if (hit !== null) return tree === null ? undefined : replay.takeHit(hit, tree)
    replay.countRow(row, log)
    return undefined
  }
  const counts: ReadCounts = { lines: 0, skipped: 0, fileBytes: 0 }
  let file = ''
  let chunks = 0
  const streams = logs.map(async function* (log) {
    const readers = { ...log, jails: log.jails.filter((jail) => scanned.has(jail)) }
    for await (const found of scanStored(readers, scanner, counts, (next) => (file = next))) {
      progress(counts.fileBytes, file)
      // Files are read without waiting: signals and the terminal have their turn now and then.
      if (++chunks % chunksAtOnce === 0) await new Promise((resolve) => setImmediate(resolve))
      if (stopped()) return
      yield found
    }
  })
  try {
    await replay.start()
    await tree?.start()
    await mergeByTime(streams, take, stopped)
    const totals = replay.end()
    const { undated, clock: end, inForce } = replay
    return { totals, lines: counts.lines, skipped: counts.skipped, undated, end, inForce }
  } finally {
    tree?.stop()
    neverBanned.stop()
  }
}

/** The way of the jails of a Fail2ban tree, which is loaded only where there are some; null: there are none. */
async function treeReplay({ jails, tell }: ReplayRun, replay: Replay): Promise<TreeReplay | null> {
  const ofTree = jails.flatMap(({ tree }) => tree ?? [])
  if (ofTree.length === 0) return null
  const { TreeReplay: Tree } = await import('./tree-replay.ts')
  return new Tree(ofTree, {
    count: (failure, time) => replay.countFailure(failure, time),
    onIgnored: (jail) => replay.noteIgnored(jail),
    tell,
  })
}
