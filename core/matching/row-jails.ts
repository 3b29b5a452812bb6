import { createHash } from 'node:crypto'
import { PrefixSet } from '../address.ts'
import type { CompiledFilter } from '../plugin.ts'
import type { JailFilter } from './messages.ts'

/** Jails of one filter that find the same addresses, whatever proxies a line names. */
export interface JailsAlike {
  readonly jails: readonly string[]
  /** Whom they trust; null: nobody. */
  readonly proxies: PrefixSet | null
  /** See `RowTarget`. Other threads, and a pool that takes the place of this one, say the same. */
  readonly sessions: string
}

/** What the rows of a jail are told apart by. */
interface Kind extends Pick<JailsAlike, 'proxies'> {
  readonly key: string
}

/** Tells which jails see the same rows, so that there is one row for all of them. */
export class RowJails {
  /** Whether any jail trusts proxies. */
  readonly trust: boolean
  readonly #kinds: ReadonlyMap<string, Kind>
  /** By the jails asked for: whoever asks has one list for all lines of a filter. */
  readonly #alike = new WeakMap<readonly string[], readonly JailsAlike[]>()

  constructor(jails: readonly JailFilter[]) {
    this.trust = jails.some(({ proxies = [] }) => proxies.length > 0)
    const filters = new Map<CompiledFilter, string>()
    const sets = new Map<string, PrefixSet>()
    this.#kinds = new Map(
      jails.map(({ jail, filter, proxies = [] }): [string, Kind] => {
        const texts = proxies.toSorted().join()
        const filterKey = filters.get(filter) ?? keyOf(filter)
        filters.set(filter, filterKey)
        if (texts !== '' && !sets.has(texts)) sets.set(texts, new PrefixSet(proxies))
        return [jail, { key: `${filterKey} ${texts}`, proxies: sets.get(texts) ?? null }]
      }),
    )
  }

  /** The jails of one filter, those together that find the same addresses. */
  alike(jails: readonly string[]): readonly JailsAlike[] {
    const known = this.#alike.get(jails)
    if (known !== undefined) return known
    const byKey = new Map<string, string[]>()
    for (const jail of jails) {
      const key = this.#kinds.get(jail)?.key ?? ''
      byKey.set(key, [...(byKey.get(key) ?? []), jail])
    }
    const alike = [...byKey].map(([sessions, some]): JailsAlike => {
      const proxies = this.#kinds.get(some[0] ?? '')?.proxies ?? null
      return { jails: some, proxies, sessions }
    })
    this.#alike.set(jails, alike)
    return alike
  }
}

function keyOf(filter: CompiledFilter): string {
  return createHash('sha256').update(JSON.stringify(filter)).digest('base64url').slice(0, 16)
}
