/** What the agent tells of several commands, as tables. */
import type { AllowReport, ListReport } from '../control/api.ts'
import { ending } from './output.ts'
import { table } from './table.ts'

/** Who is allowed, as a table. */
export function allowTable(allowed: readonly AllowReport[]): string {
  return table(
    ['ALLOWED', 'ENDS', 'ADDRESSES'],
    allowed.map(({ subject, until, prefixes }) => [subject, ending(until), prefixes.join(' ')]),
  )
}

/** Named lists as a table. */
export function listTable(lists: readonly ListReport[]): string {
  return table(
    ['LIST', 'ENTRIES', 'LEFT OUT', 'LOADED', 'ENDS'],
    lists.map(({ name, entries, leftOut, since, until }) => [
      name,
      entries,
      leftOut,
      new Date(since).toISOString(),
      ending(until),
    ]),
  )
}
