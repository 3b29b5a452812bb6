import { lookup } from 'node:dns/promises'
import { isHostName, parseAddress, type Address } from '../../address.ts'
import { TimedCache } from './timed-cache.ts'

/** As Fail2ban keeps them. */
const maxNames = 1000
const holdMs = 5 * 60_000
/**
 * Look-ups at once. They run in threads that the whole process shares; libuv gives them two of the four, so that files
 * are read whatever a name server does.
 */
const atOnce = 2
/** Names that wait for their look-up, how long one may take, and how long a name waits in all. */
const maxWaiting = 1000
const lookupMs = 15_000
const waitMs = 60_000

/** Looks one name up: its addresses as text. */
export type Lookup = (name: string) => Promise<readonly string[]>

interface Waiting {
  readonly name: string
  readonly since: number
  readonly found: (addresses: readonly Address[]) => void
}

/**
 * The addresses of host names, beside the work: cached for five minutes, a few look-ups at once, none waited for without
 * end. Names of `ignoreip` are followed: looked up before the others, again every five minutes, and what they meant last
 * holds until they mean something else.
 */
export class HostNames {
  readonly #lookup: Lookup
  readonly #warn: (message: string) => void
  readonly #cache = new TimedCache<readonly Address[]>(maxNames, holdMs)
  readonly #under = new Map<string, Promise<readonly Address[]>>()
  readonly #queue: Waiting[] = []
  readonly #followed = new Map<string, readonly Address[] | null>()
  #running = 0
  #timer: NodeJS.Timeout | null = null

  constructor(warn: (message: string) => void, lookUp: Lookup = systemLookup) {
    this.#warn = warn
    this.#lookup = lookUp
  }

  /** The addresses of a name that was looked up lately; undefined: it has to be asked for. */
  known(name: string): readonly Address[] | undefined {
    return this.#cache.get(name)
  }

  /** The addresses of a name, none where it has none or nobody answers in time. Never rejects. */
  async addresses(name: string): Promise<readonly Address[]> {
    return this.known(name) ?? (await this.#ask(name, false))
  }

  /** Follows these names and no others. */
  follow(names: Iterable<string>): void {
    const wanted = new Set(names)
    for (const name of this.#followed.keys()) if (!wanted.has(name)) this.#followed.delete(name)
    for (const name of wanted) {
      if (this.#followed.has(name)) continue
      this.#followed.set(name, null)
      void this.#refresh(name)
    }
    if (wanted.size === 0) return this.stop()
    this.#timer ??= setInterval(() => {
      for (const name of this.#followed.keys()) void this.#refresh(name)
    }, holdMs).unref()
  }

  /** What a followed name means; null while its first look-up is under way. */
  meant(name: string): readonly Address[] | null {
    return this.#followed.get(name) ?? null
  }

  /** Resolves when the name, which is followed, has been looked up once. */
  async followed(name: string): Promise<void> {
    if (this.#followed.get(name) === null) await this.#refresh(name)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  async #refresh(name: string): Promise<void> {
    const found = await this.#ask(name, true)
    if (!this.#followed.has(name)) return
    // A name server that fails must not get anybody banned.
    if (found.length > 0 || this.#followed.get(name) === null) this.#followed.set(name, found)
  }

  #ask(name: string, first: boolean): Promise<readonly Address[]> {
    const known = this.#under.get(name)
    if (known !== undefined) return known
    if (!isHostName(name)) return Promise.resolve([])
    if (this.#queue.length >= maxWaiting && !first) {
      this.#warn(`more than ${maxWaiting} names wait for the name server: ${name} is not looked up`)
      return Promise.resolve([])
    }
    const asked = new Promise<readonly Address[]>((found) => {
      const waiting = { name, since: performance.now(), found }
      if (first) this.#queue.unshift(waiting)
      else this.#queue.push(waiting)
    })
    this.#under.set(name, asked)
    void asked.then(() => this.#under.delete(name))
    this.#next()
    return asked
  }

  #next(): void {
    while (this.#running < atOnce) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) return
      if (performance.now() - waiting.since > waitMs) {
        this.#warn(`the name server is slow: ${waiting.name} was not looked up within ${waitMs / 1000} s`)
        waiting.found([])
      } else void this.#run(waiting)
    }
  }

  /** The place of a look-up is free when it has ended, however late; who waits is told in time. */
  async #run({ name, found }: Waiting): Promise<void> {
    this.#running++
    const timer = setTimeout(() => {
      this.#warn(`the name ${name} could not be looked up within ${lookupMs / 1000} s`)
      this.#cache.set(name, [])
      found([])
    }, lookupMs).unref()
    const addresses = await this.#addressesNow(name)
    clearTimeout(timer)
    this.#cache.set(name, addresses)
    this.#running--
    found(addresses)
    this.#next()
  }

  async #addressesNow(name: string): Promise<readonly Address[]> {
    try {
      const texts = await this.#lookup(name)
      return [...new Set(texts.map(parseAddress).filter((address) => address !== null))]
    } catch (error) {
      this.#warn(`Unable to find a corresponding IP address for ${name}: ${(error as Error).message}`)
      return []
    }
  }
}

async function systemLookup(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address)
}
