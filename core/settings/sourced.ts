/** Values of the configuration together with the places they come from. */
import type { Where } from '../errors.ts'

/** Keys and list indexes from the top. */
export type Path = readonly (string | number)[]

/** Where the value at a path stands, and its key. */
export interface Place {
  readonly path: Path
  readonly at: Where
  readonly keyAt: Where
}

/** A plain value of a configuration, possibly merged from several files, that knows where its parts stand. */
export class Sourced {
  readonly value: unknown
  readonly path: Path
  readonly #places: ReadonlyMap<string, Place>
  /** Where a part stands of which nothing nearer is known. */
  readonly #file: Where

  constructor(value: unknown, places: Iterable<Place> | ReadonlyMap<string, Place>, path: Path, file: Where) {
    this.value = value
    this.path = path
    this.#places = places instanceof Map ? places : new Map(Array.from(places as Iterable<Place>, indexed))
    this.#file = file
  }

  /** A part of the value; its value is undefined where there is none. */
  at(...keys: Path): Sourced {
    let value = this.value
    for (const key of keys) value = isRecord(value) || Array.isArray(value) ? Object(value)[key] : undefined
    return new Sourced(value, this.#places, [...this.path, ...keys], this.#file)
  }

  /** The same map without some of its keys. */
  without(keys: ReadonlySet<string>): Sourced {
    const kept = isRecord(this.value) ? Object.entries(this.value).filter(([key]) => !keys.has(key)) : null
    const value = kept === null ? this.value : Object.fromEntries(kept)
    return new Sourced(value, this.#places, this.path, this.#file)
  }

  /** The place of a part, or of the nearest one around it, and the name of the option. */
  where(...keys: Path): Where {
    return this.#nearest([...this.path, ...keys], (place) => place.at)
  }

  /** The place of the key of a part. */
  whereKey(...keys: Path): Where {
    return this.#nearest([...this.path, ...keys], (place) => place.keyAt)
  }

  /** The names of the keys, in the order of the file; none where it is no map. */
  keys(): string[] {
    return isRecord(this.value) ? Object.keys(this.value) : []
  }

  /** All places of this value and its parts. */
  places(): Place[] {
    return [...this.#places.values()].filter(({ path }) => this.path.every((key, index) => path[index] === key))
  }

  #nearest(path: Path, pick: (place: Place) => Where): Where {
    const option = formatPath(path)
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)))
      if (place !== undefined) return { ...pick(place), option }
    }
    return option === '' ? this.#file : { ...this.#file, option }
  }
}

/** `jails.sshd.actions[0]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  )
}

/** Whether a value is a map. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function indexed(place: Place): [string, Place] {
  return [JSON.stringify(place.path), place]
}
