/** What a source in a plugin host emits: gathered, sent, and held back as far as the agent is behind. */
import type { Emit, EmitFrom } from '../../plugin.ts'
import { emitWindowBytes, type FromHost } from '../messages.ts'
import type { Channel } from './channel.ts'

/** Emitted bytes that go together are sent when they are so many, or when the source pauses. */
const pieceBytes = 128 * 1024
/** A piece counts as so much more, so that empty ones are bounded as well. */
const pieceCost = 1024
const maxLogs = 256
const newline = 10

interface Piece {
  readonly from: EmitFrom
  readonly parts: Uint8Array[]
  bytes: number
  cursor: string | null
  endsLine: boolean
}

/** What is to be said to the agent, in order. */
interface Held {
  readonly message: FromHost
  readonly bytes?: Uint8Array | undefined
  /** What it takes of the window. */
  readonly cost: number
}

/**
 * Brings what one source emits to the agent. `emit` resolves at once while less than half the window is emitted and
 * not taken, so a source that emits single lines sends them by the hundred. What is beyond the window waits here, in
 * the plugin's own memory. Order is kept.
 */
export class Emitter {
  readonly #channel: Channel
  readonly #instance: number
  readonly #signal: AbortSignal
  #open: Piece | null = null
  #flushing = false
  #emits = 0
  /** What the pieces cost that the agent has not taken, by their number. */
  readonly #underWay = new Map<number, { readonly cost: number; readonly log: string }>()
  #cost = 0
  /** What waits until the agent has taken some of what is under way. */
  readonly #held: Held[] = []
  #heldCost = 0
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #failure: Error | null = null
  /** The cursor behind the last whole line that was emitted, by log. */
  readonly #cursors = new Map<string, string>()

  constructor(channel: Channel, instance: number, signal: AbortSignal) {
    this.#channel = channel
    this.#instance = instance
    this.#signal = signal
    signal.addEventListener('abort', () => this.#fail(new Error('the source was stopped')), { once: true })
  }

  readonly emit: Emit = (bytes, from = {}) => {
    const error = this.#failure ?? (this.#signal.aborted ? new Error('the source was stopped') : null)
    this.#failure = null
    if (error !== null) return Promise.reject(error)
    if (!(bytes instanceof Uint8Array))
      return Promise.reject(new TypeError('emit takes bytes: a Uint8Array or a Buffer'))
    this.#put(bytes, from)
    if (this.#cost + this.#heldCost + (this.#open?.bytes ?? 0) < emitWindowBytes / 2) return done
    this.flush()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** As `SourceHost.cursor`. What is under way will be taken, so a source goes on behind it. */
  cursor(log: string): string | null {
    this.flush()
    this.#send({ message: { type: 'forget', instance: this.#instance, log }, cost: 0 })
    const known = this.#cursors.get(log)
    if (known !== undefined) return known
    const kept = this.#channel.ask({ ask: 'cursor', instance: this.#instance, log })
    return kept === null ? null : String(kept)
  }

  /** The agent has taken a piece, or could not. */
  taken(emit: number, error: string | null): void {
    const piece = this.#underWay.get(emit)
    if (piece === undefined) return
    this.#underWay.delete(emit)
    this.#cost -= piece.cost
    this.#sendHeld()
    if (error !== null) {
      // Where the agent is now, only the agent knows.
      this.#cursors.delete(piece.log)
      return this.#fail(new Error(error))
    }
    if (this.#cost + this.#heldCost >= emitWindowBytes / 2) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resolve } of waiting) resolve()
  }

  /** Sends what is gathered. */
  flush(): void {
    const piece = this.#open
    if (piece === null) return
    this.#open = null
    const emit = ++this.#emits
    const cost = piece.bytes + pieceCost
    const { log = '', live, writtenAt } = piece.from
    this.#underWay.set(emit, { cost, log: String(log) })
    const message: FromHost = {
      type: 'emit',
      instance: this.#instance,
      emit,
      log: String(log),
      cursor: piece.cursor,
      live: live ?? null,
      writtenAt: writtenAt ?? null,
    }
    this.#send({ message, bytes: piece.parts.length === 1 ? piece.parts[0] : Buffer.concat(piece.parts), cost })
  }

  /** Nothing comes any more. */
  ended(): void {
    this.flush()
    this.#send({ message: { type: 'ended', instance: this.#instance }, cost: 0 })
  }

  #send(held: Held): void {
    this.#held.push(held)
    this.#heldCost += held.cost
    this.#sendHeld()
  }

  #sendHeld(): void {
    for (let [next] = this.#held; next !== undefined; [next] = this.#held) {
      const { message, bytes, cost } = next
      if (this.#cost + cost > emitWindowBytes) return
      this.#held.shift()
      this.#heldCost -= cost
      this.#cost += cost
      this.#channel.send(message, bytes)
    }
  }

  #put(bytes: Uint8Array, from: EmitFrom): void {
    // A source may use its buffer again. What is longer than a piece is cut, with the cursor on its last part.
    for (let start = 0; start === 0 || start < bytes.length; start += pieceBytes) {
      const part = Uint8Array.from(bytes.subarray(start, start + pieceBytes))
      const { cursor, ...rest } = from
      const isLast = start + pieceBytes >= bytes.length
      this.#gather(part, isLast && cursor !== undefined ? { ...rest, cursor } : rest)
    }
    this.#note(bytes, from)
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.flush()
    })
  }

  #gather(part: Uint8Array, from: EmitFrom): void {
    const open = this.#open
    if (open === null || !goesWith(open, part, from)) {
      this.flush()
      this.#open = {
        from,
        parts: [part],
        bytes: part.length,
        cursor: from.cursor ?? null,
        endsLine: part.at(-1) === newline,
      }
      return
    }
    open.parts.push(part)
    open.bytes += part.length
    open.cursor = from.cursor ?? null
    if (part.length > 0) open.endsLine = part.at(-1) === newline
  }

  #note(bytes: Uint8Array, { log = '', cursor }: EmitFrom): void {
    if (cursor === undefined || (bytes.length > 0 && bytes.at(-1) !== newline)) return
    this.#cursors.delete(log)
    this.#cursors.set(log, cursor)
    const [oldest] = this.#cursors.keys()
    if (this.#cursors.size > maxLogs && oldest !== undefined) this.#cursors.delete(oldest)
  }

  #fail(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length === 0) this.#failure = error
    for (const { reject } of waiting) reject(error)
  }
}

const done = Promise.resolve()

/** Whether bytes may be told together with those before: they count alike, and no cursor is lost that stood alone. */
function goesWith(open: Piece, part: Uint8Array, from: EmitFrom): boolean {
  return (
    open.bytes + part.length <= pieceBytes &&
    open.from.log === from.log &&
    open.from.live === from.live &&
    open.from.writtenAt === from.writtenAt &&
    (open.cursor === null || !open.endsLine || (from.cursor !== undefined && part.at(-1) === newline))
  )
}
