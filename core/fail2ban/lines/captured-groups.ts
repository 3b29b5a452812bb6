import type { Failregex } from '../regex/failregex.ts'
import type { PythonMatch } from '../regex/python-pattern.ts'
import type { Groups, GroupValue } from './line-hit.ts'

/** What a match captured: groups and their values in one order; undefined stands for one that matched nothing. */
export interface Captured {
  readonly names: readonly string[]
  readonly values: readonly (string | undefined | readonly (string | undefined)[])[]
}

/** A match and what it captured. */
export interface Found extends Pick<PythonMatch, 'start' | 'end'> {
  readonly captured: Captured
}

/** Searches a text; null: nothing is found. `ascii`: whether it holds ASCII alone; undefined: it is looked at. */
export function searchGroups(regex: Failregex, text: string, ascii: boolean | undefined): Found | null {
  if (!regex.merges) {
    const found = regex.find(text, ascii)
    // Most patterns do not match, and an object of all groups takes as long as the search.
    return found && { start: found.start, end: found.end, captured: { names: regex.names, values: found.named } }
  }
  const match = regex.search(text, ascii)
  if (match === null) return null
  const { start, end, merged } = match
  return { start, end, captured: { names: Object.keys(merged), values: Object.values(merged) } }
}

/** The text of a group; null: it is none, or matched nothing. */
export function capturedText({ names, values }: Captured, name: string): string | null {
  const value = values[names.indexOf(name)]
  return typeof value === 'string' ? value : null
}

/**
 * What a failregex captured and what it inherits of the prefregex, whose content it has searched: what it has a group
 * for counts, also where that matched nothing.
 */
export function inherit(inherited: Captured | null, own: Captured): Groups {
  const groups: Record<string, GroupValue> = {}
  if (inherited !== null)
    for (let index = 0; index < inherited.names.length; index++) {
      const name = inherited.names[index] ?? ''
      if (name !== 'content' && !own.names.includes(name)) keep(groups, name, inherited.values[index])
    }
  for (let index = 0; index < own.names.length; index++) keep(groups, own.names[index] ?? '', own.values[index])
  return groups
}

function keep(groups: Record<string, GroupValue>, name: string, value: Captured['values'][number]): void {
  if (typeof value === 'string') groups[name] = value
  else if (value !== undefined) groups[name] = value.map((part) => part ?? null)
}
