import { parseAddress, parseEndpoint, PrefixSet, type Address } from '../address.ts'
import { printable } from '../errors.ts'
import type { Match } from '../events.ts'
import { maxExcerpt } from '../failure-rows.ts'
import type { FoundLine } from '../plugin.ts'
import { clientBehind } from './forwarded.ts'
import type { JailFilter } from './messages.ts'

/** Characters of what a tag captured that are kept: peers choose how long their names are. */
const maxCaptured = 128
/** A longer key of a session is none. */
const maxSession = 200

/** What is known of a found line beside what the matcher says. */
export interface MatchPlace {
  /** The time written in the line; null where it has none. */
  readonly time: number | null
  readonly offset: number
  /** Whether it stands for one failure only, whatever it says. */
  readonly single: boolean
  /** Where the line stands: from `start` to `end`, its newline. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Takes what is found in a chunk, line by line. */
export interface FoundSink<Found> {
  start(log: string): void
  /** Takes a line that a filter found, for each of the jails; none where the address that was found is no address. */
  add(found: FoundLine, filter: string, jails: readonly string[], place: MatchPlace): void
  /** Takes lines that are found, where it asks nothing else of them; then engines may count and tell of none. */
  addLines?(lines: number): void
  /** Takes back what was found for these jails in lines that begin at the offset or behind it. */
  forget(jails: readonly string[], offset: number): void
  /** What was found, in the order of the lines, for one line in the order of the jails. */
  take(order: ReadonlyMap<string, number>): Found
}

/** Makes the records of a chunk. One a thread. */
export class MatchMaker implements FoundSink<Match[]> {
  #matches: Match[] = []
  #log = ''
  /** The trusted proxies of the jails that have any. */
  readonly #proxies: ReadonlyMap<string, PrefixSet>

  constructor(jails: readonly JailFilter[]) {
    const trusting = jails.flatMap(({ jail, proxies = [] }) => (proxies.length > 0 ? [{ jail, proxies }] : []))
    this.#proxies = new Map(trusting.map(({ jail, proxies }) => [jail, new PrefixSet(proxies)]))
  }

  start(log: string): void {
    this.#matches = []
    this.#log = log
  }

  add(found: FoundLine, filter: string, jails: readonly string[], { time, offset, single }: MatchPlace): void {
    const direct = parseAddress(found.address) ?? parseEndpoint(found.address)
    const hops = hopsOf(found)
    if (direct === null && hops === undefined) return
    const { head, rule } = found
    const whole = head.line
    const clean = isPlain(whole)
    const attempts = single ? 1 : (head.syslog?.attempts ?? 1)
    // What is read from a field may have been written as an escape.
    const tagsClean = clean && !whole.includes('\\')
    const groups = groupsOf(found.groups, tagsClean, whole.length)
    const session = sessionOf(found, tagsClean)
    const once = found.groups.once !== undefined
    const line = excerpt(whole, clean)
    const log = this.#log
    // Written out: spreading an object costs as much here as reading the date of the line.
    for (const jail of jails) {
      const address = hops === undefined ? direct : this.#client(jail, hops, direct)
      if (address === null) continue
      this.#matches.push({ jail, filter, rule, address, time, attempts, groups, session, once, log, offset, line })
    }
  }

  #client(jail: string, hops: readonly string[], direct: Address | null): Address | null {
    const proxies = this.#proxies.get(jail)
    return proxies === undefined ? direct : clientBehind(hops, proxies)
  }

  forget(jails: readonly string[], offset: number): void {
    this.#matches = this.#matches.filter((match) => match.offset < offset || !jails.includes(match.jail))
  }

  take(order: ReadonlyMap<string, number>): Match[] {
    const matches = this.#matches
    this.#matches = []
    const place = ({ jail }: Match) => order.get(jail) ?? 0
    return order.size < 2 ? matches : matches.sort((a, b) => a.offset - b.offset || place(a) - place(b))
  }
}

/** What the line says of proxies: in fields, or by the tag `<F-FORWARDED>` beside the address. */
export function hopsOf(found: FoundLine): readonly string[] | undefined {
  const { hops } = found
  if (hops !== undefined) return hops
  const forwarded = captured(found, 'forwarded')
  return forwarded === undefined ? undefined : [forwarded, found.address]
}

/** What a tag captured; undefined: nothing, or the failregex does not have it. */
export function captured(found: FoundLine, tag: string): string | undefined {
  return found.tag ? found.tag(tag) : found.groups[tag]
}

/** The tags with a meaning of their own are no groups. What needs no change is not copied. */
function groupsOf(groups: FoundLine['groups'], clean: boolean, longest: number): FoundLine['groups'] {
  if (clean && longest <= maxCaptured && groups.once === undefined && groups.mlfid === undefined) return groups
  const kept: Record<string, string> = {}
  for (const name in groups) {
    if (name !== 'mlfid' && name !== 'once') kept[name] = excerpt(groups[name] ?? '', clean, maxCaptured)
  }
  return kept
}

/** What names a connection: the tag, else the process that serves it, else the port of the peer. */
export const sessionKinds = { id: 1, pid: 2, port: 3 } as const
export type SessionKind = keyof typeof sessionKinds

/** Tells what names the connection of a line; false where nothing does. Names of two kinds are never the same. */
export function readSession(found: FoundLine, read: (name: string, kind: SessionKind) => void): boolean {
  const id = captured(found, 'mlfid')
  if (id) return tellSession(id, 'id', read)
  const pid = found.head.syslog?.pid
  if (pid) return tellSession(pid, 'pid', read)
  const port = captured(found, 'port')
  return port ? tellSession(port, 'port', read) : false
}

function tellSession(name: string, kind: SessionKind, read: (name: string, kind: SessionKind) => void): boolean {
  if (name.length > maxSession) return false
  read(name, kind)
  return true
}

function sessionOf(found: FoundLine, clean: boolean): string | null {
  let key: string | null = null
  readSession(found, (name, kind) => (key = excerpt(`${kind} ${name}`, clean)))
  return key
}

function excerpt(text: string, clean: boolean, longest = maxExcerpt): string {
  const short = text.length > longest ? text.slice(0, longest) : text
  return clean ? short : printable(short).slice(0, longest)
}

/** Whether `printable` would leave the text, and every part of it, as it is. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text)
}
