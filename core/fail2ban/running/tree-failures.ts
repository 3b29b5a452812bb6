import type { Failure } from '../../events.ts'
import type { Groups } from '../lines/line-hit.ts'
import type { RawFailure } from '../lines/raw-failure.ts'

/** Where the last line of a failure stands. */
export interface FailurePlace {
  readonly jail: string
  readonly filter: string
  readonly log: string
  readonly offset: number
}

/** What the judge takes of a failure that a filter of a tree found; null: nobody knows whom it is about. */
export function treeFailure(raw: RawFailure, place: FailurePlace): Failure | null {
  const { id, ip, dns, rule, time, lines } = raw
  if (id === null || raw.nofail) return null
  const { jail, filter, log, offset } = place
  return {
    jail,
    filter,
    log,
    offset,
    rule,
    id,
    ip: ip === null || ip === id ? null : ip,
    isName: dns !== null,
    time: time === null ? null : time * 1000,
    attempts: 1,
    groups: textGroups(raw.groups),
    line: lines.at(-1) ?? '',
    lines,
  }
}

/** Already printable and cut. */
function textGroups(groups: Groups): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value.map((part) => part ?? '').join(' '),
    ]),
  )
}
