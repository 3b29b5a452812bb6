/**
 * Whom nobody may ban, as this machine is now: its own addresses and the broadcast addresses of its
 * networks, the next hops of its routes, its name servers, and what root wrote into firewall.conf.
 * Without them the machine is cut off, and some of them look like attackers behind a proxy.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { parseAddress, type Prefix } from '../address.ts'
import { firewallConfPath, readFirewallConf } from './firewall-conf.ts'
import { broadcastOf, readResolvers, readRoutes4, readRoutes6 } from './system-addresses.ts'

export type SparedReason = 'own' | 'broadcast' | 'gateway' | 'resolver' | 'never-ban'

/** A prefix of which no address may be banned, and why. */
export interface Spared {
  readonly prefix: Prefix
  readonly reason: SparedReason
}

/** Where it is read. Tests have files of their own. */
export interface NeverBannedPlaces {
  /** As /proc/net/route; of the network namespace of the process, so not behind a fixed id of a process. */
  readonly routes4: string
  readonly routes6: string
  readonly resolvers: readonly string[]
  readonly conf: string
  /** To whom the file `conf` must belong. */
  readonly owner: number
  readonly interfaces: typeof networkInterfaces
}

/** `self`, since /proc may hold nothing but processes where the unit is hardened. The second list of resolvers has those that systemd-resolved asks. */
const usualPlaces: NeverBannedPlaces = {
  routes4: '/proc/self/net/route',
  routes6: '/proc/self/net/ipv6_route',
  resolvers: ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'],
  conf: firewallConfPath,
  owner: 0,
  interfaces: networkInterfaces,
}

/** A list is believed so long, and longer where reading takes long: at most a half per cent of the time goes into it. */
const freshForMs = 3000
const restPerReading = 200

/** The routes of the whole internet are about ten times as much; see `#text`. */
const largestBytes = 16 * 1024 * 1024

/** Keeps the list up to date. */
export class NeverBanned {
  readonly #places: NeverBannedPlaces
  readonly #warn: (message: string) => void
  readonly #callbacks: (() => void)[] = []
  /** What was told already, so that nothing is told at every reading. */
  #told: ReadonlySet<string> = new Set()
  #list: readonly Spared[] = []
  #key = ''
  /** What the last good firewall.conf said. */
  #configured: readonly Prefix[] = []
  #own: readonly Spared[] = []
  #readAt = -Infinity
  #tookMs = 0
  #timer: NodeJS.Timeout | undefined

  /** `warn` is told once of each thing that is wrong, in words for people. */
  constructor(places: Partial<NeverBannedPlaces> = {}, warn: (message: string) => void = () => {}) {
    this.#places = { ...usualPlaces, ...places }
    this.#warn = warn
  }

  /**
   * The list at `now` (of `performance.now()`, which a caller with a million questions asks once), at
   * most a few seconds old. The same object as long as nothing has changed. Never throws.
   */
  at(now: number): readonly Spared[] {
    if (now - this.#readAt >= this.#pauseMs) this.#read()
    return this.#list
  }

  /** From now on looks by itself, and calls back after the list has changed. */
  onChange(callback: () => void): void {
    this.#callbacks.push(callback)
    if (this.#timer === undefined) this.#lookLater()
  }

  /** Looks no more by itself. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  get #pauseMs(): number {
    return Math.max(freshForMs, restPerReading * this.#tookMs)
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      this.at(performance.now())
      this.#lookLater()
    }, this.#pauseMs)
    this.#timer.unref()
  }

  #read(): void {
    const started = performance.now()
    const problems: string[] = []
    const list = this.#readAll(problems)
    for (const problem of problems) if (!this.#told.has(problem)) this.#warn(problem)
    this.#told = new Set(problems)
    this.#readAt = performance.now()
    this.#tookMs = this.#readAt - started
    const key = JSON.stringify(list)
    if (key === this.#key) return
    const first = this.#key === ''
    this.#key = key
    this.#list = list
    if (!first) for (const callback of this.#callbacks) callback()
  }

  #readAll(problems: string[]): Spared[] {
    const { routes4, routes6, resolvers, conf, owner } = this.#places
    const text = (path: string) => textOf(path, problems)
    const read = readFirewallConf(conf, owner)
    problems.push(...read.problems)
    // Of a file that is refused the last good version holds: whoever spoils it must not get anybody banned.
    if (read.conf !== null) this.#configured = read.conf.neverBan
    return [
      ...this.#ofInterfaces(problems),
      ...as('gateway', [...readRoutes4(text(routes4)), ...readRoutes6(text(routes6))]),
      ...as(
        'resolver',
        resolvers.flatMap((path) => readResolvers(text(path))),
      ),
      ...as('never-ban', this.#configured),
    ]
  }

  #ofInterfaces(problems: string[]): readonly Spared[] {
    try {
      this.#own = ofInterfaces(this.#places.interfaces())
    } catch (error) {
      problems.push(`the addresses of this machine cannot be read: ${String(error)}`)
    }
    return this.#own
  }
}

function ofInterfaces(interfaces: ReturnType<typeof networkInterfaces>): Spared[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? [])
  const own = all.map(({ address }) => parseAddress(address.replace(/%.*/, ''))).filter((each) => each !== null)
  const broadcasts = all.map(({ address, cidr }) => {
    const parsed = parseAddress(address)
    return parsed === null ? null : broadcastOf(parsed, Number(cidr?.replace(/^.*\//, '')))
  })
  return [
    ...as('own', own),
    ...as(
      'broadcast',
      broadcasts.filter((each) => each !== null),
    ),
  ]
}

const as = (reason: SparedReason, prefixes: readonly Prefix[]): Spared[] =>
  prefixes.map((prefix) => ({ prefix, reason }))

/** What the file holds; nothing where there is none. Of a text that is too long the rest is left out, and told. */
function textOf(path: string, problems: string[]): string {
  try {
    const descriptor = openSync(path, 'r')
    try {
      const text = upTo(descriptor, largestBytes)
      if (text.length === largestBytes)
        problems.push(
          `${path} is longer than ${largestBytes} bytes; only that much of it is read to learn whom not to ban`,
        )
      return text
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return ''
  }
}

/** Files of /proc do not tell how long they are. */
function upTo(descriptor: number, most: number): string {
  const chunks: Buffer[] = []
  for (let length = 0; length < most;) {
    const chunk = Buffer.alloc(Math.min(65_536, most - length))
    const bytes = readSync(descriptor, chunk)
    if (bytes === 0) break
    chunks.push(chunk.subarray(0, bytes))
    length += bytes
  }
  return Buffer.concat(chunks).toString('latin1')
}
