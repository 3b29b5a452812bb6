/** What others change in our table, read from the events that nf_tables tells everybody who listens. */
import { read } from 'node:fs'
import type { Entry } from '../admission.ts'
import type { ForeignChange } from '../backend.ts'
import type { SetKey } from '../set-names.ts'
import { table } from '../table-layout.ts'
import { attribute, errno, family, message } from './kernel-numbers.ts'
import { attributesOf, familyOf, nftablesMessage, number, readMessages, text, type InMessage } from './messages-in.ts'
import type { NetlinkSocket } from './socket.ts'
import { addressesOf, setOf } from './table-lists.ts'

export interface EventOptions {
  /** The socket that launcher.pl joined to the group; reading it gives up after a second. */
  readonly descriptor: number
  /** Where our own changes come from, and who knows the generation. */
  readonly requests: NetlinkSocket
  /** What a set of ours holds, by its name. */
  readonly keyOf: (name: string) => SetKey | undefined
  readonly heard: (change: ForeignChange) => void
}

/** Events come in datagrams of a page; one that fills this may have been cut. */
const datagramBytes = 64 * 1024
/** More entries than this in one transaction are told as a change to compare. */
const maxRemoved = 10_000
/** After an error of the socket that is none of a quiet second. */
const pauseMs = 1000

/**
 * Tells of foreign changes until it is stopped. Each transaction ends with its generation, and generations
 * grow by one; so it is known whether events were lost, and whether those were of our own changes alone.
 */
export class EventReader {
  readonly #options: EventOptions
  readonly #datagram = Buffer.allocUnsafeSlow(datagramBytes)
  #stopped = false
  /** The last generation whose end was read; null before the first. */
  #generation: number | null = null
  /** Whether the kernel had no room for events since then. */
  #lost = false
  #removed: Entry[] = []
  #changed = false

  constructor(options: EventOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#generation = await this.#current()
    this.#next()
  }

  /** A read that is under way ends within a second and is told to nobody. */
  stop(): void {
    this.#stopped = true
  }

  #next(): void {
    if (this.#stopped) return
    read(this.#options.descriptor, this.#datagram, 0, datagramBytes, null, (error, length) => {
      if (this.#stopped) return
      if (error === null) {
        this.#take(this.#datagram.subarray(0, length))
        this.#next()
      } else void this.#failed(-(error.errno ?? 0))
    })
  }

  #take(datagram: Buffer): void {
    if (datagram.length === datagramBytes) this.#lost = true
    try {
      for (const event of readMessages(datagram)) {
        const kind = nftablesMessage(event)
        if (kind === message.newGeneration) this.#end(event)
        // A datagram is of one transaction: ours may be a million elements long.
        else if (event.port === this.#options.requests.port) return
        else if (kind !== null) this.#note(kind, event)
      }
    } catch {
      // Whatever the kernel means, it is nothing that can be read here.
      this.#lost = true
    }
  }

  /** Notes what one event of a foreign transaction says. */
  #note(kind: number, event: InMessage): void {
    const attributes = attributesOf(event)
    // The first attribute of everything in a table is the name of the table.
    if (familyOf(event) !== family.inet || text(attributes, attribute.table.name) !== table.name) return
    const set = setOf(event)
    const key = kind === message.deleteElement && set !== undefined ? this.#options.keyOf(set) : undefined
    if (key === undefined || this.#removed.length >= maxRemoved) this.#changed = true
    else for (const address of addressesOf(event)) this.#removed.push({ ...key, address, endsAt: null })
  }

  /** The end of a transaction. */
  #end(event: InMessage): void {
    const id = number(attributesOf(event), attribute.generation.id)
    if (id === undefined) return
    const foreign = event.port !== this.#options.requests.port
    const missed = !this.#onlyOwnBetween(id - 1)
    const lost = missed || (this.#lost && foreign)
    if (this.#isLater(id)) this.#generation = id
    if (lost) this.#tell({ kind: 'lost' })
    else if (this.#changed) this.#tell({ kind: 'changed' })
    else if (this.#removed.length > 0) this.#tell({ kind: 'removed', entries: this.#removed })
    this.#removed = []
    this.#changed = false
  }

  #tell(change: ForeignChange): void {
    this.#options.heard(change)
  }

  async #failed(code: number): Promise<void> {
    if (code === errno.noBuffers) this.#lost = true
    else if (code !== errno.again) await pause()
    // A quiet second: what was lost before will not come any more.
    else if (this.#lost) await this.#catchUp()
    this.#next()
  }

  /** After a loss and a silence: whether anybody but us has changed something that was not read. */
  async #catchUp(): Promise<void> {
    this.#lost = false
    const current = await this.#current()
    const known = current !== null && this.#onlyOwnBetween(current)
    this.#generation = current
    this.#removed = []
    this.#changed = false
    if (!known && !this.#stopped) this.#tell({ kind: 'lost' })
  }

  /** Whether all generations after the last one that was read, up to this one, are known to be our own. */
  #onlyOwnBetween(id: number): boolean {
    if (this.#generation === null || !this.#isLater(id)) return true
    return this.#options.requests.madeAll(this.#generation, id)
  }

  #isLater(id: number): boolean {
    return this.#generation === null || ((id - this.#generation) | 0) > 0
  }

  async #current(): Promise<number | null> {
    const { requests } = this.#options
    return requests.exclusively(async () => requests.generation()).catch(() => null)
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs).unref())
