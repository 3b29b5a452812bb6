import type { Prefix } from '../address.ts'
import type { Ban, Ports } from '../events.ts'
import type { HistoryEntry, Offence } from './records.ts'

/**
 * Some bans as columns: a million of them cross from the thread of the store to the agent in a tenth of
 * the time that a million objects take, and cost little until they are asked for.
 */
export interface PackedBans {
  /** One line each. */
  readonly prefixes: string
  /** Indices into `names`, and into `portsUsed`. */
  readonly jails: Uint32Array
  readonly ports: Uint32Array
  readonly names: readonly string[]
  readonly portsUsed: readonly Ports[]
  readonly since: Float64Array
  /** Infinite: for ever. */
  readonly until: Float64Array
  readonly counts: Float64Array
  readonly failures: Float64Array
  /** 1: it is over. */
  readonly over: Uint8Array
  /** Null where lines are left to be asked for. */
  readonly lines: readonly (readonly string[])[] | null
}

const noLines: readonly string[] = []

export function packBans(entries: readonly HistoryEntry[], withLines: boolean): PackedBans {
  const names = new Map<string, number>()
  const portsUsed = new Map<Ports, number>()
  return {
    prefixes: entries.map(({ prefix }) => prefix).join('\n'),
    jails: Uint32Array.from(entries, ({ jail }) => indexIn(names, jail)),
    ports: Uint32Array.from(entries, ({ ports }) => indexIn(portsUsed, ports)),
    names: [...names.keys()],
    portsUsed: [...portsUsed.keys()],
    since: Float64Array.from(entries, ({ since }) => since),
    until: Float64Array.from(entries, ({ until }) => until ?? Infinity),
    counts: Float64Array.from(entries, ({ count }) => count),
    failures: Float64Array.from(entries, ({ failures }) => failures),
    over: Uint8Array.from(entries, ({ ended }) => (ended === null ? 0 : 1)),
    lines: withLines ? entries.map(({ lines }) => lines) : null,
  }
}

/** The bans that are not over. */
export function* unpackBans(packed: PackedBans): Generator<Ban> {
  const { jails, ports, names, portsUsed, since, until, counts, failures, over, lines } = packed
  const prefixes = packed.prefixes.split('\n') as Prefix[]
  for (let i = 0; i < over.length; i++) {
    const [prefix, jail, of] = [prefixes[i], names[jails[i] ?? 0], portsUsed[ports[i] ?? 0]]
    if (over[i] !== 0 || prefix === undefined || jail === undefined || of === undefined) continue
    const end = until[i] ?? Infinity
    yield {
      prefix,
      jail,
      ports: of,
      since: since[i] ?? 0,
      until: end === Infinity ? null : end,
      count: counts[i] ?? 1,
      failures: failures[i] ?? 0,
      lines: lines?.[i] ?? noLines,
    }
  }
}

/** Each ban as one more offence of its prefix, in the order in which they were decided. */
export function* unpackOffences({ prefixes, jails, names, since, until, counts }: PackedBans): Generator<Offence> {
  const all = prefixes.split('\n') as Prefix[]
  for (let i = 0; i < since.length; i++) {
    const [prefix, jail] = [all[i], names[jails[i] ?? 0]]
    const end = until[i] ?? Infinity
    if (prefix === undefined || jail === undefined) continue
    yield { jail, prefix, count: counts[i] ?? 1, last: since[i] ?? 0, until: end === Infinity ? null : end }
  }
}

function indexIn<T>(known: Map<T, number>, value: T): number {
  const index = known.get(value) ?? known.size
  if (index === known.size) known.set(value, index)
  return index
}
