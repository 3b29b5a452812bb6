import type { WantedSet } from './enforcing/wanted-set.ts'
import type { Ban, Ports } from './events.ts'
import type { ReadyJail } from './jails.ts'
import type { FirewallEntry } from './plugin.ts'
import type { HistoryEntry, Store } from './store/store.ts'

/** The kernel counts in seconds from when it was told, so two ends that are nearer are the same. */
const sameEndMs = 5000

/** A ban by one jail, as which an entry of the firewall may go on. */
interface Candidate {
  readonly entry: FirewallEntry
  readonly jail: string
}

/**
 * The bans that the firewall holds and nobody wants any more on record: left by an agent whose store is
 * lost, or that was killed before the store had them. They go on as bans of the jail with these ports,
 * or as bans by hand, until their time is over. What the history knows of the prefix tells which jail,
 * and the how-manieth ban it is; one that the history knows to be undone is not taken over.
 */
export async function adoptable(
  found: readonly FirewallEntry[],
  wanted: WantedSet,
  jails: readonly ReadyJail[],
  store: Pick<Store, 'latest'>,
  now: number,
): Promise<Ban[]> {
  const unknown = found.filter(({ prefix, ports }) => !wanted.of(prefix).some((ban) => samePorts(ban.ports, ports)))
  const candidates = unknown.map((entry) => candidatesFor(entry, jails))
  const latest = await latestOf(candidates.flat(), store)
  return candidates.flatMap((some) => adopted(some, latest, now) ?? [])
}

function candidatesFor(entry: FirewallEntry, jails: readonly ReadyJail[]): Candidate[] {
  const able = jails.filter(({ mode, ports }) => mode !== 'observe' && samePorts(ports, entry.ports))
  const same = able.map(({ name }) => ({ entry, jail: name }))
  return same.length > 0 ? same : [{ entry, jail: 'manual' }]
}

/** What the history knows; nothing, where it cannot be asked. */
async function latestOf(
  candidates: readonly Candidate[],
  store: Pick<Store, 'latest'>,
): Promise<Map<Candidate, HistoryEntry>> {
  if (candidates.length === 0) return new Map()
  const asked = candidates.map(({ entry: { prefix }, jail }) => ({ prefix, jail }))
  const entries = await store.latest(asked).catch(() => [])
  return new Map(
    candidates.flatMap((candidate, index) => {
      const entry = entries[index]
      return entry ? [[candidate, entry] as const] : []
    }),
  )
}

function adopted(
  candidates: readonly Candidate[],
  latest: ReadonlyMap<Candidate, HistoryEntry>,
  now: number,
): Ban | null {
  const known = candidates.find((each) => isSame(latest.get(each), each.entry))
  const chosen = known ?? candidates.find((each) => latest.has(each)) ?? candidates[0]
  if (chosen === undefined) return null
  const { entry, jail } = chosen
  const last = latest.get(chosen)
  const { prefix, ports, until } = entry
  const ban = { prefix, jail, ports, since: now, until, count: (last?.count ?? 0) + 1, failures: 0, lines: [] }
  if (known === undefined || last === undefined) return ban
  if (last.reason === 'unbanned') return null
  return { ...ban, since: last.since, count: last.count, failures: last.failures }
}

function isSame(last: HistoryEntry | undefined, { until }: FirewallEntry): boolean {
  if (last === undefined) return false
  if (last.until === null || until === null) return last.until === until
  return Math.abs(last.until - until) <= sameEndMs
}

function samePorts(a: Ports, b: Ports): boolean {
  return a.protocol === b.protocol && a.ports.join() === b.ports.join()
}
