/**
 * Results as JSON texts for the way from a thread to the agent. Cloning `Match` objects costs
 * 1.8 us each on both sides together, this 1.1 us (300 and 200 bytes), and the strings
 * that come out share no memory with anything. Several texts, because V8 puts one of more than 128 kB
 * where only a full collection finds it again, and they come a hundred times a second.
 */
import type { Match } from '../events.ts'
import type { GuardedResult } from './messages.ts'

/** A result whose matches are packed. */
export interface PackedResult extends Omit<GuardedResult, 'matches'> {
  /** JSON of some rows each; the words of jail, filter and log stand in `words`, and rows name them by index. */
  readonly rows: readonly string[]
  readonly words: readonly string[]
}

type Row = readonly [
  jail: number,
  filter: number,
  log: number,
  rule: number,
  address: Match['address'],
  time: number | null,
  attempts: number,
  groups: Match['groups'],
  session: string | null,
  once: 0 | 1,
  offset: number,
  line: string,
]

/** Rows of at most some 700 bytes each in the usual case. */
const rowsAtOnce = 100

export function packResult({ matches, ...rest }: GuardedResult): PackedResult {
  const words = new Map<string, number>()
  const index = (word: string) => {
    const known = words.get(word) ?? words.size
    if (known === words.size) words.set(word, known)
    return known
  }
  const rows = matches.map((match): Row => [
    index(match.jail),
    index(match.filter),
    index(match.log),
    match.rule,
    match.address,
    match.time,
    match.attempts,
    match.groups,
    match.session,
    match.once ? 1 : 0,
    match.offset,
    match.line,
  ])
  const parts: string[] = []
  for (let at = 0; at < rows.length; at += rowsAtOnce) parts.push(JSON.stringify(rows.slice(at, at + rowsAtOnce)))
  return { ...rest, rows: parts, words: [...words.keys()] }
}

export function unpackResult({ rows, words, ...rest }: PackedResult): GuardedResult {
  const word = (index: number) => words[index] ?? ''
  const matches = rows.flatMap((part) => JSON.parse(part) as Row[])
  return {
    ...rest,
    matches: matches.map(([jail, filter, log, rule, address, time, attempts, groups, session, once, offset, line]) => ({
      jail: word(jail),
      filter: word(filter),
      rule,
      address,
      time,
      attempts,
      groups,
      session,
      once: once === 1,
      log: word(log),
      offset,
      line,
    })),
  }
}
