/** The backend that lets the program nft do it. */
import {
  createNft,
  list,
  NftError,
  type Command,
  type Nft,
  type NftFailure,
  type NftOptions,
  type Ruleset,
} from './nftables-json/index.ts'
import type { Entry } from './admission.ts'
import { BackendError, type Backend } from './backend.ts'
import { maxEntries, type FailureCode, type WirePorts } from './messages.ts'
import { added, bySet, difference, readElements, removed, renewed, type Elements } from './nftables-elements.ts'
import { byName, examine, mend, singleAddressSets, table, type Found, type Sets } from './nftables-layout.ts'

export interface NftablesOptions extends NftOptions {
  /** How many elements a set takes. Tests want few. */
  readonly setSize?: number
}

/** Everything about the table as the kernel has it, at one time. */
interface Held extends Found {
  readonly elements: ReadonlyMap<string, Elements>
  /** How many milliseconds the end of an element may be off: nft prints whole seconds, and took a while. */
  readonly toleranceMs: number
}

/** A change takes 5 s at most, and longer when it is large (measured: 100 000 elements a second at the worst). */
const changeMs = 5000
const changeMsEach = 0.1

/** A list takes nft 1 s for 100 000 elements and 60 s for a million. */
const shortestListMs = 5000
const longestListMs = 160_000

export class NftablesBackend implements Backend {
  readonly #options: NftablesOptions
  readonly #size: number
  #nft: Nft | undefined
  #declared: Sets = new Map()
  /** The sets that the kernel has, as far as known; null where that must be asked. */
  #present: Sets | null = null
  #listMs = shortestListMs

  constructor(options: NftablesOptions = {}) {
    this.#options = options
    this.#size = options.setSize ?? maxEntries
  }

  async declare(ports: readonly WirePorts[]): Promise<void> {
    const declared = byName(ports.flatMap(singleAddressSets))
    await this.#again(async () => {
      this.#declared = new Map([...this.#declared, ...declared])
      await this.#apply(await this.#made(new Map()))
    })
  }

  async add(entries: readonly Entry[]): Promise<void> {
    const groups = bySet(entries)
    await this.#again(async () => {
      const sets = keysOf(groups)
      const missing = [...sets.keys()].some((name) => this.#present?.has(name) !== true)
      const made = missing ? await this.#made(sets) : []
      const now = performance.now()
      const commands = (make: typeof added) => [...groups].flatMap(([name, { elements }]) => make(name, elements, now))
      const apply = (make: typeof added) => this.#apply([...made, ...commands(make)])
      // Most bans are new ones, and for those alone the cheaper way is enough.
      await apply(added).catch(async (error: unknown) => {
        if (!(error instanceof NftError) || error.failure !== 'exists') throw error
        await apply(renewed)
      })
    })
  }

  async del(entries: readonly Entry[]): Promise<void> {
    const groups = bySet(entries)
    const remove = async (there: (name: string, address: string) => boolean) => {
      const commands = [...groups].flatMap(([name, { elements }]) =>
        removed(
          name,
          [...elements.keys()].filter((address) => there(name, address)),
        ),
      )
      await this.#apply(commands)
    }
    await this.#again(async () => {
      const present = this.#present ?? (await this.#look()).sets
      this.#present = present
      await remove((name) => present.has(name)).catch(async (error: unknown) => {
        // A full set has no room for adding what is to be deleted, so only what is there is named.
        if (!(error instanceof NftError) || error.failure !== 'set-full') throw error
        const { elements } = await this.#held()
        await remove((name, address) => elements.get(name)?.has(address) === true)
      })
    })
  }

  async sync(entries: readonly Entry[]): Promise<void> {
    const groups = bySet(entries)
    await this.#again(async () => {
      const held = await this.#held()
      const wanted = new Map([...this.#declared, ...keysOf(groups)])
      const same = held.sound && held.ruled && held.nameless.length === 0 && sameKeys(wanted, held.sets)
      const commands = same ? [] : mend(held, wanted, this.#size)
      const now = performance.now()
      for (const name of wanted.keys()) {
        const before: Elements = (held.sound ? held.elements.get(name) : undefined) ?? new Map()
        commands.push(...difference(name, before, groups.get(name)?.elements ?? new Map(), held.toleranceMs, now))
      }
      await this.#apply(commands)
      this.#present = wanted
    })
  }

  async list(): Promise<readonly Entry[]> {
    return this.#again(async () => {
      const { sets, elements } = await this.#held()
      return [...sets].flatMap(([name, key]) =>
        Array.from(elements.get(name) ?? [], ([address, endsAt]) => ({ ...key, address, endsAt })),
      )
    })
  }

  /** The commands that make the declared sets and these, keeping all others, and mend what is not as it should be. */
  async #made(sets: Sets): Promise<Command[]> {
    let found: Found = await this.#look()
    let elements: ReadonlyMap<string, Elements> = new Map()
    if (!found.sound || found.nameless.length > 0) {
      const held = await this.#held()
      found = held
      if (!held.sound) elements = held.elements
    }
    const wanted = new Map([...this.#declared, ...found.sets, ...sets])
    const kept = { ...found, nameless: [] }
    const now = performance.now()
    this.#present = wanted
    return [...mend(kept, wanted, this.#size), ...[...elements].flatMap(([name, each]) => added(name, each, now))]
  }

  /** The sets without their elements, and the chain without its rules: cheap whatever the sets hold. */
  async #look(): Promise<Found> {
    // No list of tables: nft 1.0.6 prints stray memory where any of them has flags, as firewalld's may.
    return examine(await this.#run(setsAndChains, { terse: true }), this.#size, this.#declared)
  }

  /** The table with all its elements. */
  async #held(): Promise<Held> {
    const started = performance.now()
    const listed = await this.#listTable()
    const took = performance.now() - started
    const found = examine(listed, this.#size, this.#declared)
    const elements = new Map<string, Elements>()
    for (const { name, elements: listedElements } of listed.sets) {
      if (found.sets.has(name)) elements.set(name, readElements(listedElements, started + took / 2))
    }
    return { ...found, elements, toleranceMs: 3000 + took / 2 }
  }

  /** Lists the table; its deadline follows what the last list took, and grows after one that was too short. */
  async #listTable(): Promise<Ruleset> {
    const started = performance.now()
    try {
      const listed = await this.#run([list({ table })], { deadlineMs: this.#listMs })
      this.#listMs = Math.min(longestListMs, Math.max(shortestListMs, 4 * (performance.now() - started)))
      return listed
    } catch (error) {
      if (!(error instanceof NftError)) throw error
      if (error.failure === 'timeout') this.#listMs = Math.min(longestListMs, 4 * this.#listMs)
      if (error.failure === 'missing-object') return nothing
      if (error.failure !== 'unreadable') throw error
      // Our table has flags, which it should not: read the rest of it.
      const listed = await this.#run(setsAndChains, { deadlineMs: this.#listMs })
      return { ...listed, tables: [{ ...table, flags: ['unreadable'] }] }
    }
  }

  async #apply(commands: readonly Command[]): Promise<void> {
    if (commands.length === 0) return
    const elements = commands.reduce((sum, command) => sum + elementsOf(command), 0)
    await this.#run(commands, { deadlineMs: changeMs + elements * changeMsEach })
  }

  #run(commands: readonly Command[], options: { deadlineMs?: number; terse?: boolean }): Promise<Ruleset> {
    this.#nft ??= createNft(this.#options)
    return this.#nft(commands, options)
  }

  /** Does the work; once more, after a new look, where somebody else changed the table meanwhile. */
  async #again<Result>(work: () => Promise<Result>, retries = 1): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      this.#present = null
      if (!(error instanceof NftError)) throw error
      if (retries > 0 && changedMeanwhile.includes(error.failure)) return this.#again(work, retries - 1)
      throw new BackendError(codes[error.failure] ?? 'failed', error.message)
    }
  }
}

const setsAndChains: readonly Command[] = [
  list({ sets: { family: table.family } }),
  list({ chains: { family: table.family } }),
]

const nothing: Ruleset = { tables: [], chains: [], sets: [], rules: [], others: [] }

const changedMeanwhile: readonly NftFailure[] = ['missing-object', 'missing-element', 'exists', 'busy']

/** How many elements a command carries. */
function elementsOf(command: Command): number {
  return Object.values(command).reduce((sum, what) => sum + ('element' in what ? what.element.elem.length : 0), 0)
}

const keysOf = (groups: ReturnType<typeof bySet>): Sets => byName([...groups.values()].map(({ key }) => key))

function sameKeys(one: Sets, other: Sets): boolean {
  return one.size === other.size && [...one.keys()].every((name) => other.has(name))
}

const codes: Partial<Record<NftFailure, FailureCode>> = {
  'not-found': 'no-nft',
  'no-permission': 'no-permission',
  'set-full': 'set-full',
  timeout: 'timeout',
}
