import type { FilterTexts } from '../../../../core/fail2ban/lines/filter-texts.ts'
import { JailFilter, type JailFilterOptions } from '../../../../core/fail2ban/lines/jail-filter.ts'
import type { RawFailure } from '../../../../core/fail2ban/lines/raw-failure.ts'
import type { ReadTexts, RunningFail2ban, RunningFailure, RunningLine, Verdict } from './running-filter.ts'

export const zone = 'Europe/Zurich'

/** A difference between the running program and ours. */
export interface Difference {
  readonly line: string
  readonly theirs: Verdict
  readonly ours: Verdict
}

export const wholeTexts = (name: string, texts: ReadTexts, more: Partial<FilterTexts> = {}): FilterTexts => ({
  ...texts,
  name,
  timezone: null,
  usedns: 'warn',
  encoding: 'auto',
  journal: false,
  ...more,
})

/** Leads lines through the running filter and ours. */
export async function differences(
  running: RunningFail2ban,
  texts: FilterTexts,
  lines: readonly RunningLine[],
  options: JailFilterOptions,
): Promise<Difference[]> {
  const theirs = await (await running.filter(texts, lines[0]?.now ?? 0, options))(lines)
  const ours = new JailFilter(texts, { ...options, hostZone: zone })
  return lines.flatMap((line, index) => {
    const mine = verdictOf(ours, line)
    const other = theirs[index] ?? { error: 'no answer' }
    // Where Fail2ban fails, nothing of the line counts.
    const expected = 'error' in other ? { failures: [], ignored: [] } : other
    return JSON.stringify(mine) === JSON.stringify(sorted(expected))
      ? []
      : [{ line: line.text, theirs: other, ours: mine }]
  })
}

function verdictOf(filter: JailFilter, line: RunningLine): Verdict {
  const { failures, ignoredBy } = filter.examine(line.text, line)
  return sorted({ failures: failures.map(comparable), ignored: ignoredBy })
}

function comparable({ rule, id, dns, time, groups, users, nofail, lines }: RawFailure): RunningFailure {
  return { rule, id: dns === null ? id : `name ${dns}`, time, groups, users: users.toSorted(), nofail, lines }
}

function sorted(verdict: Verdict): Verdict {
  if ('error' in verdict) return verdict
  return {
    failures: verdict.failures.map(({ rule, id, time, groups, users, nofail, lines }) => ({
      rule,
      id,
      time,
      groups: Object.fromEntries(Object.entries(groups).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      users,
      nofail,
      lines,
    })),
    ignored: verdict.ignored,
  }
}
