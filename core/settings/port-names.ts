import { readFileSync } from 'node:fs'
import type { Ports } from '../events.ts'
import { BailiffError, quote, suggest } from '../errors.ts'

/** A jail covers at most so many ports: each is an element of a rule in the kernel. */
const maxPorts = 64

/** The names that mean the same on every machine (IANA Service Name and Transport Protocol Port Number Registry). */
const known: Readonly<Record<string, number>> = {
  domain: 53,
  ftp: 21,
  'ftp-data': 20,
  ftps: 990,
  'ftps-data': 989,
  http: 80,
  https: 443,
  imap: 143,
  imaps: 993,
  ldap: 389,
  ldaps: 636,
  mysql: 3306,
  nntp: 119,
  pop3: 110,
  pop3s: 995,
  postgresql: 5432,
  sieve: 4190,
  sip: 5060,
  'sip-tls': 5061,
  smtp: 25,
  smtps: 465,
  socks: 1080,
  ssh: 22,
  submission: 587,
  submissions: 465,
  telnet: 23,
}

/**
 * Reads ports: `all`, or numbers 1…65535, names (a table of well-known ones, then the services file of
 * the machine) and short ranges (`6000-6010`), one or a list. Ascending, each once, at most 64 in all.
 * Throws a BailiffError that names the one at fault.
 */
export function parsePorts(given: unknown, services = '/etc/services'): readonly number[] {
  const list = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new BailiffError('config', 'no port is named; for all traffic write ports: all')
  if (list.length === 1 && list[0] === 'all') return []
  const ports = new Set(list.flatMap((item) => portsOf(item, services)))
  if (ports.size > maxPorts)
    throw new BailiffError(
      'config',
      `${ports.size} ports are more than the ${maxPorts} that one jail can have; for all traffic write ports: all`,
    )
  return [...ports].toSorted((a, b) => a - b)
}

/** The ports of a ban; all traffic where `ports` is empty. */
export function toPorts(ports: readonly number[], protocol: 'tcp' | 'udp' | 'tcp+udp'): Ports {
  return ports.length === 0 ? { protocol: 'all', ports } : { protocol, ports }
}

function portsOf(given: unknown, services: string): number[] {
  if (given === 'all') throw new BailiffError('config', '"all" stands alone: write ports: all')
  if (typeof given === 'number') return [checked(given, given)]
  if (typeof given !== 'string') throw refuse(given)
  const range = /^(\d{1,5})-(\d{1,5})$/.exec(given)
  if (range !== null) return portsBetween(checked(Number(range[1]), given), checked(Number(range[2]), given), given)
  if (/^\d+$/.test(given)) return [checked(Number(given), given)]
  const port = Object.hasOwn(known, given) ? known[given] : serviceNames(services).get(given)
  if (port === undefined) throw refuse(given, suggest(given, Object.keys(known)))
  return [port]
}

function portsBetween(first: number, last: number, given: string): number[] {
  if (first > last) throw new BailiffError('config', `${quote(given)} is no range: it ends before it begins`)
  if (last - first >= maxPorts)
    throw new BailiffError('config', `${quote(given)} is more than ${maxPorts} ports; for all traffic write ports: all`)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function checked(port: number, given: unknown): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw refuse(given)
}

function refuse(given: unknown, meant?: string): BailiffError {
  const allowed = 'ports are numbers from 1 to 65535, names like ssh or https, ranges like 6000-6010, or all'
  return new BailiffError('config', `${quote(given)} is no port; ${meant ? `did you mean ${meant}?` : allowed}`)
}

/** The names and aliases of services(5); the first port of a name counts. Empty where the file cannot be read. */
function serviceNames(file: string): ReadonlyMap<string, number> {
  const names = new Map<string, number>()
  for (const line of readText(file).split('\n')) {
    const [name, port, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    const number = Number.parseInt(port ?? '', 10)
    if (name === undefined || !(number >= 1 && number <= 65_535)) continue
    for (const word of [name, ...aliases]) if (!names.has(word)) names.set(word, number)
  }
  return names
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
