import { text } from '../fail2ban/lines/failure-id.ts'
import type { SeenLine, TestedFailure } from './tested-filter.ts'

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
  /** The form of the date; null: there is none. Left out where nobody says. */
  readonly date?: string | null
  /** Index of the failregex, from 0. */
  readonly rule: number | null
  readonly user: string | null
  /** All users of the session, sorted. */
  readonly users: readonly string[]
  readonly groups: TestedFailure['groups']
  /** How many failures it stands for; in filters of Fail2ban the lines that make up the failure. */
  readonly attempts: number
  /** What else matched the line, where every failregex is tried. */
  readonly also?: readonly { readonly rule: number; readonly host: string | null; readonly nofail: boolean }[]
}

/** The record of a line: of the first failure that counts, else of the first that matched. */
export function lineRecord({ file, number, failures, ignoredBy, time, date }: SeenLine, hasForms: boolean): LineRecord {
  const counts = (failure: TestedFailure) => failure.id !== null && !failure.nofail
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
    time: found?.time ?? time,
    ...(hasForms ? { date } : {}),
    rule: found?.rule ?? null,
    user: user === undefined ? null : text(user),
    users: found?.users.toSorted() ?? [],
    groups: found?.groups ?? {},
    attempts: found?.attempts ?? 0,
    ...(others.length === 0 ? {} : { also: others.map(({ rule, id, nofail }) => ({ rule, host: id, nofail })) }),
  }
}
