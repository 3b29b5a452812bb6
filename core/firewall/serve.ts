/** The conversation of the firewall helper with the agent: reads requests, checks them, lets the guard do them. */
import type { Duplex } from 'node:stream'
import { once } from 'node:events'
import { Admission, type Entry } from './admission.ts'
import { allowanceWords } from './allowance.ts'
import { BackendError } from './backend.ts'
import { Breadth } from './breadth.ts'
import { FrameTooLong, readLines } from './frames.ts'
import type { Guard } from './guard.ts'
import {
  decodeRequest,
  encode,
  maxSyncEntries,
  MessageError,
  protocolVersion,
  type Declaration,
  type FailureCode,
  type Reply,
  type Request,
  type WireEntry,
  type WirePorts,
  type WireRefusal,
} from './messages.ts'
import { isWide, setName } from './set-names.ts'

/** Items in one reply, so that it stays below the cap of a frame: an entry takes at most 70 bytes. */
const itemsEach = 10_000
/** A sync of fewer entries is one step for the kernel; a longer one is entered while it comes, so many at a time. */
const enteredAtOnce = 40_000

/** Serves one agent, one request after the other, until the connection ends or cannot be trusted any more. */
export async function serve(stream: Duplex, guard: Guard, admission = new Admission()): Promise<void> {
  const send = async (reply: Reply) => {
    if (!stream.write(encode(reply))) await drained(stream)
  }
  const conversation = new Conversation(guard, admission)
  // Whom an agent before this one spared is no matter of this one.
  admission.spare([])
  await send({ type: 'hello', version: protocolVersion, pid: process.pid })
  // Told seldom, so nobody waits for room in the stream.
  guard.begin((told) => stream.writable && stream.write(encode(told)))
  try {
    // The stream is kept open when reading fails, so that the agent is told why.
    for await (const line of readLines(stream.iterator({ destroyOnReturn: false }))) {
      for (const reply of await conversation.answer(line)) await send(reply)
    }
  } catch (error) {
    if (!(error instanceof FrameTooLong)) throw error
    await send(failed(null, 'bad-message', error.message))
  }
  stream.end(() => stream.destroy())
}

/** Resolves when there is room again, or nobody is left who would make it. */
async function drained(stream: Duplex): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    if (!stream.destroyed) await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })])
  } finally {
    settled.abort()
  }
}

/** Entries that may go to the kernel, in the order in which they came, and the others. */
interface Checked {
  readonly entries: Entry[]
  readonly refused: WireRefusal[]
}

interface OpenSync {
  readonly id: number
  readonly breadth: Breadth
  readonly refused: WireRefusal[]
  /** Entries that were not handed on yet: wide ones only at the end, when what is wide in the kernel is known. */
  entries: Entry[]
  readonly wide: Entry[]
  /** Those for which there was no room. */
  readonly full: Entry[]
  /** What was handed on so far; null: all of it may still be one transaction. */
  entering: Promise<void> | null
  parts: number
  /** How many entries came. */
  count: number
}

class Conversation {
  readonly #guard: Guard
  readonly #admission: Admission
  readonly #declared = new Map<number, WirePorts>()
  /** The parts of a sync that have come so far. */
  #sync: OpenSync | undefined

  constructor(guard: Guard, admission: Admission) {
    this.#guard = guard
    this.#admission = admission
  }

  /** The replies to a line; never throws. */
  async answer(line: string): Promise<readonly Reply[]> {
    let id: number | null = null
    try {
      const request = decodeRequest(line)
      id = request.id
      return await this.#carryOut(request)
    } catch (error) {
      // The rest of a sync with a part that cannot be read must not pass for all of it.
      this.#sync = undefined
      if (error instanceof MessageError) return [failed(id, 'bad-message', error.message)]
      if (error instanceof BackendError) return [failed(id, error.code, error.message)]
      return [failed(id, 'failed', error instanceof Error ? error.message : String(error))]
    }
  }

  async #carryOut(request: Request): Promise<readonly Reply[]> {
    const { type, id } = request
    if (type === 'sync') return this.#takeSync(request)
    this.#sync = undefined
    if (type === 'list') return listed(id, await this.#guard.list(request.known))
    if (type === 'around') return listed(id, await this.#guard.around(request.address))
    if (type === 'spare') {
      this.#admission.spare(request.prefixes)
      return done(id, [])
    }
    if (type === 'declare') return this.#declare(id, request.ports)
    if (type === 'add' && !this.#admission.allows(request.entries.length, performance.now())) {
      throw new BackendError('busy', `the firewall helper takes ${allowanceWords}; the rest is tried again`)
    }
    const use = type === 'del' ? 'del' : 'add'
    const checked = this.#check(request.entries, use)
    if (checked.entries.length === 0) return done(id, checked.refused)
    const full = await this.#guard[use](checked.entries)
    if (use === 'del') this.#admission.released(checked.entries)
    return done(id, [...checked.refused, ...(full ?? []).map(isFull)])
  }

  async #declare(id: number, declarations: readonly Declaration[]): Promise<readonly Reply[]> {
    const declared = new Map<number, WirePorts>()
    for (const [index, protocol, ports] of declarations) {
      const before = this.#declared.get(index) ?? declared.get(index)
      const said = { protocol, ports }
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(said)) {
        throw new MessageError(`index ${index} was declared for other ports`)
      }
      declared.set(index, before ?? said)
    }
    await this.#guard.declare([...declared.values()])
    for (const [index, ports] of declared) this.#declared.set(index, ports)
    return done(id, [])
  }

  async #takeSync({ id, part, entries, more }: Request & { type: 'sync' }): Promise<readonly Reply[]> {
    // Parts of an older sync that never ended are forgotten.
    if (part === 0) this.#sync = newSync(id)
    const sync = this.#sync
    if (sync?.id !== id || sync.parts !== part) throw new MessageError('a part of a sync is missing')
    if (sync.count + entries.length > maxSyncEntries)
      throw new MessageError(`a sync has more than ${maxSyncEntries} entries`)
    const checked = this.#check(entries, 'add', sync)
    for (const entry of checked.entries) (isWide(entry) ? sync.wide : sync.entries).push(entry)
    for (const refusal of checked.refused) sync.refused.push(refusal)
    sync.parts++
    sync.count += entries.length
    if (more) {
      if (sync.entries.length >= enteredAtOnce) await this.#enter(sync)
      return []
    }
    this.#sync = undefined
    const full = await this.#admission.replace(sync.breadth, () => this.#end(sync))
    return done(id, [...sync.refused, ...full.map(isFull)])
  }

  /** Enters what has come of a long sync, while more of it is being read. */
  async #enter(sync: OpenSync): Promise<void> {
    const { entries } = sync
    sync.entries = []
    await (sync.entering ?? this.#guard.beginSync())
    sync.entering = this.#guard.enterPart(entries).then((full) => {
      for (const entry of full) sync.full.push(entry)
    })
    // Whoever awaits it hears of it.
    sync.entering.catch(() => {})
  }

  async #end({ entries, wide, full, entering }: OpenSync): Promise<readonly Entry[]> {
    const rest = [...entries, ...wide]
    if (entering === null) return this.#guard.sync(rest)
    await entering
    return this.#guard.endSync(rest, full)
  }

  #check(given: readonly WireEntry[], use: 'add' | 'del', sync?: OpenSync): Checked {
    const entries: Entry[] = []
    const refused: WireRefusal[] = []
    const now = performance.now()
    for (const entry of given) {
      const ports = this.#declared.get(entry[0])
      const answer =
        use === 'add' ? this.#admission.admit(entry, ports, now, sync?.breadth) : this.#admission.release(entry, ports)
      if (typeof answer === 'string') refused.push([entry[1], entry[2], answer])
      else entries.push(answer)
    }
    return { entries, refused }
  }
}

function newSync(id: number): OpenSync {
  const nothing = { entries: [], wide: [], refused: [], full: [], entering: null }
  return { id, breadth: new Breadth(), ...nothing, parts: 0, count: 0 }
}

const isFull = ({ address, length }: Entry): WireRefusal => [address, length, 'full']

const failed = (id: number | null, code: FailureCode, message: string): Reply => ({ type: 'failed', id, code, message })

function done(id: number, refused: readonly WireRefusal[]): Reply[] {
  const parts = pieces(refused)
  return parts.map((part, place) => ({ type: 'done', id, refused: part, more: place < parts.length - 1 }))
}

/** Messages of entries with the same ports each. */
function listed(id: number, entries: readonly Entry[]): Reply[] {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const name = setName(entry)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [entry])
    else group.push(entry)
  }
  const now = performance.now()
  const replies: Reply[] = []
  for (const part of [...groups.values()].flatMap(pieces)) {
    const ports = part.slice(0, 1).map(({ ports }) => [ports.protocol, ports.ports] as const)
    replies.push({ type: 'listed', id, ports, entries: part.map((entry) => toWire(entry, now)), more: true })
  }
  return [...replies, { type: 'listed', id, ports: [], entries: [], more: false }]
}

function toWire({ address, length, endsAt }: Entry, now: number): WireEntry {
  return [0, address, length, endsAt === null ? null : Math.max(0, Math.ceil((endsAt - now) / 1000))]
}

/** Pieces of a list that fit into a frame; one empty piece of an empty list. */
function pieces<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = []
  for (let at = 0; at === 0 || at < items.length; at += itemsEach) parts.push(items.slice(at, at + itemsEach))
  return parts
}
