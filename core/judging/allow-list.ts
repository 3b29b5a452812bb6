import { lookup } from 'node:dns/promises'
import { parseAddress, parsePrefix, PrefixSet, type Prefix } from '../address.ts'

/** A name is looked up again after so long: who is let in by one often has an address that changes. */
const namesAgainMs = 60_000

/** Whom a person lets in for a time, whatever the logs say. */
export interface Allow {
  /** A prefix, or the name of a host in lower case. */
  readonly subject: string
  /** Unix milliseconds. */
  readonly since: number
  /** When it ends; null: never. */
  readonly until: number | null
  /** What the subject stands for: itself, or the addresses that the name had when it was last looked up. */
  readonly prefixes: readonly Prefix[]
}

export interface AllowListOptions {
  /** A name stands for other addresses now. */
  readonly onChange: () => void
  readonly onNameFailure: (name: string, error: Error) => void
}

/** Those whom people let in. It beats every jail, every ban by hand and every list, until it ends. */
export class AllowList {
  readonly #options: AllowListOptions
  readonly #allows = new Map<string, Allow>()
  #set = new PrefixSet()
  /** By prefix, what allows it. */
  #whys: ReadonlyMap<Prefix, Allow> = new Map()
  #timer: NodeJS.Timeout | null = null
  /** Names that could not be looked up the last time. */
  readonly #failing = new Set<string>()

  constructor(options: AllowListOptions) {
    this.#options = options
  }

  /** All that hold, in the order in which they were made. */
  get allows(): readonly Allow[] {
    return [...this.#allows.values()]
  }

  /** Prefixes that are allowed now. */
  get size(): number {
    return this.#whys.size
  }

  /** Takes one up, in place of an earlier one of the same subject. */
  put(allow: Allow): void {
    this.#allows.delete(allow.subject)
    this.#allows.set(allow.subject, allow)
    this.#renew()
  }

  /** Ends one; false where there is none. */
  remove(subject: string): boolean {
    const known = this.#allows.delete(subject)
    this.#renew()
    return known
  }

  /** Ends those whose time is over at `now` (unix ms), and answers them. */
  expire(now: number): readonly Allow[] {
    const over = this.allows.filter(({ until }) => until !== null && until <= now)
    for (const { subject } of over) this.#allows.delete(subject)
    if (over.length > 0) this.#renew()
    return over
  }

  /** The clock was set by so many milliseconds: each goes on for as long as it would have. */
  shift(ms: number): void {
    for (const allow of this.allows)
      this.#allows.set(allow.subject, { ...allow, until: allow.until === null ? null : allow.until + ms })
    this.#renew()
  }

  /** Why no jail and no list bans the prefix, in words for people: some of it is allowed. Undefined: nothing of it is. */
  sparing(prefix: Prefix): string | undefined {
    if (this.#whys.size === 0) return undefined
    const allowed = this.#set.overlapping(prefix)
    const allow = allowed === undefined ? undefined : this.#whys.get(allowed)
    return allow === undefined ? undefined : inWords(allow)
  }

  /** The prefixes that are allowed now. */
  get prefixes(): readonly Prefix[] {
    return [...this.#whys.keys()]
  }

  /** Follows names from now on, until `stop`: never while a ban is decided. */
  start(): void {
    this.#timer ??= setInterval(() => void this.follow(), namesAgainMs).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Looks all names up. What a name meant before stays allowed while it cannot be looked up. */
  async follow(): Promise<void> {
    const named = this.allows.filter(({ subject }) => parsePrefix(subject) === null)
    const before = JSON.stringify(this.prefixes)
    await Promise.all(
      named.map(async ({ subject }) => {
        try {
          const prefixes = await addressesOf(subject)
          this.#failing.delete(subject)
          const now = this.#allows.get(subject)
          if (now !== undefined) this.#allows.set(subject, { ...now, prefixes })
        } catch (error) {
          if (!this.#failing.has(subject)) this.#options.onNameFailure(subject, error as Error)
          this.#failing.add(subject)
        }
      }),
    )
    this.#renew()
    if (JSON.stringify(this.prefixes) !== before) this.#options.onChange()
  }

  #renew(): void {
    const all = this.allows.flatMap((allow) => allow.prefixes.map((prefix) => [prefix, allow] as const))
    // Of several for one prefix the one that ends last says until when.
    this.#whys = new Map(all.toSorted(([, a], [, b]) => endOf(a) - endOf(b)))
    this.#set = new PrefixSet(this.#whys.keys())
  }
}

/** The addresses of a host, as this machine looks names up. Rejects with what `dns.lookup` rejects with. */
export async function addressesOf(name: string): Promise<readonly Prefix[]> {
  const found = await lookup(name, { all: true })
  const addresses = found.map(({ address }) => parseAddress(address.replace(/%.*$/, '')))
  return [...new Set(addresses.filter((address) => address !== null))]
}

function inWords({ subject, until, prefixes }: Allow): string {
  const name = prefixes.some((prefix) => prefix === subject) ? '' : ` as ${subject}`
  return until === null ? `allowed${name} for ever` : `allowed${name} until ${new Date(until).toISOString()}`
}

function endOf({ until }: Allow): number {
  return until ?? Infinity
}
