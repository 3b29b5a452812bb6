/** Which ports a ban of a jail of a Fail2ban tree covers. */
import type { TreeAction, TreeJail } from '../tree/tree-jail.ts'

/** As they are written: names, numbers, ranges `a-b`. */
export interface TreePorts {
  /** Empty: all traffic. */
  readonly ports: readonly string[]
  readonly protocol: 'tcp' | 'udp'
  /** What is covered beyond what the tree says, and why, for people; null: nothing. */
  readonly wider: string | null
}

/** Actions of these names, alone or before a dash, work on a firewall of this host. */
const firewalls =
  /^(?:iptables|nftables|firewallcmd|shorewall|ufw|pf|ipfw|bsd-ipfw|osx-ipfw|osx-afctl|ipfilter|npf|apf|route|hostsdeny|symbiosis-blacklist)(?:-|$)/

/** All ports of this host, however they are written. */
const everyPort = /^(?:all|any|0[:-]65535|1[:-]65535)$/i

/**
 * What the firewall actions of the jail say (`port`, `protocol`, and `allports` by name or `type`), else what the jail
 * says itself. A ban of ours has one protocol, so one of several covers all traffic.
 */
export function portsOf(jail: TreeJail): TreePorts {
  const actions = jail.actions.filter(isFirewallAction)
  if (actions.some(coversAll)) return all(null)
  const named = actions.map(({ options }) => ({
    port: options.port ?? jail.options.port ?? '',
    protocol: options.protocol ?? jail.options.protocol ?? 'tcp',
  }))
  const own = { port: jail.options.port ?? '', protocol: jail.options.protocol ?? 'tcp' }
  const told = named.length > 0 ? named : [own]
  const ports = [...new Set(told.flatMap(({ port }) => portWords(port)))]
  if (ports.length === 0 || ports.some((port) => everyPort.test(port))) return all(null)
  const protocols = [...new Set(told.flatMap(({ protocol }) => portWords(protocol.toLowerCase())))]
  const [protocol] = protocols
  if (protocols.length === 1 && (protocol === 'tcp' || protocol === 'udp')) return { ports, protocol, wider: null }
  return all(`bans cover all traffic: ${protocols.join(' and ')} together are not one protocol here`)
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

function portWords(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((word) => word.replace(/^(\d+):(\d+)$/, '$1-$2'))
}

function all(wider: string | null): TreePorts {
  return { ports: [], protocol: 'tcp', wider }
}
