import type { Address } from '../address.ts'

/** Addresses remembered; beyond, the one that failed longest ago is forgotten. */
const most = 1000

/** How many failures of each address an ignore rule spared, of those that failed last. */
export class SparedFailures {
  readonly #counts = new Map<Address, number>()

  add(address: Address, attempts: number): void {
    const before = this.#counts.get(address) ?? 0
    this.#counts.delete(address)
    this.#counts.set(address, before + attempts)
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= most) break
      this.#counts.delete(oldest)
    }
  }

  copy(): SparedFailures {
    const copy = new SparedFailures()
    for (const [address, count] of this.#counts) copy.#counts.set(address, count)
    return copy
  }

  of(address: Address): number {
    return this.#counts.get(address) ?? 0
  }
}
