/** Other firewalls of the host, and what each means beside the table of Bailiff. */
import type { HostTree } from './host-tree.ts'
import { findProcess, type Process } from './processes.ts'
import { enabledUnits } from './units.ts'

/** A firewall, and one sentence on how it goes with Bailiff. */
export interface OtherFirewall {
  readonly name: 'ufw' | 'firewalld' | 'Docker' | 'Podman' | 'iptables' | 'nftables.service'
  readonly meaning: string
}

/** Those that are in force or will be at the next start. */
export function otherFirewalls(host: HostTree, processes: readonly Process[]): OtherFirewall[] {
  const units = enabledUnits(host)
  const runs = (...names: string[]) => findProcess(processes, names) !== undefined
  const found: OtherFirewall[] = []
  const add = (name: OtherFirewall['name'], meaning: string) => found.push({ name, meaning })
  if (/^ENABLED=yes$/im.test(host.text('/etc/ufw/ufw.conf')))
    add('ufw', 'its rules stay as they are: what Bailiff drops never reaches them, and "ufw reload" takes no ban away')
  if (runs('firewalld') || units.has('firewalld.service'))
    add('firewalld', 'it keeps to tables of its own: a reload of it takes no ban away')
  if (runs('dockerd'))
    add('Docker', 'bans stand before its port forwarding, so published ports are covered by the port the client uses')
  if (runs('rootlessport', 'slirp4netns', 'pasta'))
    add('Podman', 'bans stand before the packets reach it, so published ports are covered')
  const legacy =
    host.text('/proc/self/net/ip_tables_names').trim() || host.text('/proc/self/net/ip6_tables_names').trim()
  if (legacy !== '')
    add('iptables', 'its rules stay: whoever is banned is dropped before them, and nobody else is let in')
  if (units.has('nftables.service'))
    add(
      'nftables.service',
      'its "flush ruleset" takes bans away when it is started anew; Bailiff puts them back within seconds',
    )
  return found
}
