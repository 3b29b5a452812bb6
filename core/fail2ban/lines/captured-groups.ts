import type { FailregexMatch } from '../regex/failregex.ts'
import type { Groups, GroupValue } from './line-hit.ts'

/** What a match captured, by name; undefined stands for a group of the pattern that matched nothing. */
export type Captured = FailregexMatch['merged']

/**
 * What a failregex captured and what it inherits of the prefregex, whose content it has searched: what it has a group
 * for counts, also where that matched nothing.
 */
export function inherit(inherited: Captured | null, own: Captured): Groups {
  const groups: Record<string, GroupValue> = {}
  for (const name in inherited) if (name !== 'content' && !(name in own)) keep(groups, name, inherited[name])
  for (const name in own) keep(groups, name, own[name])
  return groups
}

function keep(groups: Record<string, GroupValue>, name: string, value: Captured[string]): void {
  if (typeof value === 'string') groups[name] = value
  else if (value !== undefined) groups[name] = value.map((part) => part ?? null)
}
