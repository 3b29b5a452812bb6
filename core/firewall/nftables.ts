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
import { maxEntries } from './messages.ts'
import { commandsOf, readElements } from './nftables-elements.ts'
import { listedRules } from './nftables-layout.ts'
import { TableBackend, ToolError, type Held, type TableTool, type ToolFailure } from './table-backend.ts'
import type { Change, Elements } from './table-changes.ts'
import { examine, table, type Found, type Sets } from './table-layout.ts'

export interface NftablesOptions extends NftOptions {
  /** How many elements a set takes. Tests want few. */
  readonly setSize?: number
}

/** A change takes 5 s at most, and longer when it is large (measured: 100 000 elements a second at the worst). */
const changeMs = 5000
const changeMsEach = 0.1

/** A list takes nft 1 s for 100 000 elements and 60 s for a million. */
const shortestListMs = 5000
const longestListMs = 160_000

export class NftablesBackend extends TableBackend {
  constructor(options: NftablesOptions = {}) {
    super(new NftTool(options))
  }
}

class NftTool implements TableTool {
  /** Older ones do not, and a run of nft takes longer than what is won. */
  readonly renewsInPlace = false
  readonly #options: NftablesOptions
  readonly #size: number
  #nft: Nft | undefined
  #listMs = shortestListMs

  constructor(options: NftablesOptions) {
    this.#options = options
    this.#size = options.setSize ?? maxEntries
  }

  /** The sets without their elements, and the chain without its rules: cheap whatever the sets hold. */
  async look(known: Sets): Promise<Found> {
    // No list of tables: nft 1.0.6 prints stray memory where any of them has flags, as firewalld's may.
    const listed = await told(this.#run(setsAndChains, { terse: true }))
    return examine(listed, listedRules(listed), this.#size, known)
  }

  /** nft lists the table as a whole, so nothing is won by leaving out one set. */
  async hold(known: Sets): Promise<Held> {
    const started = performance.now()
    const listed = await told(this.#listTable())
    const took = performance.now() - started
    const found = examine(listed, listedRules(listed), this.#size, known)
    const elements = new Map<string, Elements>()
    for (const { name, elements: listedElements } of listed.sets) {
      if (found.sets.has(name)) elements.set(name, readElements(listedElements, started + took / 2))
    }
    // nft prints whole seconds, and took a while.
    return { ...found, elements, toleranceMs: 3000 + took / 2 }
  }

  async apply(changes: readonly Change[]): Promise<void> {
    const now = performance.now()
    const commands = changes.flatMap((change) => commandsOf(change, this.#size, now))
    const elements = commands.reduce((sum, command) => sum + elementsOf(command), 0)
    await told(this.#run(commands, { deadlineMs: changeMs + elements * changeMsEach }))
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

  #run(commands: readonly Command[], options: { deadlineMs?: number; terse?: boolean }): Promise<Ruleset> {
    this.#nft ??= createNft(this.#options)
    return this.#nft(commands, options)
  }
}

const setsAndChains: readonly Command[] = [
  list({ sets: { family: table.family } }),
  list({ chains: { family: table.family } }),
]

const nothing: Ruleset = { tables: [], chains: [], sets: [], rules: [], others: [] }

/** How many elements a command carries. */
function elementsOf(command: Command): number {
  return Object.values(command).reduce((sum, what) => sum + ('element' in what ? what.element.elem.length : 0), 0)
}

/** What nft answered, or its failure in the words of tools. */
async function told<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer
  } catch (error) {
    throw error instanceof NftError ? new ToolError(failures[error.failure], error.message) : error
  }
}

const failures: Readonly<Record<NftFailure, ToolFailure>> = {
  'not-found': 'no-nft',
  'no-permission': 'no-permission',
  timeout: 'timeout',
  'missing-object': 'missing',
  'missing-element': 'missing',
  'set-full': 'set-full',
  exists: 'exists',
  busy: 'busy',
  'too-large': 'failed',
  unreadable: 'failed',
  failed: 'failed',
}
