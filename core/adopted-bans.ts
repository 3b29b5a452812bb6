import type { WantedSet } from './enforcing/wanted-set.ts'
import type { Ban, Ports } from './events.ts'
import type { ReadyJail } from './jails.ts'
import type { FirewallEntry } from './plugin.ts'

/**
 * The bans that the firewall holds and nobody wants any more on record: left by an agent whose store
 * is lost. They go on as bans of the jail with these ports, or as bans by hand, until their time is over.
 */
export function adoptable(
  found: readonly FirewallEntry[],
  wanted: WantedSet,
  jails: readonly ReadyJail[],
  now: number,
): Ban[] {
  return found
    .filter(({ prefix, ports }) => !wanted.of(prefix).some((ban) => samePorts(ban.ports, ports)))
    .map(({ prefix, ports, until }) => {
      const jail = jails.find((candidate) => samePorts(candidate.ports, ports))?.name ?? 'manual'
      return { prefix, jail, ports, since: now, until, count: 1, failures: 0, lines: [] }
    })
}

function samePorts(a: Ports, b: Ports): boolean {
  return a.protocol === b.protocol && a.ports.join() === b.ports.join()
}
