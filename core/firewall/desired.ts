/** What the agent asked the firewall for: ports and entries, in tables of a few bytes an entry. */
import { randomInt } from 'node:crypto'
import type { Entry } from './admission.ts'
import { AddressTable, type AddressEnd } from './address-table.ts'
import type { WirePorts } from './messages.ts'
import { isSameSet, setName, type SetKey } from './set-names.ts'
import { portsKey } from './wire-entries.ts'

interface DesiredSet {
  readonly key: SetKey
  readonly table: AddressTable
}

export class Desired {
  readonly #seed = randomInt(2 ** 32)
  readonly #ports = new Map<string, WirePorts>()
  readonly #sets = new Map<string, DesiredSet>()
  /** Names are long to make and ports are shared by many entries. */
  readonly #names = new WeakMap<WirePorts, Map<number, string>>()

  /** Everything declared. */
  get ports(): readonly WirePorts[] {
    return [...this.#ports.values()]
  }

  /** The number of entries, with some that are over already. */
  get size(): number {
    let size = 0
    for (const { table } of this.#sets.values()) size += table.size
    return size
  }

  declare(ports: readonly WirePorts[]): void {
    for (const each of ports) this.#ports.set(portsKey(each), each)
  }

  /** Forgets ports; entries stay. */
  undeclare(): void {
    this.#ports.clear()
  }

  /** Adds entries, or gives them their new time. */
  put(entries: readonly Entry[], now: number): void {
    let last: DesiredSet | null = null
    for (const entry of entries) {
      // Most entries are of the same set as the one before.
      if (last === null || !isSameSet(last.key, entry)) last = this.#made(entry)
      last.table.put(entry.address, entry.endsAt, now)
    }
  }

  drop(entries: readonly Entry[]): void {
    for (const entry of entries) this.#found(entry)?.table.drop(entry.address)
  }

  /** Drops the entries of all sets of which `unwanted` says so. */
  dropSets(unwanted: (key: SetKey) => boolean): void {
    for (const [name, { key }] of this.#sets) if (unwanted(key)) this.#sets.delete(name)
  }

  /** Puts these entries in the place of all others. */
  replace(entries: readonly Entry[], now: number): void {
    this.#sets.clear()
    this.put(entries, now)
  }

  /** When the entry ends; undefined where it is not wanted or is over. */
  endOf(entry: Entry, now: number): number | null | undefined {
    return this.#found(entry)?.table.endOf(entry.address, now)
  }

  /** Begins a look at what the kernel holds: nothing has been seen; what is put from now on counts as seen. */
  startRound(): void {
    for (const { table } of this.#sets.values()) table.startRound()
  }

  /** As `endOf`, and the entry counts as seen. */
  see(entry: Entry, now: number): number | null | undefined {
    return this.#found(entry)?.table.see(entry.address, now)
  }

  /** The names of the sets that have entries. */
  get names(): readonly string[] {
    return [...this.#sets.keys()]
  }

  /**
   * Up to `most` entries of one set, that of the name or any, that were not seen in this round; they now
   * are. Empty when there are no more. Their order is one that nobody outside can know.
   */
  takeUnseen(most: number, now: number, name?: string): Entry[] {
    for (const [each, { key, table }] of this.#sets) {
      if (name !== undefined && name !== each) continue
      const unseen = table.takeUnseen(most, now)
      if (unseen.length > 0) return unseen.map((each) => entryOf(key, each))
    }
    return []
  }

  /** Begins to put others in the place of what is there: only what is put from now on stays. */
  startReplacing(): void {
    for (const { table } of this.#sets.values()) table.startReplacing()
  }

  /** Drops up to `most` entries of one set that do not stay, and answers them. Empty when there are no more. */
  takeReplaced(most: number, now: number): Entry[] {
    for (const [name, { key, table }] of this.#sets) {
      const replaced = table.takeReplaced(most, now)
      if (replaced.length > 0) return replaced.map((each) => entryOf(key, each))
      if (table.size === 0) this.#sets.delete(name)
    }
    return []
  }

  /** The sets that have entries, by their names. */
  get keys(): ReadonlyMap<string, SetKey> {
    return new Map(Array.from(this.#sets, ([name, { key }]) => [name, key]))
  }

  /** How many entries a set has, with some that are over already. */
  count(name: string): number {
    return this.#sets.get(name)?.table.size ?? 0
  }

  /** Whether the set of that name has the address, and it is not over. */
  holds(name: string, address: string, now: number): boolean {
    return this.#sets.get(name)?.table.endOf(address, now) !== undefined
  }

  /**
   * Every entry that is not over, in stretches out of `size` places each; between two of them entries may
   * be put, which are given or not, and others may be given twice.
   */
  *stretches(size: number): Generator<Entry[]> {
    for (const { key, table } of this.#sets.values()) {
      for (const stretch of table.stretches(size)) yield stretch.map((each) => entryOf(key, each))
    }
  }

  /** Gives back the room of entries that are over. */
  tidy(now: number): void {
    for (const [name, { table }] of this.#sets) {
      table.rebuild(now)
      if (table.size === 0) this.#sets.delete(name)
    }
  }

  /** The name of the set that an entry belongs to. */
  nameOf(key: SetKey): string {
    let names = this.#names.get(key.ports)
    if (names === undefined) this.#names.set(key.ports, (names = new Map()))
    const slot = key.family * 1000 + key.length
    let name = names.get(slot)
    if (name === undefined) names.set(slot, (name = setName(key)))
    return name
  }

  #found(entry: Entry): DesiredSet | undefined {
    return this.#sets.get(this.nameOf(entry))
  }

  #made(entry: Entry): DesiredSet {
    const name = this.nameOf(entry)
    let set = this.#sets.get(name)
    if (set === undefined) {
      const { ports, family, length } = entry
      set = { key: { ports, family, length }, table: new AddressTable(family, this.#seed) }
      this.#sets.set(name, set)
    }
    return set
  }
}

function entryOf({ ports, family, length }: SetKey, [address, endsAt]: AddressEnd): Entry {
  return { ports, family, length, address, endsAt }
}
