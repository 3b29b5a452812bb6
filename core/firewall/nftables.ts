/** The backend that lets the program nft do it. */
import {
  createNft,
  findNft,
  list,
  NftError,
  type Command,
  type Nft,
  type NftFailure,
  type NftOptions,
  type Ruleset,
} from './nftables-json/index.ts'
import type { Backend, ForeignChange } from './backend.ts'
import { maxEntries } from './messages.ts'
import { NftMonitor } from './nft-monitor.ts'
import { commandsOf, readElements } from './nftables-elements.ts'
import { listedRules } from './nftables-layout.ts'
import { OwnRuns } from './own-runs.ts'
import { Patience } from './patience.ts'
import { TableBackend, ToolError, type Held, type TableTool, type ToolFailure } from './table-backend.ts'
import type { Change, Elements } from './table-changes.ts'
import { examine, table, type Found, type Sets } from './table-layout.ts'

export interface NftablesOptions extends NftOptions {
  /** How many elements a set takes. Tests want few. */
  readonly setSize?: number
}

/** A list takes nft 1 s for 100 000 elements and 60 s for a million. */
const shortestListMs = 5000
const longestListMs = 160_000

export class NftablesBackend extends TableBackend implements Backend {
  readonly #options: NftablesOptions
  readonly #runs: OwnRuns

  constructor(options: NftablesOptions = {}) {
    const runs = new OwnRuns()
    super(new NftTool({ ...options, onRun: (pid) => runs.started(pid) }))
    this.#options = options
    this.#runs = runs
  }

  watch(heard: (change: ForeignChange) => void): () => void {
    try {
      const monitor = new NftMonitor({
        command: this.#options.command ?? [findNft()],
        isOurs: (pid, program) => this.#runs.has(pid, program),
        keyOf: (set) => this.keyOf(set),
        heard,
      })
      return () => monitor.stop()
    } catch (error) {
      // Without an nft there is nothing to watch; each change says so.
      if (error instanceof NftError) return () => {}
      throw error
    }
  }
}

class NftTool implements TableTool {
  /** Older ones do not, and a run of nft takes longer than what is won. */
  readonly renewsInPlace = false
  readonly #options: NftablesOptions
  readonly #size: number
  readonly #patience = new Patience()
  #nft: Nft | undefined
  #listMs = shortestListMs

  constructor(options: NftablesOptions) {
    this.#options = options
    this.#size = options.setSize ?? maxEntries
  }

  /** Cheap whatever the sets hold. */
  async look(known: Sets): Promise<Found> {
    const { listed, rulesUnread } = await told(this.#listTerse())
    return { ...examine(listed, listedRules(listed), this.#size, known), rulesUnread }
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

  /** Carries out the changes, and once more with more patience where nft was killed for being late. */
  async apply(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    const now = performance.now()
    const commands = changes.flatMap((change) => commandsOf(change, this.#size, now))
    const elements = commands.reduce((sum, command) => sum + elementsOf(command), 0)
    const carryOut = async (deadlineMs: number) => {
      const started = performance.now()
      await this.#run(commands, { deadlineMs })
      this.#patience.took(performance.now() - started, elements)
    }
    try {
      await carryOut(this.#patience.firstMs(elements)).catch((error: unknown) => {
        if (!isLate(error)) throw error
        return carryOut(this.#patience.secondMs(elements))
      })
    } catch (error) {
      if (isLate(error)) this.#patience.late()
      throw inWordsOfTools(error)
    }
  }

  async #listTerse(): Promise<{ listed: Ruleset; rulesUnread: boolean }> {
    try {
      // All tables of the family: a terse list of one table, or of its chain, fetches all elements (nft 1.0.6).
      const all = await this.#run([list({ ruleset: { family: table.family } })], { terse: true })
      return { listed: ours(all), rulesUnread: false }
    } catch (error) {
      if (!(error instanceof NftError) || error.failure !== 'unreadable') throw error
      // nft 1.0.6 prints stray memory where any table has flags, as firewalld's may: no tables then, and no rules.
      return { listed: await this.#run(setsAndChains, { terse: true }), rulesUnread: true }
    }
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
  return answer.catch((error: unknown) => {
    throw inWordsOfTools(error)
  })
}

function inWordsOfTools(error: unknown): unknown {
  return error instanceof NftError ? new ToolError(failures[error.failure], error.message) : error
}

/** What a list of all tables says of ours. */
function ours(listed: Ruleset): Ruleset {
  const isOurs = (each: { readonly family: string; readonly table: string }) =>
    each.family === table.family && each.table === table.name
  return {
    tables: listed.tables.filter(({ name }) => name === table.name),
    chains: listed.chains.filter(isOurs),
    sets: listed.sets.filter(isOurs),
    rules: listed.rules.filter(isOurs),
    others: listed.others.filter(isOurs),
  }
}

const isLate = (error: unknown): boolean => error instanceof NftError && error.failure === 'timeout'

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
