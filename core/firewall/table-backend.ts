/** Keeps the table of Bailiff as it should be. How its changes reach the kernel is a tool's. */
import type { Entry } from './admission.ts'
import { BackendError, type Backend, type Entered } from './backend.ts'
import { maxSets, type FailureCode, type WirePorts } from './messages.ts'
import { isWide, readSetName, type SetKey } from './set-names.ts'
import {
  bySet,
  byAddress,
  countDistinct,
  difference,
  distinct,
  type Change,
  type Element,
  type Elements,
  type Group,
} from './table-changes.ts'
import { byName, mend, singleAddressSets, type Found, type Sets } from './table-layout.ts'

/** The table with its elements, as the kernel has it at one time. */
export interface Held extends Found {
  /** By set. */
  readonly elements: ReadonlyMap<string, Elements>
  /** How many milliseconds the end of an element may be off. */
  readonly toleranceMs: number
}

/** Why a tool failed. `changed`: somebody else changed the ruleset since the generation that was given. */
export type ToolFailure = FailureCode | 'missing' | 'exists' | 'busy' | 'changed'

/** A failure of a tool, of which nothing was done, except perhaps after `timeout`. */
export class ToolError extends Error {
  readonly failure: ToolFailure

  constructor(failure: ToolFailure, message: string) {
    super(message)
    this.name = 'ToolError'
    this.failure = failure
  }
}

/** A way to the kernel. All that fails is a `ToolError`. One call at a time. */
export interface TableTool {
  /** Whether putting an element that is there gives it its new time: on kernels from 6.12 on. */
  readonly renewsInPlace: boolean
  /** The table without its elements. `known` are sets whose ports need not be read. */
  look(known: Sets): Promise<Found>
  /**
   * The table with the elements of the sets that are asked for; a tool may give more. `count` is how
   * many elements a set has, where the tool knows that beforehand.
   */
  hold(known: Sets, asked: (name: string, count: number | undefined) => boolean): Promise<Held>
  /**
   * One transaction, or several in order where there are more elements than the tool thinks right for
   * one. With a generation it fails with `changed` where the ruleset has another one by now.
   */
  apply(changes: readonly Change[], generation?: number): Promise<void>
}

/**
 * A set with so many elements is listed and compared only where its count says that it has too many: the
 * kernel begins a list from the start for each piece of it, so n elements take the square of n (a million:
 * a minute). Kernels that tell the count (6.17) renew times by themselves, so all are put there instead.
 */
const longByDefault = 200_000
/** A long set that is to become so many times shorter is made again, which is one transaction. */
const muchShorter = 10

/**
 * Nobody lists a long set for the sake of so few elements, as a killed agent leaves them: their lines are read again,
 * and they end by themselves.
 */
const fewBeyond = 1000

/** How often a call is tried again after others changed the table, or any other, meanwhile. */
const retries = 3

/** The backend over a tool. */
export class TableBackend implements Backend {
  readonly #tool: TableTool
  readonly #longFrom: number
  #declared: Sets = new Map()
  /** The sets that the kernel has, as far as known; null where that must be asked. */
  #present: Sets | null = null

  /** Sets with `longFrom` elements are not compared one by one where the tool can do without. */
  constructor(tool: TableTool, longFrom = longByDefault) {
    this.#tool = tool
    this.#longFrom = longFrom
  }

  async declare(ports: readonly WirePorts[]): Promise<void> {
    const before = this.#declared
    const declared = byName(ports.flatMap(singleAddressSets))
    await this.again(async (basis) => {
      this.#declared = new Map([...before, ...declared])
      const { changes, generation } = await this.#made(new Map()).catch((error: unknown) => {
        if (error instanceof BackendError) this.#declared = before
        throw error
      })
      if (changes.length > 0) await this.#tool.apply(changes, basis(generation))
    })
  }

  async add(entries: readonly Entry[]): Promise<void> {
    const groups = await bySet(entries)
    await this.again(async (basis) => {
      const sets = keysOf(groups)
      const missing = [...sets.keys()].some((name) => this.#present?.has(name) !== true)
      const made = missing ? await this.#made(sets) : { changes: [] }
      const apply = (make: (name: string, group: Group) => Change) =>
        this.#tool.apply(
          [...made.changes, ...Array.from(groups, ([name, group]) => make(name, group))],
          basis(made.generation),
        )
      if (this.#tool.renewsInPlace) return apply(put)
      // Most bans are new ones, and for those alone the cheaper way is enough.
      await apply(created).catch(async (error: unknown) => {
        if (failureOf(error) !== 'exists') throw error
        await apply(renewed)
      })
    })
  }

  async del(entries: readonly Entry[]): Promise<void> {
    const groups = await bySet(entries)
    const remove = async (there: (name: string, address: string) => boolean) => {
      const changes = [...groups].flatMap(([name, group]) => removed(name, group, (address) => there(name, address)))
      if (changes.length > 0) await this.#tool.apply(changes)
    }
    await this.again(async () => {
      const present = this.#present ?? (await this.#tool.look(this.#declared)).sets
      this.#present = present
      await remove((name) => present.has(name)).catch(async (error: unknown) => {
        // A full set has no room for adding what is to be deleted, so only what is there is named.
        if (failureOf(error) !== 'set-full') throw error
        const { elements } = await this.#tool.hold(this.#declared, (name) => groups.has(name))
        await remove((name, address) => elements.get(name)?.has(address) === true)
      })
    })
  }

  async sync(entries: readonly Entry[], ports?: readonly WirePorts[], entered: Entered = nothing): Promise<void> {
    const groups = await bySet(entries)
    if (ports !== undefined) this.#declared = byName(ports.flatMap(singleAddressSets))
    const elementsOf = (name: string) => groups.get(name)?.elements ?? []
    await this.again(async (basis, attempt) => {
      const held = await this.#tool.hold(this.#declared, (name, count = 0) => {
        const key = readSetName(name)
        if (entered.keys.has(name)) return count === 0 || count > this.#bearable(entered.count(name))
        return count < this.#longFrom || (key !== null && isWide(key))
      })
      checkEntered(entered, held)
      const wanted = new Map([...this.#declared, ...keysOf(groups), ...entered.keys])
      const isUnlisted = (name: string) => wanted.has(name) && !held.elements.has(name) && !entered.keys.has(name)
      const unlisted = held.sound ? [...held.sets.keys()].filter(isUnlisted) : []
      const emptied = unlisted.filter((name) => elementsOf(name).length <= this.#longFrom / muchShorter)
      const long = unlisted.filter((name) => !emptied.includes(name))
      const same = held.sound && held.ruled && held.nameless.length === 0 && sameKeys(wanted, held.sets)
      const changes: Change[] = same && emptied.length === 0 ? [] : mend(held, wanted, emptied)
      for (const name of wanted.keys()) {
        const before = held.sound ? held.elements.get(name) : undefined
        const elements = elementsOf(name)
        if (entered.keys.has(name)) changes.push(...beyond(name, before, entered))
        else if (before !== undefined && before.size > 0) {
          changes.push(...difference(name, before, byAddress(elements), held.toleranceMs))
        } else if (long.includes(name)) changes.push({ do: 'put', name, elements })
        // In a long list nobody looks for what comes twice until the kernel says that something does.
        else if (elements.length > 0) changes.push(created(name, { elements }, attempt > 0))
      }
      // Where it takes several transactions and ends in the middle, wide prefixes of before are gone before new ones come.
      changes.sort((one, other) => rankOf(one) - rankOf(other))
      if (changes.length > 0) await this.#tool.apply(changes, basis(held.generation))
      if (long.length > 0) await this.#shorten(long, elementsOf)
      this.#present = wanted
    })
  }

  /** Removes from long sets, which have all wanted elements, those that they have beyond. */
  async #shorten(long: readonly string[], elementsOf: (name: string) => readonly Element[]): Promise<void> {
    const sizes = new Map<string, number>()
    for (const name of long) sizes.set(name, await countDistinct(elementsOf(name)))
    const held = await this.#tool.hold(this.#declared, (name, count = 0) => count > (sizes.get(name) ?? count))
    const changes = long.flatMap((name) => {
      const before = held.elements.get(name)
      return before === undefined ? [] : difference(name, before, byAddress(elementsOf(name)), held.toleranceMs)
    })
    if (changes.length > 0) await this.#tool.apply(changes)
  }

  async list(known = 0): Promise<readonly Entry[]> {
    const asked = (_: string, count = 0) => known === 0 || count < this.#longFrom || count > known + fewBeyond
    return this.again(async () => {
      const { sets, elements } = await this.#tool.hold(this.#declared, asked)
      return [...sets].flatMap(([name, key]) =>
        Array.from(elements.get(name) ?? [], ([address, endsAt]) => ({ ...key, address, endsAt })),
      )
    })
  }

  /** What a set may hold where so many are wanted in it, before it is worth a list. */
  #bearable(wanted: number): number {
    return wanted < this.#longFrom ? wanted : wanted + fewBeyond
  }

  async sound(): Promise<boolean> {
    return this.again(async () => {
      const found = await this.#tool.look(this.#declared)
      const present = [...this.#declared.keys(), ...(this.#present?.keys() ?? [])]
      return (
        isWhole({ ...found, ruled: found.ruled || found.rulesUnread === true }) &&
        present.every((name) => found.sets.has(name))
      )
    })
  }

  /** What a set holds, by its name, where that is known. */
  protected keyOf(name: string): SetKey | undefined {
    return this.#present?.get(name) ?? this.#declared.get(name)
  }

  /** What makes the declared sets and these, keeps all others, and mends what is not as it should be. */
  async #made(sets: Sets): Promise<{ changes: Change[]; generation?: number }> {
    let found: Found = await this.#tool.look(this.#declared)
    let elements: ReadonlyMap<string, Elements> = new Map()
    if (!found.sound || found.nameless.length > 0) {
      const held = await this.#tool.hold(this.#declared, () => true)
      found = held
      if (!held.sound) elements = held.elements
    }
    const wanted = new Map([...this.#declared, ...found.sets, ...sets])
    checkCount(wanted, found.sets)
    this.#present = wanted
    if (isWhole(found) && sameKeys(wanted, found.sets)) return { changes: [] }
    const kept = [...elements].flatMap(([name, each]) => {
      return wanted.has(name) ? difference(name, new Map(), each, 0) : []
    })
    const changes = [...mend({ ...found, nameless: [] }, wanted), ...kept]
    return found.generation === undefined ? { changes } : { changes, generation: found.generation }
  }

  /**
   * Does the work; again, after a new look, where somebody else changed the ruleset meanwhile. The last
   * attempt insists on no generation, so that a machine where others never rest is served too.
   */
  protected async again<Result>(
    work: (basis: Basis, attempt: number) => Promise<Result>,
    attempt = 0,
  ): Promise<Result> {
    try {
      return await work((generation) => (attempt < retries ? generation : undefined), attempt)
    } catch (error) {
      this.#present = null
      const failure = failureOf(error)
      if (failure === undefined || !(error instanceof ToolError)) throw error
      if (attempt < retries && meanwhile.includes(failure)) return this.again(work, attempt + 1)
      throw new BackendError(isCode(failure) ? failure : 'failed', error.message)
    }
  }
}

/** Refuses to make a set where there would be too many: until they are gone, which the next sync sees to. */
function checkCount(wanted: Sets, there: Sets): void {
  if (wanted.size <= maxSets || [...wanted.keys()].every((name) => there.has(name))) return
  const message = `there would be ${wanted.size} firewall sets, and ${maxSets} are allowed; the next sync takes away those that are not used`
  throw new BackendError('busy', message)
}

/** In which order the changes of a sync come: the table, what is removed from sets of wide prefixes, the rest. */
function rankOf(change: Change): number {
  if (change.do === 'create' || change.do === 'put' || change.do === 'renew') return 2
  if (change.do !== 'remove') return 0
  const key = readSetName(change.name)
  return key !== null && isWide(key) ? 1 : 2
}

const nothing: Entered = { keys: new Map(), count: () => 0, holds: () => false }

/** What was entered is gone where others have taken its set, or the whole table, meanwhile: the sync begins again. */
function checkEntered({ keys }: Entered, { sound, sets }: Held): void {
  if ([...keys.keys()].every((name) => sound && sets.has(name))) return
  throw new BackendError('failed', 'another program changed the table while the bans were entered')
}

/** Removes what a set holds beyond the entries that were put there. */
function beyond(name: string, held: Elements | undefined, entered: Entered): Change[] {
  const now = performance.now()
  const addresses = [...(held?.keys() ?? [])].filter((address) => !entered.holds(name, address, now))
  return addresses.length === 0 ? [] : [{ do: 'remove', name, addresses }]
}

const isWhole = ({ sound, ruled, nameless }: Found): boolean => sound && ruled && nameless.length === 0

/** The generation to insist on. */
type Basis = (generation: number | undefined) => number | undefined

const meanwhile: readonly ToolFailure[] = ['missing', 'exists', 'busy', 'changed']

const isCode = (failure: ToolFailure): failure is FailureCode => !meanwhile.includes(failure)

const failureOf = (error: unknown) => (error instanceof ToolError ? error.failure : undefined)

const keysOf = (groups: ReadonlyMap<string, Group>): Sets => byName([...groups.values()].map(({ key }) => key))

function created(name: string, { elements }: Pick<Group, 'elements'>, once = false): Change {
  return { do: 'create', name, elements: once ? distinct(elements) : elements }
}

function put(name: string, { elements }: Pick<Group, 'elements'>): Change {
  return { do: 'put', name, elements }
}

function renewed(name: string, { elements }: Pick<Group, 'elements'>): Change {
  return { do: 'renew', name, elements: distinct(elements) }
}

function removed(name: string, { elements }: Pick<Group, 'elements'>, there: (address: string) => boolean): Change[] {
  const addresses = [...byAddress(elements).keys()].filter(there)
  return addresses.length === 0 ? [] : [{ do: 'remove', name, addresses }]
}

function sameKeys(one: Sets, other: Sets): boolean {
  return one.size === other.size && [...one.keys()].every((name) => other.has(name))
}
