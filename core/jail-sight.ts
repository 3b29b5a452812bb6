import type { Finding } from './control/api.ts'
import type { LogChunk, Match, ScanResult } from './events.ts'
import type { LogState } from './intake/intake.ts'
import type { ReadyJail } from './jails.ts'

/** In the middle of a rotation a log is missing, too. */
const patienceMs = 5000
/** So many lines looked at are enough to say that none of them has a date, or is of the right program. */
const enoughSamples = 1000
const enoughForeign = 20
/** A jail that matched so often, and would have again so often if all had gone on as before. */
const enoughMatches = 50
/** Lines with the words of failures that match nothing are many when they come so much faster than before. */
const enoughUnmatched = 200
const muchFaster = 3
const leastWatchedMs = 3_600_000
/** Silence is told of when it is long, and eight times as long as any before that was watched for a day. */
const longSilenceMs = 6 * 3_600_000
const silences = 8
const watchedMs = 24 * 3_600_000
/** Jails and logs remembered; the oldest go. */
const maxPairs = 10_000

/** What a jail saw in a log since the start. */
interface Sight {
  sampled: number
  dated: number
  /** Samples of its programs. */
  own: number
  hits: number
  foreign: number
  foreignProgram: string | null
  matches: number
  /** What came while the log was live, up to the last match and since then. */
  readonly before: Stretch
  since: Stretch
}

/** Hits that no jail matched, and how long they took to come. */
interface Stretch {
  matches: number
  unmatched: number
  readonly from: number
  to: number
}

/** When a log was written. */
interface Rhythm {
  readonly first: number
  last: number
  longestMs: number
}

type SeenJail = Pick<ReadyJail, 'name' | 'filter' | 'sources'> & Partial<Pick<ReadyJail, 'fail2ban'>>

/**
 * Knows what jails see in their logs, and finds those that see nothing, or not what they should: a log
 * that cannot be read, lines without dates, lines of other programs, a service that changed its messages.
 * A jail with nothing to see is none of these.
 */
export class JailSight {
  readonly #sights = new Map<string, Sight>()
  readonly #rhythms = new Map<string, Rhythm>()
  /** By log, since when it cannot be read. */
  readonly #trouble = new Map<string, number>()
  /** By jail, since when it has no log at all. */
  readonly #without = new Map<string, number>()
  /** By log, since when there is something to be read. */
  readonly #behind = new Map<string, number>()
  readonly #matches = new Map<string, number>()
  readonly #ms = new Map<string, number>()

  /** Takes in what became of a chunk. */
  note(
    { log, arrivedAt: now, live }: Pick<LogChunk, 'log' | 'arrivedAt' | 'live'>,
    { seen, matches, hits: treeHits = [] }: Pick<ScanResult, 'seen' | 'matches' | 'hits'>,
  ): void {
    this.#noteRhythm(log, now)
    if (seen === undefined) return
    const counts = countByJail([...matches, ...treeHits])
    const known = matches.length + treeHits.length
    for (const { jail, sampled, dated, own, hits, foreign, foreignProgram } of seen.jails) {
      const sight = this.#sight(jail, log, now)
      sight.sampled += sampled
      sight.dated += dated
      sight.own += own
      sight.hits += hits
      sight.foreign += foreign
      sight.foreignProgram = foreignProgram ?? sight.foreignProgram
      const found = counts.get(jail) ?? 0
      sight.matches += found
      if (live) noteStretch(sight, found, Math.max(0, hits - known), now)
      this.#matches.set(jail, (this.#matches.get(jail) ?? 0) + found)
      this.#ms.set(jail, (this.#ms.get(jail) ?? 0) + seen.ms / seen.jails.length)
    }
  }

  /** To be called now and then with the logs there are. */
  look(jails: readonly SeenJail[], logs: readonly LogState[], now: number): void {
    const read = new Set(logs.flatMap((log) => log.jails))
    noteSince(
      this.#without,
      jails.filter(({ name }) => !read.has(name)).map(({ name }) => name),
      now,
    )
    noteSince(
      this.#trouble,
      logs.filter(({ trouble }) => trouble !== null).map(({ log }) => log),
      now,
    )
    noteSince(
      this.#behind,
      logs.filter(({ behind }) => behind > 0).map(({ log }) => log),
      now,
    )
  }

  /** How long there has been something to be read in a log, to the second at best. */
  lagMs(log: string, now: number): number {
    return Math.max(0, now - (this.#behind.get(log) ?? now))
  }

  /** Lines that a jail's filter matched, and milliseconds of the processor that matching took: of chunks of several jails an equal share. */
  totals(jail: string): { readonly matches: number; readonly ms: number } {
    return { matches: this.#matches.get(jail) ?? 0, ms: this.#ms.get(jail) ?? 0 }
  }

  findings(jails: readonly SeenJail[], logs: readonly LogState[], now: number): Finding[] {
    return jails.flatMap((jail) => {
      const own = logs.filter((log) => log.jails.includes(jail.name))
      const unread = own.filter(({ log }) => now - (this.#trouble.get(log) ?? now) >= patienceMs)
      const allUnread = unread.length === own.length
      return [
        ...(now - (this.#without.get(jail.name) ?? now) >= patienceMs ? withoutLog(jail) : []),
        ...unread.map((log) => cannotRead(jail, log, allUnread)),
        ...own.filter((log) => !unread.includes(log)).flatMap((log) => this.#oddLines(jail, log, now) ?? []),
      ]
    })
  }

  #oddLines(jail: SeenJail, { log }: LogState, now: number): Finding | null {
    const sight = this.#sights.get(keyOf(jail.name, log)) ?? nothingSeen(now)
    const found = (grade: Finding['grade'], what: string, mend = tryOut(jail, log)) => ({
      jail: jail.name,
      log,
      grade,
      what,
      mend,
    })
    const { sampled, dated, own, hits, foreign, foreignProgram, matches } = sight
    const { programs } = jail.filter
    // In fields a date is looked for only where something else was found.
    const isPlain = jail.filter.structure === null
    if (isPlain && sampled >= enoughSamples && dated === 0 && matches === 0)
      return found('blind', `none of ${sampled} lines that were looked at has a date that is understood`)
    if (programs !== null && own === 0 && hits === 0 && sampled >= enoughSamples) {
      const names = programs.join(', ')
      if (foreign >= enoughForeign)
        return found(
          'blind',
          `${foreign} lines have the words of its failures and are written by ${foreignProgram}, but its filter reads only ${names}`,
        )
      const elsewhere = `name the log that the service writes with "source:", or switch the jail off; ${tryOut(jail, log)}`
      return found('doubtful', `none of ${sampled} lines that were looked at is written by ${names}`, elsewhere)
    }
    if (isRotten(sight))
      return found(
        'doubtful',
        `${sight.since.unmatched} lines with words of failures have come since one matched, many more than before, when ${matches} matched: the service may have changed its messages`,
      )
    return this.#silence(log, now, (what) =>
      found('doubtful', what, `is the service up, and does it still log there? ls -l ${word(log)}`),
    )
  }

  #silence(log: string, now: number, found: (what: string) => Finding): Finding | null {
    const rhythm = this.#rhythms.get(log)
    if (rhythm === undefined || rhythm.last - rhythm.first < watchedMs) return null
    const silentMs = now - rhythm.last
    if (silentMs < Math.max(longSilenceMs, rhythm.longestMs * silences)) return null
    const hours = (ms: number) => `${Math.round(ms / 360_000) / 10} h`
    return found(
      `no line has come for ${hours(silentMs)}, and before it never was silent for more than ${hours(rhythm.longestMs)}`,
    )
  }

  #noteRhythm(log: string, now: number): void {
    const known = this.#rhythms.get(log)
    if (known === undefined) {
      this.#rhythms.set(log, { first: now, last: now, longestMs: 0 })
      dropOldest(this.#rhythms)
      return
    }
    known.longestMs = Math.max(known.longestMs, now - known.last)
    known.last = now
  }

  #sight(jail: string, log: string, now: number): Sight {
    const key = keyOf(jail, log)
    const known = this.#sights.get(key)
    if (known !== undefined) return known
    const sight = nothingSeen(now)
    this.#sights.set(key, sight)
    dropOldest(this.#sights)
    return sight
  }
}

const keyOf = (jail: string, log: string) => `${jail}\0${log}`

function countByJail(matches: readonly Pick<Match, 'jail'>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { jail } of matches) counts.set(jail, (counts.get(jail) ?? 0) + 1)
  return counts
}

function nothingSeen(now: number): Sight {
  const stretch = () => ({ matches: 0, unmatched: 0, from: now, to: now })
  const counts = { sampled: 0, dated: 0, own: 0, hits: 0, foreign: 0, matches: 0 }
  return { ...counts, foreignProgram: null, before: stretch(), since: stretch() }
}

function noteStretch(sight: Sight, matches: number, unmatched: number, now: number): void {
  sight.since.unmatched += unmatched
  sight.since.to = now
  if (matches === 0) return
  sight.before.matches += matches
  sight.before.unmatched += sight.since.unmatched
  sight.before.to = now
  sight.since = { matches: 0, unmatched: 0, from: now, to: now }
}

/**
 * Whether what matched before comes in a form that matches no more: the matches have ended though many
 * were due, and what has the words of failures and does not match comes much faster. When attackers go
 * away, matches end too, but the other lines come as before.
 */
function isRotten({ before, since }: Sight): boolean {
  const [beforeMs, sinceMs] = [before.to - before.from, Math.max(1, since.to - since.from)]
  if (before.matches < enoughMatches || since.unmatched < enoughUnmatched || beforeMs < leastWatchedMs) return false
  const due = (before.matches * sinceMs) / beforeMs
  return due >= enoughMatches && since.unmatched / sinceMs >= (muchFaster * before.unmatched) / beforeMs
}

/** Other sources than files have logs only when something has come; a jail that counts bans has none. */
function withoutLog({ name, sources }: SeenJail): Finding[] {
  if (!sources.every((source) => source.name === 'file') || sources.length === 0) return []
  const what = 'there is no log that it could read'
  return [
    { jail: name, log: '', grade: 'blind', what, mend: 'correct its "source:", or start the service that writes it' },
  ]
}

function cannotRead({ name }: SeenJail, { log, trouble, remedy }: LogState, all: boolean): Finding {
  const mend = remedy ?? 'the log of the agent tells more'
  return { jail: name, log, grade: all ? 'blind' : 'doubtful', what: `the log cannot be read: ${trouble}`, mend }
}

function tryOut({ name, fail2ban }: SeenJail, log: string): string {
  const tree = fail2ban ? `--fail2ban ${word(fail2ban.folder)} ` : ''
  return log.startsWith('/')
    ? `bailiff test ${tree}${word(name)} ${word(log)}`
    : `look at the lines that the source ${log} brings`
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Keeps since when each of these names is among those that are given. */
function noteSince(since: Map<string, number>, names: readonly string[], now: number): void {
  const given = new Set(names)
  for (const name of since.keys()) if (!given.has(name)) since.delete(name)
  for (const name of given) if (!since.has(name)) since.set(name, now)
}

function dropOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= maxPairs) return
    map.delete(oldest)
  }
}
