/**
 * Puts the files of `conf.d` over `bailiff.yaml`. The maps `defaults`, `jails` and each jail are merged
 * key by key; `ignoreip` and `trusted_proxies` of the top add up, so that no file can lift a protection by
 * accident; every other value, lists too, replaces the one before.
 */
import { isRecord, Sourced, type Path, type Place } from './sourced.ts'

const addingUp: Path = ['ignoreip', 'trusted_proxies']

/** Merges one configuration over another. Neither is changed. */
export function mergeOver(base: Sourced, over: Sourced): Sourced {
  const places = new Map(base.places().map((place) => [JSON.stringify(place.path), place]))
  const merged = mergeValue(base.value, over.value, [], places, over)
  return new Sourced(merged, places, [], base.where())
}

/**
 * Writes every jail as a map: `sshd: on` becomes `sshd: { enabled: on }`. Drops keys of the top that
 * have no value, since a list or map whose lines are all commented out reads as empty.
 */
export function normalise(tree: Sourced): Sourced {
  if (!isRecord(tree.value)) return tree
  const places: Place[] = tree.places()
  const value = Object.fromEntries(Object.entries(tree.value).filter(([, part]) => part !== null))
  if (isRecord(value.jails)) value.jails = Object.fromEntries(Object.entries(value.jails).map(asMap))
  return new Sourced(value, places, [], tree.where())

  function asMap([name, jail]: [string, unknown]): [string, unknown] {
    if (typeof jail === 'object' && jail !== null) return [name, jail]
    const at = tree.where('jails', name)
    places.push({ path: ['jails', name, 'enabled'], at, keyAt: tree.whereKey('jails', name) })
    return [name, { enabled: jail }]
  }
}

function mergeValue(base: unknown, over: unknown, path: Path, places: Map<string, Place>, from: Sourced): unknown {
  if (path.length === 1 && addingUp.includes(path[0] ?? ''))
    return append(asList(base), asList(over), path, places, from)
  if (!isRecord(base) || !isRecord(over) || !mergesByKey(path)) {
    replacePlaces(path, places, from)
    return over
  }
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over))
    merged[key] = Object.hasOwn(base, key)
      ? mergeValue(base[key], value, [...path, key], places, from)
      : mergeValue(undefined, value, [...path, key], places, from)
  return merged
}

function mergesByKey(path: Path): boolean {
  const depth = path[0] === 'jails' ? 2 : path[0] === 'defaults' ? 1 : 0
  return path.length <= depth
}

function replacePlaces(path: Path, places: Map<string, Place>, from: Sourced): void {
  for (const place of new Sourced(null, places, path, from.where()).places()) places.delete(JSON.stringify(place.path))
  for (const place of from.at(...path).places()) places.set(JSON.stringify(place.path), place)
}

/** Appends a list to a list; the places of its items move behind those that are there. */
function append(base: unknown[], over: unknown[], path: Path, places: Map<string, Place>, from: Sourced): unknown[] {
  for (const place of from.at(...path).places()) {
    const [index, ...rest] = place.path.slice(path.length)
    // A value that is no list is an item of one.
    const isItem = typeof index === 'number' || !Array.isArray(from.at(...path).value)
    const moved = isItem ? [...path, Number(index ?? 0) + base.length, ...rest] : place.path
    if (isItem || base.length === 0) places.set(JSON.stringify(moved), { ...place, path: moved })
  }
  return [...base, ...over]
}

function asList(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}
