/**
 * /etc/bailiff/firewall.conf, the only configuration of the firewall helper. It belongs to root, so that
 * an agent that somebody has taken over can change neither whom the helper spares nor what it runs:
 *
 *     # comment
 *     backend = netlink
 *     never-ban = 192.0.2.0/24
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { parsePrefix, type Prefix } from '../address.ts'

export const firewallConfPath = '/etc/bailiff/firewall.conf'

/** What the helper can be told to change the firewall with; `auto`: netlink where it can, else the program nft. */
export const backendNames = ['auto', 'netlink', 'nft'] as const
export type BackendName = (typeof backendNames)[number]

export interface FirewallConf {
  readonly backend: BackendName
  /** Prefixes of which no address may be banned. */
  readonly neverBan: readonly Prefix[]
}

/** What was read, and what is wrong with it, for people, each with its place. */
export interface FirewallConfReading<Conf = FirewallConf> {
  readonly conf: Conf
  readonly problems: readonly string[]
}

/** What holds where there is no file. */
export const usualFirewallConf: FirewallConf = { backend: 'auto', neverBan: [] }

const largestBytes = 256 * 1024
const mostPrefixes = 10_000
/** A file that is nonsense is told of once, not line by line. */
const mostProblems = 20

/** Reads the text. A line that is wrong is told, with its number, and left out; the other lines hold. Never throws. */
export function parseFirewallConf(text: string, file: string = firewallConfPath): FirewallConfReading {
  const neverBan = new Set<Prefix>()
  const problems: string[] = []
  let backend: BackendName = 'auto'
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, key = '', value = ''] = /^([^=]*?)\s*=\s*(.*)$/.exec(line.replace(/#.*/, '').trim()) ?? []
    const problem = (what: string) => problems.push(`${file}:${index + 1}: ${what}`)
    if (key === 'never-ban') {
      const prefix = parsePrefix(value)
      if (prefix === null) problem(`${quoted(value)} is no address and no prefix like 192.0.2.0/24 or 2001:db8::/32`)
      else if (neverBan.size < mostPrefixes) neverBan.add(prefix)
      else problem(`more than ${mostPrefixes} prefixes; this one is left out`)
    } else if (key === 'backend') {
      const found = backendNames.find((name) => name === value)
      if (found === undefined) problem(`backend is ${quoted(value)}; it can be ${backendNames.join(', ')}`)
      else backend = found
    } else if (!/^\s*(?:#|$)/.test(line)) {
      problem(`${quoted(line)} is neither "backend = …" nor "never-ban = PREFIX" nor a # comment`)
    }
  }
  const more = problems.length - mostProblems
  const told = more > 0 ? [...problems.slice(0, mostProblems), `${file}: ${more} more lines are wrong`] : problems
  return { conf: { backend, neverBan: [...neverBan] }, problems: told }
}

/**
 * Reads the file. Where there is none, the usual holds. Where it is refused (others than its owner,
 * root, may write it, or it cannot be read) `conf` is null and `problems` says why. Never throws.
 */
export function readFirewallConf(path = firewallConfPath, owner = 0): FirewallConfReading<FirewallConf | null> {
  let descriptor: number
  try {
    // A FIFO in its place must not hang the helper.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { conf: usualFirewallConf, problems: [] }
    return refused(
      path,
      `it cannot be opened (${codeOf(error)}); the firewall helper must be able to read it: chmod 644`,
    )
  }
  try {
    const wrong = objection(fstatSync(descriptor), owner)
    return wrong === null ? parseFirewallConf(whole(descriptor), path) : refused(path, wrong)
  } catch (error) {
    return refused(path, `it cannot be read (${codeOf(error)})`)
  } finally {
    closeSync(descriptor)
  }
}

function objection(stats: Stats, owner: number): string | null {
  if (!stats.isFile()) return 'it is no plain file'
  if (stats.uid !== owner) return `it belongs to the user ${stats.uid} and must belong to root: chown root`
  if ((stats.mode & 0o022) !== 0) return 'others than root may write it: chmod go-w'
  return stats.size > largestBytes ? `it is larger than ${largestBytes} bytes` : null
}

function refused(path: string, why: string) {
  return { conf: null, problems: [`${path} is refused: ${why}`] }
}

function whole(descriptor: number): string {
  const bytes = Buffer.alloc(largestBytes)
  return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, largestBytes, 0))
}

/** Printable, and not longer than a line of a log should be. */
const quoted = (text: string) => JSON.stringify(text.slice(0, 80)).replace(/[^ -~]/g, '?')

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))
