import { PrefixSet, parsePrefix, type Prefix } from '../address.ts'
import type { ReadyJail } from '../jails.ts'
import { problem, type DoctorFinding } from './finding.ts'
import type { LogSample } from './log-sample.ts'

/** Fewer lines say nothing. */
const fewestLines = 20
const leastShare = 0.9

/** Addresses that no client of the internet has: loopback, private (RFC 1918, 4193, 6598), link-local. */
const inside = toSet(`127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16
  ::1 fc00::/7 fe80::/10`)

/** What Cloudflare (www.cloudflare.com/ips) and Fastly (api.fastly.com/public-ip-list) say that they connect from. */
const edges = toSet(`173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18 108.162.192.0/18
  190.93.240.0/20 188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14
  172.64.0.0/13 131.0.72.0/22 2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32
  2a06:98c0::/29 2c0f:f248::/32 151.101.0.0/16 199.232.0.0/16 2a04:4e40::/32 2a04:4e42::/32`)

/** On a network of its own a server has many private clients; a proxy is one or two. */
const mostProxies = 2

/** Whether nearly all lines of an access log name a proxy as the client: who would be banned is not who attacks. */
export function proxyFindings(
  file: string,
  { clients }: Pick<LogSample, 'clients'>,
  { name, ignore }: Pick<ReadyJail, 'name' | 'ignore'>,
): DoctorFinding[] {
  const total = sum(clients.values())
  if (total < fewestLines) return []
  const trusted = new PrefixSet(ignore.proxies)
  const unknown = [...clients].filter(([address]) => trusted.covering(address) === undefined)
  const most = unknown.toSorted(([, a], [, b]) => b - a)
  const local = most.filter(([address]) => inside.covering(address) !== undefined).slice(0, mostProxies)
  const edge = most.filter(([address]) => edges.covering(address) !== undefined)
  for (const [theirs, what] of [
    [local, 'are of this machine or a private network, as behind a proxy or in a container'],
    [edge, 'are of a content delivery network'],
  ] as const) {
    const [first] = theirs
    if (first === undefined || sum(theirs.map(([, count]) => count)) < leastShare * total) continue
    return [
      problem(
        'proxies',
        `the clients in ${file} ${what}, most of all ${first[0]}: bans of ${name} would hit it, or nobody`,
        `let the service log its clients (nginx: set_real_ip_from ${first[0]}; real_ip_header X-Forwarded-For), and write trusted_proxies: ["${first[0]}"]`,
      ),
    ]
  }
  return []
}

function toSet(texts: string): PrefixSet {
  const prefixes = texts.split(/\s+/).map(parsePrefix)
  return new PrefixSet(prefixes.filter((prefix): prefix is Prefix => prefix !== null))
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0)
