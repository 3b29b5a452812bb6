import type { FailureRows, Match } from '../../../core/events.ts'
import { RowCursor } from '../../../core/failure-rows.ts'

/** What a row says of a line for one of its jails. */
export type RowFailure = Pick<
  Match,
  'jail' | 'filter' | 'rule' | 'address' | 'time' | 'attempts' | 'once' | 'offset' | 'line'
>

/** Each line of each row, for each of its jails. Lines of one row have the offset of its first. */
export function failuresOf(rows: FailureRows): RowFailure[] {
  const failures: RowFailure[] = []
  for (const row = new RowCursor(rows); row.next();) {
    const { filter, rule, address, time, attempts, once, offset } = row
    for (let left = row.lines; left > 0; left--, row.nextLine())
      for (const jail of row.jails)
        failures.push({ jail, filter, rule, address, time, attempts, once, offset, line: row.line })
  }
  return failures
}

/** The same of a record. */
export function failureOf({ jail, filter, rule, address, time, attempts, once, offset, line }: Match): RowFailure {
  return { jail, filter, rule, address, time, attempts, once, offset, line }
}
