import type { Match } from '../events.ts'

/** Joins the lines that tell of the same failure. */
export interface Sessions {
  /**
   * The matches that count, from matches in file order. A session is log, jail, address and the key
   * that the line itself names; a match without a key counts. A `once` match counts only as the first
   * of its session, and then the next ordinary match tells of the same failure and does not count;
   * one that stands for several failures stands for one less.
   */
  merge(matches: readonly Match[]): Match[]
}

/** What is known of a session that a match counted for. */
interface Session {
  /** Whether an ordinary match will tell again of the failure that a `once` match counted for. */
  repeats: boolean
  readonly since: number
}

export interface SessionLimits {
  /** Sessions remembered; the one that was quiet for longest is forgotten first. */
  readonly capacity?: number
  /**
   * A session that began longer ago is over: its process id or port may be another connection by now,
   * and a peer that keeps its port must not be one session for ever. sshd gives 120 s to log in.
   */
  readonly lifetimeMs?: number
  /** The clock for matches without a time of their own. */
  readonly now?: () => number
}

export function createSessions({
  capacity = 10_000,
  lifetimeMs = 120_000,
  now = Date.now,
}: SessionLimits = {}): Sessions {
  /** In the order in which they were last seen. */
  const sessions = new Map<string, Session>()

  const sessionOf = (key: string, time: number): Session | undefined => {
    const session = sessions.get(key)
    // Either way round: after a jump of the clock nothing is known.
    return session && Math.abs(time - session.since) <= lifetimeMs ? session : undefined
  }

  const remember = (key: string, session: Session) => {
    sessions.delete(key)
    sessions.set(key, session)
    for (const oldest of sessions.keys()) {
      if (sessions.size <= capacity) break
      sessions.delete(oldest)
    }
  }

  const counted = (match: Match): Match | null => {
    if (match.session === null) return match
    const key = [match.log, match.jail, match.address, match.session].join('\0')
    const time = match.time ?? now()
    const session = sessionOf(key, time)
    const repeats = match.once && (session === undefined || session.repeats)
    remember(key, { repeats, since: session?.since ?? time })
    if (match.once) return session === undefined ? withAttempts(match, 1) : null
    return session?.repeats ? withAttempts(match, match.attempts - 1) : match
  }

  return { merge: (matches) => matches.flatMap((match) => counted(match) ?? []) }
}

function withAttempts(match: Match, attempts: number): Match | null {
  if (attempts === match.attempts) return match
  return attempts < 1 ? null : { ...match, attempts }
}
