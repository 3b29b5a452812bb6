/** Turns a whole Fail2ban tree into a native configuration. */
import type { Fail2banTree } from '../tree/tree.ts'
import { logOf } from '../running/server-options.ts'
import { importJail, type ImportSurroundings } from './import-jail.ts'
import type { ImportedJail, Lost, NativeMap, NativeValue } from './imported.ts'

/** A native configuration, and what of the tree it does not have. */
export interface ImportedTree {
  readonly defaults: NativeMap
  readonly top: NativeMap
  /** What they share is in `defaults`, and left out here. */
  readonly jails: readonly ImportedJail[]
  readonly lost: readonly Lost[]
  /** The log that Fail2ban kept of itself; null: it was no file. */
  readonly ownLog: string | null
}

const shared = ['findtime', 'maxretry', 'bantime', 'ignoreip'] as const

/** The enabled jails of the tree, in its order. */
export function importTree(tree: Fail2banTree, around: ImportSurroundings): ImportedTree {
  const results = tree.jails.map((jail) => importJail(jail, around))
  const jails = results.filter((result): result is ImportedJail => !isLost(result))
  const gone = results.filter(isLost).flat()
  const defaults: NativeMap = {}
  const { target } = logOf(tree)
  for (const option of shared) {
    const value = mostUsual(jails.map(({ map }) => map[option]))
    if (value !== undefined) defaults[option] = value
  }
  const self = tree.jails.length > 0 && tree.jails.every(({ ignoreself }) => !ignoreself)
  return {
    defaults,
    top: self ? { ignoreself: 'off' } : {},
    jails: jails.map((jail) => ({ ...jail, map: without(jail, defaults, around) })),
    lost: [...gone, ...selfLost(tree, self), ...jails.flatMap(({ lost }) => lost)],
    ownLog: target?.type === 'file' ? target.path : null,
  }
}

function isLost(result: ImportedJail | readonly Lost[]): result is readonly Lost[] {
  return Array.isArray(result)
}

/** The value that most have, if more than one does; of `ignoreip` only what all have, since a jail adds nothing to it. */
function mostUsual(values: readonly (NativeValue | undefined)[]): NativeValue | undefined {
  const counts = new Map<string, number>()
  for (const value of values) {
    const key = JSON.stringify(value)
    if (value !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const [best] = [...counts].toSorted(([, a], [, b]) => b - a)
  return best === undefined || best[1] < 2 ? undefined : (JSON.parse(best[0]) as NativeValue)
}

/** A jail without what the defaults say; what its filter says of counting would come before them. */
function without({ name, map, filter }: ImportedJail, defaults: NativeMap, { ours }: ImportSurroundings): NativeMap {
  const named = typeof map.filter === 'string' ? map.filter : name
  const usual = filter === null && ours.get(named)?.usual === true
  const own: NativeMap = {}
  for (const [option, value] of Object.entries(map)) {
    const same = JSON.stringify(value) === JSON.stringify(defaults[option])
    if (!same || (usual && option !== 'ignoreip')) own[option] = value
  }
  // What the defaults ignore, a jail that ignores nobody must not.
  if (defaults.ignoreip !== undefined && map.ignoreip === undefined) own.ignoreip = []
  return own
}

function selfLost({ jails }: Fail2banTree, off: boolean): Lost[] {
  if (off || jails.every(({ ignoreself }) => ignoreself)) return []
  return [{ jail: null, what: 'ignoreself', why: 'it holds for all jails here, and this machine is never banned' }]
}
