/** The agent's side of the firewall: starts the helper, speaks with it, finds it again when it dies. */
import { setTimeout as sleep } from 'node:timers/promises'
import { addressBytes, formatPrefix, prefixParts, type Address, type Prefix } from '../address.ts'
import { BailiffError, describeError, printable } from '../errors.ts'
import type { Ports } from '../events.ts'
import type { Firewall, FirewallEntry, Refusal } from '../plugin.ts'
import { HelperConnection } from './helper-connection.ts'
import { HelperProcess, type HelperProcessOptions } from './helper-process.ts'
import {
  maxDeclared,
  maxSpared,
  maxSyncEntries,
  passing,
  refusalReasons,
  type Reply,
  type Request,
  type Told,
  type WireEntry,
  type WirePrefix,
} from './messages.ts'
import { tooManyPorts } from './port-lists.ts'
import { declarationPieces, fromWire, inPieces, portsKey, toWire } from './wire-entries.ts'

export interface FirewallOptions extends HelperProcessOptions {
  /** How long a request may take before the helper counts as hung and is killed. Default 60 s; `sync` and `list` five times that. */
  readonly deadlineMs?: number
  /** Where a helper listens that somebody else runs (systemd): none is started then. */
  readonly running?: string
  /** A helper that was started before, while this process still had the rights for it. */
  readonly started?: HelperProcess
  /** Called when the helper is gone and this process has not the rights any more to start another. */
  readonly lost?: (why: string) => void
}

/** The firewall, and the helper behind it. Calls are carried out in their order, one at a time. */
export interface FirewallHelper extends Firewall {
  /** The process of the helper; undefined while there is none. */
  readonly pid: number | undefined
  /**
   * Calls back after the helper died and a new one runs. What was asked for meanwhile has been
   * rejected, and others may have changed the kernel: declare and sync again.
   */
  onRestart(callback: () => void): void
  /** Has the helper ban none of these, in place of those of the call before; a helper that starts anew is told. */
  spare(prefixes: readonly Prefix[]): Promise<void>
  /** What the kernel holds of an address now: itself, and prefixes around it. As fast whatever there is beside. */
  around(address: Address): Promise<readonly FirewallEntry[]>
  /** Resolves when the helper answers, in its turn; one that does not within the deadline counts as hung. */
  ping(): Promise<void>
  /** Calls back with what people should know: bans that others took away and that are back, a full set, lasting failures. */
  onAlarm(callback: (message: string) => void): void
  /** Ends the helper after the calls made before. Bans stay in the kernel until their time is over. */
  stop(): Promise<void>
}

const firstPauseMs = 100
const longestPauseMs = 30_000
/** A helper that lived this long is not one that dies again and again. */
const settledMs = 60_000
/** Calls that may wait; whoever has more to say says it in larger batches. */
const maxWaiting = 10_000

/** Starts the helper, or finds the one that runs. Rejects with `BailiffError` when it does not come up the first time. */
export async function startFirewall(options: FirewallOptions): Promise<FirewallHelper> {
  const client = new Client(options)
  await client.launch().catch(async (error: unknown) => {
    await client.stop()
    throw error
  })
  return client
}

class Client implements FirewallHelper {
  readonly #options: FirewallOptions
  readonly #callbacks: (() => void)[] = []
  readonly #alarms: ((message: string) => void)[] = []
  /** What was declared, and the index that stands for it on the wire: its place. */
  readonly #declared: Ports[] = []
  readonly #indexes = new Map<string, number>()
  #spared: readonly Prefix[] = []
  #process: HelperProcess | undefined
  #helper: HelperConnection | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #lastId = 0
  #stopped = false
  #pauseMs = firstPauseMs
  #timer: NodeJS.Timeout | undefined

  constructor(options: FirewallOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#helper?.pid
  }

  onRestart(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  onAlarm(callback: (message: string) => void): void {
    this.#alarms.push(callback)
  }

  /** Of too many port lists those that there is room for are declared, so that one more costs no other its bans. */
  declare(ports: readonly Ports[]): Promise<void> {
    return this.#inTurn((helper) => {
      const indexes = ports.map((each) => this.#indexOf(each)).filter((index) => index !== undefined)
      return this.#sendDeclared(helper, indexes)
    })
  }

  async add(entries: readonly FirewallEntry[]): Promise<readonly Refusal[]> {
    return this.#inTurn((helper) => this.#send(helper, 'add', entries))
  }

  async load(entries: readonly FirewallEntry[]): Promise<readonly Refusal[]> {
    return this.#inTurn((helper) => this.#send(helper, 'load', entries))
  }

  async spare(prefixes: readonly Prefix[]): Promise<void> {
    this.#spared = prefixes.slice(0, maxSpared)
    await this.#inTurn((helper) => this.#sendSpared(helper))
  }

  async del(entries: readonly FirewallEntry[]): Promise<void> {
    await this.#inTurn((helper) => this.#send(helper, 'del', entries))
  }

  async sync(entries: Iterable<FirewallEntry>): Promise<readonly Refusal[]> {
    return this.#inTurn(async (helper) => {
      const id = this.#nextId()
      const refused: Refusal[] = []
      const replies = await helper.request(this.#syncMessages(id, entries, refused), id, this.#deadlineMs * 5)
      return [...refused, ...refusals(replies)]
    })
  }

  async list(known = 0): Promise<readonly FirewallEntry[]> {
    return this.#listed((id) => ({ type: 'list', id, known: Math.min(known, maxSyncEntries) }))
  }

  async around(address: Address): Promise<readonly FirewallEntry[]> {
    const digits = Buffer.from(addressBytes(address)).toString('hex')
    return this.#listed((id) => ({ type: 'around', id, address: digits }))
  }

  #listed(ask: (id: number) => Request): Promise<readonly FirewallEntry[]> {
    return this.#inTurn(async (helper) => {
      const id = this.#nextId()
      const replies = await helper.request([ask(id)], id, this.#deadlineMs * 5)
      const now = Date.now()
      return replies.flatMap((reply) => (reply.type === 'listed' ? fromWire(reply, now) : []))
    })
  }

  async ping(): Promise<void> {
    await this.#inTurn((helper) => {
      const id = this.#nextId()
      return helper.request([{ type: 'del', id, entries: [] }], id, this.#deadlineMs)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#tail
    this.#helper?.end('was stopped')
    this.#helper = undefined
    await this.#process?.stop()
  }

  /** Connects to the helper, started if it must be, and tells it what was declared. */
  async launch(): Promise<void> {
    const started = performance.now()
    const socket = this.#options.running ?? (await this.#startProcess())
    const helper = await HelperConnection.open(socket, {
      hung: () => this.#process?.kill(),
      told: (told) => this.#tell(told),
    }).catch(async (error: unknown) => {
      // What ended the process says more than the end of the connection.
      const why = await Promise.race([this.#process?.ended, sleep(500)])
      throw why === undefined ? error : new BailiffError('unavailable', `the firewall helper ${why}`)
    })
    void helper.ended.then((why) => {
      if (this.#helper === helper) this.#helper = undefined
      if (performance.now() - started >= settledMs) this.#pauseMs = firstPauseMs
      this.#startAgain(`the firewall helper ${why}`)
    })
    if (this.#declared.length > 0) await this.#sendDeclared(helper, [...this.#declared.keys()]).catch(this.#warn)
    if (this.#spared.length > 0) await this.#sendSpared(helper).catch(this.#warn)
    if (!helper.over) this.#helper = helper
    if (this.#stopped) helper.end('was stopped')
  }

  /** Answers where it listens. */
  async #startProcess(): Promise<string> {
    if (this.#process !== undefined && (!this.#process.over || !this.#process.replaceable)) return this.#process.socket
    await this.#process?.stop()
    const before = this.#process === undefined ? this.#options.started : undefined
    const process = before ?? (await HelperProcess.start(this.#options))
    this.#process = process
    void process.ended.then((why) => {
      if (!this.#stopped && !process.replaceable) this.#options.lost?.(`the firewall helper ${why}`)
    })
    return process.socket
  }

  #startAgain(why: string): void {
    if (this.#stopped) return
    this.#options.log.error({ pauseMs: this.#pauseMs }, `${why}; it is started again`)
    this.#timer = setTimeout(() => void this.#restart(), this.#pauseMs)
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2)
  }

  async #restart(): Promise<void> {
    try {
      await this.launch()
    } catch (error) {
      return this.#startAgain(describeError(error))
    }
    for (const callback of this.#callbacks) {
      try {
        callback()
      } catch (error) {
        this.#warn(error)
      }
    }
  }

  #tell(told: Told): void {
    const message = told.type === 'alarm' ? printable(told.message.slice(0, 600)) : repairedMessage(told.count)
    for (const callback of this.#alarms) {
      try {
        callback(message)
      } catch (error) {
        this.#warn(error)
      }
    }
  }

  readonly #warn = (error: unknown) => this.#options.log.warn({}, describeError(error))

  /** Runs the work after all earlier work, with the helper there is then. */
  #inTurn<Result>(work: (helper: HelperConnection) => Promise<Result>): Promise<Result> {
    if (this.#stopped) return Promise.reject(new BailiffError('unavailable', 'the firewall helper was stopped'))
    if (this.#waiting >= maxWaiting) {
      return Promise.reject(new BailiffError('try-again', `${maxWaiting} calls wait for the firewall helper already`))
    }
    this.#waiting++
    const result = this.#tail.then(() => {
      if (this.#helper === undefined) throw new BailiffError('try-again', 'the firewall helper is being started again')
      return work(this.#helper)
    })
    this.#tail = result.catch(() => {}).finally(() => this.#waiting--)
    return result
  }

  async #send(
    helper: HelperConnection,
    type: 'add' | 'load' | 'del',
    entries: readonly FirewallEntry[],
  ): Promise<Refusal[]> {
    const refused: Refusal[] = []
    for (const { items } of inPieces(entries)) {
      const wire = this.#toWire(items, type, refused)
      if (wire.length === 0) continue
      const id = this.#nextId()
      const replies = await helper.request([{ type, id, entries: wire }], id, this.#deadlineMs)
      refused.push(...refusals(replies))
    }
    return refused
  }

  /** Each part is made when the one before is on its way. */
  *#syncMessages(id: number, entries: Iterable<FirewallEntry>, refused: Refusal[]): Generator<Request> {
    let count = 0
    for (const { items, part, more } of inPieces(entries)) {
      const wire = this.#toWire(items, 'sync', refused)
      if ((count += wire.length) > maxSyncEntries) {
        const message = `there are more bans than the firewall takes: at most ${maxSyncEntries}`
        throw new BailiffError('unavailable', message, { hint: 'Ban networks instead of single addresses.' })
      }
      yield { type: 'sync', id, part, entries: wire, more }
    }
  }

  async #sendSpared(helper: HelperConnection): Promise<void> {
    const id = this.#nextId()
    const prefixes = this.#spared.map((prefix): WirePrefix => {
      const { bytes, length } = prefixParts(prefix)
      return [Buffer.from(bytes).toString('hex'), length]
    })
    await helper.request([{ type: 'spare', id, prefixes }], id, this.#deadlineMs)
  }

  async #sendDeclared(helper: HelperConnection, indexes: readonly number[]): Promise<void> {
    const declarations = indexes.flatMap((index) => {
      const ports = this.#declared[index]
      return ports === undefined ? [] : [[index, ports.protocol, ports.ports] as const]
    })
    for (const ports of declarationPieces(declarations)) {
      const id = this.#nextId()
      await helper.request([{ type: 'declare', id, ports }], id, this.#deadlineMs)
    }
  }

  /** Entries whose ports nobody declared are refused here; those that are over already are left out, except to remove. */
  #toWire(entries: readonly FirewallEntry[], use: 'add' | 'load' | 'del' | 'sync', refused: Refusal[]): WireEntry[] {
    const wire: WireEntry[] = []
    const now = Date.now()
    const known = new Map<Ports, number | undefined>()
    for (const entry of entries) {
      const { ports, until } = entry
      if (!known.has(ports)) known.set(ports, this.#indexes.get(portsKey(ports)))
      const index = known.get(ports)
      if (index === undefined) refused.push({ prefix: entry.prefix, reason: this.#whyUndeclared })
      else if (use === 'del' || until === null || until > now) wire.push(toWire(entry, index, now))
    }
    return wire
  }

  get #whyUndeclared(): string {
    return this.#declared.length < maxDeclared ? refusalReasons.undeclared : tooManyPorts
  }

  /** Undefined where there are too many. */
  #indexOf(ports: Ports): number | undefined {
    const key = portsKey(ports)
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    if (this.#declared.length >= maxDeclared) return undefined
    this.#indexes.set(key, this.#declared.length)
    return this.#declared.push(ports) - 1
  }

  #nextId(): number {
    return ++this.#lastId
  }

  get #deadlineMs(): number {
    return this.#options.deadlineMs ?? 60_000
  }
}

function refusals(replies: readonly Reply[]): Refusal[] {
  return replies.flatMap((reply) => {
    if (reply.type !== 'done') return []
    return reply.refused.flatMap(([address, length, reason]) => {
      const prefix = formatPrefix(Buffer.from(address, 'hex'), length)
      const again = passing.has(reason) ? { again: true } : {}
      return prefix === null ? [] : [{ prefix, reason: refusalReasons[reason], ...again }]
    })
  })
}

function repairedMessage(count: number): string {
  const what = count === 0 ? 'rules of Bailiff were' : count === 1 ? '1 ban was' : `${count} bans were`
  return `${what} taken out of the firewall by another program, and put back`
}
