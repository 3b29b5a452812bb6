/** The backend that speaks with the kernel itself, over a netlink socket that somebody else opened. */
import { fstatSync } from 'node:fs'
import { release } from 'node:os'
import type { Entry } from '../admission.ts'
import type { Backend, ForeignChange } from '../backend.ts'
import { firstAddress } from '../block-list.ts'
import { maxEntries } from '../messages.ts'
import { bitsOf } from '../set-names.ts'
import { TableBackend, ToolError, type Held, type TableTool, type ToolFailure } from '../table-backend.ts'
import { bySet, transactions, type Change, type Element, type Elements } from '../table-changes.ts'
import { examine, type Found, type Sets } from '../table-layout.ts'
import { errno } from './kernel-numbers.ts'
import { EventReader } from './events.ts'
import { heldElement, lackingElements } from './element-questions.ts'
import { MalformedError } from './messages-in.ts'
import { listedRules } from './rules.ts'
import { NetlinkError, NetlinkSocket } from './socket.ts'
import { listElements, listTable } from './table-lists.ts'
import { TableMessages } from './table-messages.ts'

/** The descriptors as launcher.pl leaves them. */
const inherited = { requests: 4, events: 5 } as const

export interface NetlinkOptions {
  /** How many elements a set takes. Tests want few. */
  readonly setSize?: number
  /** From how many elements on a set is not compared one by one. Tests want few. */
  readonly longFrom?: number
}

/** The backend over the sockets that launcher.pl opened; null where they are not there, or the kernel does not answer. */
export function openNetlink(options: NetlinkOptions = {}): NetlinkBackend | null {
  if (!isSocket(inherited.requests) || !isSocket(inherited.events)) return null
  const requests = new NetlinkSocket(inherited.requests)
  try {
    requests.generation()
  } catch {
    return null
  }
  return new NetlinkBackend(requests, inherited.events, options)
}

export class NetlinkBackend extends TableBackend implements Backend {
  readonly #tool: NetlinkTool
  readonly #requests: NetlinkSocket
  readonly #events: number

  constructor(requests: NetlinkSocket, events: number, { setSize = maxEntries, longFrom }: NetlinkOptions) {
    const tool = new NetlinkTool(requests, setSize)
    super(tool, longFrom)
    this.#tool = tool
    this.#requests = requests
    this.#events = events
  }

  async lacking(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const groups = await bySet(entries)
    return this.again(async () => {
      const lacking: Entry[] = []
      for (const [name, { elements }] of groups) lacking.push(...(await this.#tool.lacking(name, elements)))
      return lacking
    })
  }

  async around(address: string): Promise<readonly Entry[]> {
    return this.again(async () => {
      const { sets } = await this.#tool.look(new Map())
      const held: Entry[] = []
      for (const [name, key] of sets) {
        if (bitsOf(key.family) !== address.length * 4) continue
        const element = await this.#tool.held(name, firstAddress(address, key.length))
        if (element !== null) held.push({ ...key, ...element })
      }
      return held
    })
  }

  watch(heard: (change: ForeignChange) => void): () => void {
    const keyOf = (name: string) => this.keyOf(name)
    const reader = new EventReader({ descriptor: this.#events, requests: this.#requests, keyOf, heard })
    void reader.start()
    return () => reader.stop()
  }
}

type Add = ConstructorParameters<typeof TableMessages>[0]

class NetlinkTool implements TableTool {
  readonly renewsInPlace = isAtLeast(release(), 6, 12)
  readonly #socket: NetlinkSocket
  readonly #size: number

  constructor(socket: NetlinkSocket, size: number) {
    this.#socket = socket
    this.#size = size
  }

  look(known: Sets): Promise<Found> {
    return this.#told(async () => this.#examined(known).found)
  }

  hold(known: Sets, asked: (name: string, count: number | undefined) => boolean): Promise<Held> {
    return this.#told(async () => {
      const { found, counts } = this.#examined(known)
      const elements = new Map<string, Elements>()
      for (const name of found.sets.keys()) {
        if (asked(name, counts.get(name))) elements.set(name, await listElements(this.#socket, name))
      }
      // As much as nft needs, which prints whole seconds, so that both change the same.
      return { ...found, elements, toleranceMs: 3000 }
    })
  }

  async apply(changes: readonly Change[], generation?: number): Promise<void> {
    for (const [place, part] of transactions(changes).entries()) {
      const write = (add: Add) => new TableMessages(add, this.#size).write(part)
      await this.#told(() => this.#socket.transact(write, place === 0 ? generation : undefined))
    }
  }

  lacking<Each extends Element>(name: string, elements: readonly Each[]): Promise<Each[]> {
    return this.#told(() => lackingElements(this.#socket, name, elements))
  }

  held(name: string, address: string): Promise<Element | null> {
    return this.#told(async () => heldElement(this.#socket, name, address))
  }

  #examined(known: Sets) {
    const generation = this.#socket.generation()
    const { frame, rules, portSets, counts } = listTable(this.#socket)
    const found: Found = { ...examine(frame, listedRules(rules, portSets), this.#size, known), generation }
    return { found, counts }
  }

  /** The answer, or the failure in the words of tools. */
  async #told<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#socket.exclusively(work)
    } catch (error) {
      if (error instanceof NetlinkError) throw new ToolError(failures.get(error.errno) ?? 'failed', error.message)
      if (error instanceof MalformedError || error instanceof RangeError) throw new ToolError('failed', error.message)
      throw error
    }
  }
}

const failures: ReadonlyMap<number, ToolFailure> = new Map([
  [errno.notPermitted, 'no-permission'],
  [errno.denied, 'no-permission'],
  [errno.missing, 'missing'],
  [errno.exists, 'exists'],
  [errno.busy, 'busy'],
  [errno.tableFull, 'set-full'],
  [errno.restart, 'changed'],
  [errno.interrupted, 'changed'],
  [errno.again, 'timeout'],
  [errno.noBuffers, 'timeout'],
])

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket()
  } catch {
    return false
  }
}

/** Whether a kernel's release, such as `6.12.48+deb13-amd64`, is this one or newer. */
function isAtLeast(given: string, major: number, minor: number): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(given) ?? []
  return Number(first) > major || (Number(first) === major && Number(second) >= minor)
}
