/** The backend that speaks with the kernel itself, over a netlink socket that somebody else opened. */
import type { Backend } from '../backend.ts'
import { maxEntries } from '../messages.ts'
import { TableBackend, ToolError, type Held, type TableTool, type ToolFailure } from '../table-backend.ts'
import type { Change, Elements } from '../table-changes.ts'
import { examine, type Found, type Sets } from '../table-layout.ts'
import { errno } from './kernel-numbers.ts'
import { MalformedError } from './messages-in.ts'
import { listedRules } from './rules.ts'
import { NetlinkError, NetlinkSocket } from './socket.ts'
import { listElements, listTable } from './table-lists.ts'
import { TableMessages } from './table-messages.ts'

export interface NetlinkOptions {
  /** The descriptor of the socket for requests, as launcher.pl opens it. Default 4. */
  readonly requests?: number
  /** How many elements a set takes. Tests want few. */
  readonly setSize?: number
}

export class NetlinkBackend extends TableBackend implements Backend {
  constructor({ requests = 4, setSize = maxEntries }: NetlinkOptions = {}) {
    super(new NetlinkTool(new NetlinkSocket(requests), setSize))
  }
}

class NetlinkTool implements TableTool {
  /** A dump begins anew for each 32 KiB of its answer, so listing takes the square of the time: a million a minute. */
  readonly rewrittenFrom = 100_000
  readonly #socket: NetlinkSocket
  readonly #size: number

  constructor(socket: NetlinkSocket, size: number) {
    this.#socket = socket
    this.#size = size
  }

  look(known: Sets): Promise<Found> {
    return this.#told(async () => this.#examined(known))
  }

  hold(known: Sets, skipped: (name: string) => boolean): Promise<Held> {
    return this.#told(async () => {
      const found = this.#examined(known)
      const elements = new Map<string, Elements>()
      for (const name of found.sets.keys()) {
        if (!skipped(name)) elements.set(name, await listElements(this.#socket, name))
      }
      // As much as nft needs, which prints whole seconds, so that both change the same.
      return { ...found, elements, toleranceMs: 3000 }
    })
  }

  apply(changes: readonly Change[], generation?: number): Promise<void> {
    const send = (strict: boolean) =>
      this.#socket.transact((add) => new TableMessages(add, this.#size).write(changes, { strict }), generation)
    return this.#told(async () => {
      if (!changes.every((change) => change.do === 'remove')) return send(false)
      // What is to be removed is there nearly always, and then needs not be added first.
      return send(true).catch((error: unknown) => {
        if (!(error instanceof NetlinkError) || error.errno !== errno.missing) throw error
        return send(false)
      })
    })
  }

  #examined(known: Sets): Found {
    const generation = this.#socket.generation()
    const { frame, rules, portSets } = listTable(this.#socket)
    return { ...examine(frame, listedRules(rules, portSets), this.#size, known), generation }
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
