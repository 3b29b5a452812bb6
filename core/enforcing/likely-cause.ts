import { readFileSync } from 'node:fs'
import { endianness, hostname } from 'node:os'
import { parseAddress, parsePrefix, PrefixSet, prefixParts, type Prefix } from '../address.ts'
import type { Ban } from '../events.ts'

/** Networks that no stranger on the Internet comes from. */
const inside = new PrefixSet(
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map((text) => parsePrefix(text)!),
)
/** `ESTABLISHED` in /proc/net/tcp. */
const established = '01'

/** What is known of the machine when the cause is looked for. */
export interface Circumstances {
  readonly hostname: string
  /** TCP connections that are open now: the local port and the address at the other end. */
  readonly connections: readonly { readonly port: number; readonly peer: string }[]
}

/** Why a banned address may still get through, in a sentence with the next step. `line` is one of its lines. */
export function likelyCause(ban: Ban, line: string, now: Circumstances): string {
  const host = hostOf(line)
  if (host !== null && host !== now.hostname && host !== now.hostname.split('.')[0]) {
    return `the line was written on the host ${host} and not here, so its traffic does not pass this firewall: run Bailiff there`
  }
  if (inside.covering(ban.prefix) !== undefined) {
    return 'the address is of a private network: a proxy, a load balancer or a container network stands between, and the log shows its address; let the service log the true one'
  }
  const open = now.connections.filter(({ peer }) => covers(ban.prefix, peer))
  const { protocol, ports } = ban.ports
  const other = open.find(({ port }) => protocol !== 'all' && !ports.includes(port))
  if (other !== undefined) {
    return `it is connected to port ${other.port}, and the ban covers only ${protocol} ${ports.join(', ')}: add that port to "ports:" of the jail, or write "ports: all"`
  }
  if (open.length > 0) {
    return 'it is connected all the same: another firewall program may have removed the rule, or the traffic comes in by an interface or network namespace that the table "inet bailiff" does not see'
  }
  const web = ports.some((port) => [80, 443, 8080, 8443].includes(port))
  return web
    ? 'there is no connection from it here, so the service is reached through a proxy, a load balancer or a CDN: ban there (an action for it), or let only the proxy in'
    : `there is no connection from it here: it comes through a proxy or a tunnel, to another host or container, or to another port than ${protocol === 'all' ? 'those known' : ports.join(', ')}`
}

/** Reads the machine's own. What cannot be read is left out. */
export function circumstances(): Circumstances {
  return { hostname: hostname(), connections: ['tcp', 'tcp6'].flatMap((name) => readConnections(`/proc/net/${name}`)) }
}

/** The open connections of a table of proc(5): addresses are hexadecimal, in words of the machine's byte order. */
export function parseConnections(table: string): Circumstances['connections'] {
  const row = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4} ([0-9A-F]{2})/
  return table.split('\n').flatMap((line) => {
    const [, port = '', peer = '', state] = row.exec(line) ?? []
    return state === established ? [{ port: Number.parseInt(port, 16), peer: addressOf(peer) }] : []
  })
}

function readConnections(path: string): Circumstances['connections'] {
  try {
    return parseConnections(readFileSync(path, 'latin1'))
  } catch {
    return []
  }
}

function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':')
}

function covers(prefix: Prefix, peer: string): boolean {
  const address = parseAddress(peer)
  return address !== null && prefixParts(prefix).family === prefixParts(address).family
    ? new PrefixSet([prefix]).covering(address) !== undefined
    : false
}

/** The host of a syslog header; null where there is none. */
function hostOf(line: string): string | null {
  const header = /^(?:\d{4}-\S+|[A-Z][a-z]{2} [ \d]\d [\d:]{8}) ([\w.-]{1,255}) [\w./-]+(?:\[\d+\])?: /
  return header.exec(line)?.[1] ?? null
}
