import { hostname, networkInterfaces } from 'node:os'
import { parseAddress } from '../../address.ts'
import type { HostNames } from './host-names.ts'
import type { ComparedId } from './word-set.ts'

/** Interfaces are asked again after that time. */
const holdMs = 10_000

/** The addresses of this machine: those of its interfaces, and what `localhost` and its own name mean. */
export class OwnAddresses {
  readonly #hosts: HostNames
  readonly #now: () => number
  #interfaces: ReadonlySet<string> = new Set()
  #readAt = -Infinity

  constructor(hosts: HostNames, now: () => number = () => performance.now()) {
    this.#hosts = hosts
    this.#now = now
  }

  /** The names to be followed. */
  get names(): readonly string[] {
    return ['localhost', hostname()]
  }

  /** Whether the id is one of them; `unknown` while the names have not been looked up. */
  has({ address, isNetwork }: ComparedId): boolean | 'unknown' {
    if (address === null || isNetwork) return false
    if (this.#ofInterfaces().has(address.text)) return true
    const meant = this.names.map((name) => this.#hosts.meant(name))
    if (meant.some((addresses) => addresses?.includes(address.text))) return true
    return meant.includes(null) ? 'unknown' : false
  }

  #ofInterfaces(): ReadonlySet<string> {
    const now = this.#now()
    if (now - this.#readAt < holdMs) return this.#interfaces
    this.#readAt = now
    const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
    this.#interfaces = new Set(all.flatMap(({ address }) => parseAddress(address.replace(/%.*/, '')) ?? []))
    return this.#interfaces
  }
}
