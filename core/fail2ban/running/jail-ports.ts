/** Which ports a ban of a jail of a Fail2ban tree covers. */
import type { TreeAction, TreeJail } from '../tree/tree-jail.ts'

/** As they are written: names, numbers, ranges `a-b` of either. */
export interface TreePorts {
  /** Empty: all traffic. */
  readonly ports: readonly string[]
  readonly protocol: 'tcp' | 'udp' | 'tcp+udp'
  /** What is covered beyond what the tree says, or is not, and why, for people. */
  readonly odd: readonly string[]
}

/** Actions of these names, alone or before a dash, work on a firewall of this host. */
const firewalls =
  /^(?:iptables|nftables|firewallcmd|shorewall|ufw|pf|ipfw|bsd-ipfw|osx-ipfw|osx-afctl|ipfilter|npf|apf|route|hostsdeny|symbiosis-blacklist)(?:-|$)/

/** All ports of this host, however they are written. */
const everyPort = /^(?:all|any|[01]?[:-](?:65535)?)$/i

/** Protocols that have ports here, by name and number; `all` is those. */
const known: Readonly<Record<string, readonly ('tcp' | 'udp')[]>> = {
  tcp: ['tcp'],
  udp: ['udp'],
  '6': ['tcp'],
  '17': ['udp'],
  all: ['tcp', 'udp'],
  any: ['tcp', 'udp'],
  '0': ['tcp', 'udp'],
}

/**
 * What the firewall actions of the jail say (`port`, `protocol`, and `allports` by name or `type`), else what the jail
 * says itself. A ban of ours has one list of ports, for one protocol or for both.
 */
export function portsOf(jail: TreeJail): TreePorts {
  const actions = jail.actions.filter(isFirewallAction)
  if (actions.some(coversAll)) return all([])
  const own = { port: jail.options.port ?? '', protocol: jail.options.protocol ?? 'tcp' }
  const told = actions.map(({ options }) => ({
    ports: portWords(options.port ?? own.port),
    protocols: words((options.protocol ?? own.protocol).toLowerCase()),
  }))
  if (told.length === 0) told.push({ ports: portWords(own.port), protocols: words(own.protocol.toLowerCase()) })
  if (told.some(({ ports }) => ports.length === 0 || ports.some((port) => everyPort.test(port)))) return all([])
  const named = [...new Set(told.flatMap(({ protocols }) => protocols))]
  const foreign = named.filter((protocol) => known[protocol] === undefined)
  const protocols = [...new Set(named.flatMap((protocol) => known[protocol] ?? []))].toSorted()
  if (protocols.length === 0)
    return all([`bans cover all traffic: ${named.join(' and ')} cannot be banned by ports here, only tcp and udp`])
  const odd = foreign.length === 0 ? [] : [`bans cover ${protocols.join(' and ')}, and not ${foreign.join(' and ')}`]
  const lists = new Set(told.map(({ ports }) => ports.toSorted().join()))
  if (protocols.length > 1 && lists.size > 1)
    odd.push('the protocols have different ports, and bans cover all of these ports for both')
  const ports = [...new Set(told.flatMap((one) => one.ports))]
  return { ports, protocol: protocols.length > 1 ? 'tcp+udp' : (protocols[0] ?? 'tcp'), odd }
}

/** Whether an action of Fail2ban works on a firewall of this host, which Bailiff's own does in its place. */
export function isFirewallAction({ file }: Pick<TreeAction, 'file'>): boolean {
  return firewalls.test(file)
}

/** `route` and `hosts.deny` know no ports. */
function coversAll({ file, options, properties }: TreeAction): boolean {
  const type = options.type ?? properties.type
  return /allports|^route$|^hostsdeny$/.test(file) || type === 'allports'
}

/** A range may be open at one end, as iptables has it: `:1023`, `6000:`. */
function portWords(text: string): string[] {
  return words(text).map((word) => {
    const [, first, last] = /^([^:]*):([^:]*)$/.exec(word) ?? []
    return first === undefined || last === undefined ? word : `${first || '0'}-${last || '65535'}`
  })
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

function all(odd: readonly string[]): TreePorts {
  return { ports: [], protocol: 'tcp', odd }
}
