import type { ExaminedLine } from '../fail2ban/lines/jail-filter.ts'
import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'
import { text } from '../fail2ban/lines/failure-id.ts'
import type { TestedLine } from './tested-lines.ts'

/** What `--json` prints of a line. */
export interface LineRecord {
  readonly file: string
  readonly line: number
  /** A failure counts with this line. */
  readonly matched: boolean
  /** A failregex knows the line, and it is no failure by itself. */
  readonly nofail: boolean
  /** An ignoreregex took it out. */
  readonly ignored: boolean
  /** There is a failure, and its session has not yet told whose. */
  readonly pending: boolean
  readonly host: string | null
  /** The address beside a host that is none, as with `<F-ID>`. */
  readonly ip: string | null
  /** Unix seconds. */
  readonly time: number | null
  /** Index of the failregex, from 0. */
  readonly rule: number | null
  readonly user: string | null
  /** All users of the session, sorted. */
  readonly users: readonly string[]
  readonly groups: RawFailure['groups']
  /** The lines that make up the failure. */
  readonly attempts: number
  /** What else matched the line, where every failregex is tried. */
  readonly also?: readonly { readonly rule: number; readonly host: string | null; readonly nofail: boolean }[]
}

/** The record of a line: of the first failure that counts, else of the first that matched. */
export function lineRecord(
  file: string,
  { number }: TestedLine,
  { failures, ignoredBy, line }: ExaminedLine,
): LineRecord {
  const counts = (failure: RawFailure) => failure.id !== null && !failure.nofail
  const found = failures.find(counts) ?? failures[0]
  const others = failures.filter((failure) => failure !== found)
  const user = found?.groups.user
  return {
    file,
    line: number,
    matched: found !== undefined && counts(found),
    nofail: found?.nofail ?? false,
    ignored: ignoredBy.length > 0,
    pending: found !== undefined && found.id === null && !found.nofail,
    host: found?.id ?? null,
    ip: found?.ip ?? null,
    time: found?.time ?? line?.time ?? null,
    rule: found?.rule ?? null,
    user: user === undefined ? null : text(user),
    users: found?.users.toSorted() ?? [],
    groups: found?.groups ?? {},
    attempts: found?.lines.length ?? 0,
    ...(others.length === 0 ? {} : { also: others.map(({ rule, id, nofail }) => ({ rule, host: id, nofail })) }),
  }
}
