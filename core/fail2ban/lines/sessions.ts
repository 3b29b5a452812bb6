import { failureId, text, UnreadableId, type FailureId } from './failure-id.ts'
import type { Groups, GroupValue, LineHit } from './line-hit.ts'
import type { RawFailure } from './raw-failure.ts'
import { SessionCache } from './session-cache.ts'

/** How hits become failures. */
export interface SessionOptions {
  /** Names and ids are kept as they are: `usedns = raw`. */
  readonly raw: boolean
  /** Every failregex was tried, so lines that are no failures are told as well. */
  readonly all?: boolean
  /** Failures whose session has not yet told whom they are about are told as well, with the id null. */
  readonly pending?: boolean
  /** Lines of sessions that are no failures are told as well. */
  readonly harmless?: boolean
}

/** What lines with the same `<F-MLFID>` have told so far. It changes from line to line. */
interface Session {
  /** Where `only` is set, the same: then they are not to be changed. */
  groups: Readonly<Record<string, GroupValue | undefined>>
  /** The line that began it, which nobody has read yet: then it holds nothing else. */
  opening: (() => LineHit) | null
  /** Each once. */
  users: readonly string[]
  /** Its groups are those of this line, and no other has told any; null: they are not. */
  only: Groups | null
  /** There was a failure, and nobody knows yet whose. */
  pending: boolean
  /** The lines of the failure, once they are known to be of one. */
  lines: readonly string[]
  /** Lines that were no failures by themselves. */
  harmless: readonly string[]
}

/**
 * Puts the lines of one session together: a failure in one line and the address in another are one failure. Lines
 * must come in their order. Bounded: see SessionCache.
 */
export class Sessions {
  readonly #options: SessionOptions
  readonly #sessions = new SessionCache<Session>()

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** What a line says, with what its session said before. Null: nothing that counts yet. `now`: unix seconds. */
  merge(hit: LineHit, now: number): RawFailure | null {
    const { raw, all = false, pending = false, harmless = false } = this.#options
    const key = hit.groups.mlfid
    if (key !== undefined && !all && !harmless && this.#saysNothing(text(key), hit, now)) return null
    const session = key === undefined ? lone(hit) : this.#join(text(key), hit, now)
    const nofail = isSet(session.groups.nofail)
    const endsHere = key !== undefined && nofail && !all
    if (endsHere && !harmless) return null
    const whom = idOf(session.groups, raw)
    if (whom === 'unreadable') return null
    if (whom === null && !endsHere) session.pending = true
    return whom === null && !endsHere && !all && !pending ? null : failureOf(hit, session, whom, nofail)
  }

  /** Whether a session is remembered. */
  knows(key: string, now: number): boolean {
    return this.#sessions.get(key, now) !== undefined
  }

  /** By what sessions are known that are remembered, and maybe some that are over. */
  keys(): Iterable<string> {
    return this.#sessions.keys()
  }

  /**
   * Remembers a session of which nothing is known by a line that is no failure, does not end it and gained nothing. The line is
   * read when another line of the session comes; few do.
   */
  open(key: string, line: () => LineHit, now: number): void {
    this.#sessions.set(key, { ...fresh({}), opening: line }, now)
  }

  /** A line that ends a session of which nothing is known, and is no failure: it need not be kept. */
  #saysNothing(key: string, { groups }: LineHit, now: number): boolean {
    const isHarmless = isSet(groups.nofail) || isSet(groups.mlfgained)
    return isHarmless && isSet(groups.mlfforget) && !this.knows(key, now)
  }

  #join(key: string, hit: LineHit, now: number): Session {
    const forgets = isSet(hit.groups.mlfforget)
    const known = this.#sessions.get(key, now)
    const session = known ?? fresh({})
    if (known === undefined) {
      if (!forgets) this.#sessions.set(key, session, now)
      begin(session, hit, forgets)
    } else {
      const { opening } = known
      known.opening = null
      if (opening !== null) begin(known, opening(), false)
      known.only = null
      prepareNext(known, isSet(hit.groups.mlfgained))
      if (forgets) this.#sessions.delete(key)
      take(known, hit)
      if (isSet(hit.groups.user)) addUser(known, text(hit.groups.user ?? ''))
      countLines(known, hit.lines, isSet(known.groups.nofail), forgets)
    }
    return session
  }
}

/** The first line of a session. Users of one that ends with it are not looked at. */
function begin(session: Session, hit: LineHit, forgets: boolean): void {
  const { groups: own, lines } = hit
  if (own.mlfforget === undefined && !isSet(own.mlfgained) && own.nofail === undefined) {
    session.groups = own
    session.only = own
  } else take(session, hit)
  if (!forgets && isSet(own.user)) addUser(session, text(own.user ?? ''))
  countLines(session, lines, isSet(session.groups.nofail), forgets)
}

/** Takes what a line captured to what the session has. */
function take(session: Session, { groups: own }: LineHit): void {
  const nofail = isSet(own.nofail) ? own.nofail : isSet(own.mlfgained) ? own.mlfgained : own.nofail
  session.groups = { ...session.groups, ...own, nofail, mlfforget: undefined }
}

/** A line that follows in a session: what only the line before said is gone. */
function prepareNext(session: Session, gained: boolean): void {
  const wasHarmless = isSet(session.groups.nofail) || isSet(session.groups.mlfgained)
  clearMarks(session)
  if (gained) session.pending = false
  // Lines of a failure that was told are told once.
  if (!wasHarmless && !session.pending) session.lines = none
}

/** Several users, or a failure that waits for its address: then the line counts, whatever it says of itself. */
function countLines(session: Session, lines: readonly string[], harmless: boolean, forgets: boolean): void {
  const suspicious = session.pending || session.users.length > 1
  session.pending = false
  if (suspicious) clearMarks(session)
  if (suspicious || !harmless) {
    session.lines = joined(joined(session.harmless, session.lines), lines)
    session.harmless = none
  } else if (!forgets) session.harmless = joined(session.harmless, lines)
}

/** A peer may try as many users as it likes in one session; that there are several is what counts. */
const mostUsers = 100

function addUser(session: Session, user: string): void {
  if (session.users.includes(user) || session.users.length >= mostUsers) return
  session.users = [...session.users, user]
}

/** Set and not deleted: V8 reads objects slowly from which something was deleted. */
function clearMarks(session: Session): void {
  const { nofail, mlfgained } = session.groups
  if (nofail !== undefined || mlfgained !== undefined)
    session.groups = { ...session.groups, nofail: undefined, mlfgained: undefined }
}

/** A session may go on for ever, as a peer likes. Fail2ban keeps all its lines; the last ones are enough here. */
const mostLines = 200

function joined(before: readonly string[], after: readonly string[]): readonly string[] {
  if (before.length === 0) return after
  if (after.length === 0) return before
  const all = [...before, ...after]
  return all.length > mostLines ? all.slice(-mostLines) : all
}

const none: readonly string[] = []

function lone({ groups, lines }: LineHit): Session {
  return { ...fresh({ ...groups }), lines }
}

function fresh(groups: Session['groups']): Session {
  return { groups, opening: null, users: none, only: null, pending: false, lines: none, harmless: none }
}

function idOf(groups: Session['groups'], raw: boolean): FailureId | null | 'unreadable' {
  try {
    return failureId(groups, raw)
  } catch (error) {
    if (error instanceof UnreadableId) return 'unreadable'
    throw error
  }
}

function failureOf({ rule, time }: LineHit, session: Session, whom: FailureId | null, nofail: boolean): RawFailure {
  return {
    rule,
    id: whom?.id ?? null,
    ip: whom?.ip ?? null,
    dns: whom?.name ? whom.id : null,
    time,
    groups: session.only ?? setGroups(session.groups),
    users: session.users,
    nofail,
    lines: session.lines,
  }
}

function setGroups(groups: Session['groups']): Groups {
  const set: Record<string, GroupValue> = {}
  for (const name in groups) {
    const value = groups[name]
    if (value !== undefined) set[name] = value
  }
  return set
}

/** Python's truth of a captured text. */
function isSet(value: GroupValue | undefined): boolean {
  return value !== undefined && value.length > 0
}
