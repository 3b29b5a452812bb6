import { lookup } from 'node:dns/promises'
import { parseAddress } from '../address.ts'
import type { RawFailure } from '../fail2ban/lines/raw-failure.ts'

/** A name server that is silent for longer is not waited for. */
const patienceMs = 5000
/** Names that are remembered. */
const mostNames = 1000

/** Turns the names in failures into addresses, as `usedns` says: one failure for each; none for a name without any. */
export class FailureNames {
  readonly #asked: boolean
  readonly #known = new Map<string, Promise<readonly string[]>>()

  /** `asked`: whether name servers are asked, as with `usedns = yes`; otherwise only what is an address counts. */
  constructor(asked: boolean) {
    this.#asked = asked
  }

  async resolve(failures: readonly RawFailure[]): Promise<readonly RawFailure[]> {
    const resolved = await Promise.all(
      failures.map(async (failure) => {
        if (failure.dns === null) return [failure]
        const addresses = await this.#addresses(failure.dns)
        return addresses.map((address) => ({ ...failure, id: address, ip: address, dns: null }))
      }),
    )
    return resolved.flat()
  }

  #addresses(name: string): Promise<readonly string[]> {
    const own = parseAddress(name)
    if (own !== null) return Promise.resolve([own])
    if (!this.#asked) return Promise.resolve([])
    const known = this.#known.get(name) ?? ask(name)
    if (this.#known.size < mostNames) this.#known.set(name, known)
    return known
  }
}

async function ask(name: string): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), patienceMs)
  })
  try {
    const found = await Promise.race([lookup(name, { all: true }), patience])
    return [...new Set(found.flatMap(({ address }) => parseAddress(address) ?? []))]
  } catch {
    return []
  } finally {
    clearTimeout(timer)
  }
}
