/** Which tracked connections some bans concern. */
import type { Entry } from './admission.ts'
import { firstAddress } from './block-list.ts'
import type { WirePorts } from './messages.ts'
import { protocolsOf } from './table-layout.ts'

/** A connection as the one who opened it began it, before any translation of addresses. */
export interface Connection {
  /** Where it comes from: 8 or 32 lower-case hexadecimal digits. */
  readonly source: string
  /** The number of its protocol: 6 is TCP, 17 is UDP. */
  readonly protocol: number
  /** The port it was opened to; null where the protocol has none. */
  readonly port: number | null
}

const protocolNumbers = { tcp: 6, udp: 17, all: -1 } as const

const few = 8

/** Bans by what they ban, so that a million connections can be asked about. */
export class BannedSources {
  readonly #lengths = { 4: new Map<number, Map<string, WirePorts[]>>(), 6: new Map<number, Map<string, WirePorts[]>>() }
  #size = 0

  /** How many bans there are. */
  get size(): number {
    return this.#size
  }

  /** The addresses that are banned, where they are a few single ones, so that others need not be looked at; else null. */
  few(): readonly string[] | null {
    if (this.#size > few) return null
    const addresses = Object.values(this.#lengths).flatMap((lengths) => [...lengths])
    if (addresses.some(([length, of]) => [...of.keys()].some((address) => address.length * 4 > length))) return null
    return addresses.flatMap(([, of]) => [...of.keys()])
  }

  add({ family, length, address, ports }: Entry): void {
    const lengths = this.#lengths[family]
    let addresses = lengths.get(length)
    if (addresses === undefined) lengths.set(length, (addresses = new Map()))
    const known = addresses.get(address)
    if (known === undefined) addresses.set(address, [ports])
    else known.push(ports)
    this.#size++
  }

  /** Whether a connection is banned. */
  has(connection: Connection): boolean {
    const { source } = connection
    for (const [length, addresses] of this.#lengths[source.length === 8 ? 4 : 6]) {
      const found = addresses.get(length === source.length * 4 ? source : firstAddress(source, length))
      if (found?.some((ports) => concerns(ports, connection))) return true
    }
    return false
  }
}

function concerns({ protocol, ports }: WirePorts, connection: Connection): boolean {
  if (protocol === 'all') return true
  const isOfIt = protocolsOf(protocol).some((one) => connection.protocol === protocolNumbers[one])
  return isOfIt && connection.port !== null && ports.includes(connection.port)
}
