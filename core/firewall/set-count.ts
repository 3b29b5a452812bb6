/** How many sets there are beside those for single addresses. */
import { maxDeclared, maxSets, type WirePorts } from './messages.ts'
import { bitsOf, setName, type SetKey } from './set-names.ts'

/** For what is declared there is always room: a set a family. */
const most = maxSets - 2 * maxDeclared

/** Counts the sets that entries need, each once. */
export class SetCount {
  readonly #names = new Set<string>()
  /** Names are long to make and ports are shared by many entries. */
  readonly #known = new WeakMap<WirePorts, Set<number>>()

  /** Whether the set of such an entry is there or may be made; it counts from now on. */
  add(key: SetKey): boolean {
    const { ports, family, length } = key
    if (length === bitsOf(family)) return true
    const slot = family * 1000 + length
    const known = this.#known.get(ports) ?? new Set()
    if (known.has(slot)) return true
    const name = setName(key)
    if (!this.#names.has(name) && this.#names.size >= most) return false
    this.#names.add(name)
    this.#known.set(ports, known.add(slot))
    return true
  }
}
