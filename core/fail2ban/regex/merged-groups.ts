/** Groups that together give one value: `<F-ALT_USER1>` and its like fill `user` where it is empty, `<F-TUPLE_ID1>` adds to `fid`. */
import { groupName } from './tags.ts'

/** The text of a group; undefined where it took no part; of groups that make a tuple all their texts in order. */
export type GroupValue = string | undefined | readonly (string | undefined)[]

/** Which group adds to which value, in the order in which they do. */
export interface GroupMerging {
  readonly alternatives: readonly (readonly [from: string, to: string])[]
  readonly parts: readonly (readonly [from: string, to: string])[]
}

/** How the groups of an expression are merged; null where none is. */
export function groupMerging(names: readonly string[]): GroupMerging | null {
  const alternatives: [string, string][] = []
  const parts: [string, string][] = []
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    const [, kind, to = ''] = /^(alt|tuple)_(.*?)(?:_\p{Nd}+)?$/u.exec(name.length > 4 ? name : '') ?? []
    if (kind !== undefined) (kind === 'alt' ? alternatives : parts).push([name, groupName(to)])
  }
  return alternatives.length + parts.length === 0 ? null : { alternatives, parts }
}

/** The groups with the merged values beside them. */
export function mergeGroups(
  groups: Readonly<Record<string, string | undefined>>,
  { alternatives, parts }: GroupMerging,
): Readonly<Record<string, GroupValue>> {
  const merged: Record<string, GroupValue> = Object.assign(Object.create(null), groups)
  for (const [from, to] of alternatives) if (merged[from] && !merged[to]) merged[to] = merged[from]
  for (const [from, to] of parts) {
    const now = merged[to]
    const before = typeof now === 'object' ? now : [now]
    const value = merged[from]
    merged[to] = [...before, ...(typeof value === 'object' ? value : [value])]
  }
  return merged
}
