import type { Ban, CountedFailures, Kept, LogPosition } from '../events.ts'
import type { LoadedPart } from './messages.ts'
import { unpackBans, unpackOffences, type PackedBans } from './packed-bans.ts'
import type { Offence } from './records.ts'

/** What was stored when the agent started. */
export interface Loaded {
  /** Bans in force, made as they are walked through. Of more than 20 000 the lines are left in the history. */
  readonly bans: Iterable<Ban>
  /** The bans within the history, the oldest decision first. */
  readonly offences: Iterable<Offence>
  /** What was counted, in order. */
  readonly failures: readonly CountedFailures[]
  readonly positions: readonly LogPosition[]
  readonly kept: readonly Kept[]
}

/** Takes in what the thread of the store loads, part by part. */
export class LoadedParts implements Loaded {
  #bans: PackedBans[] = []
  failures: CountedFailures[] = []
  positions: LogPosition[] = []
  kept: Kept[] = []

  constructor(part: LoadedPart = {}) {
    this.take(part)
  }

  take({ bans, failures = [], positions = [], kept = [] }: LoadedPart): void {
    if (bans) this.#bans.push(bans)
    this.failures.push(...failures)
    this.positions.push(...positions)
    this.kept.push(...kept)
  }

  forget(): void {
    this.#bans = []
    this.failures = []
    this.positions = []
    this.kept = []
  }

  get bans(): Iterable<Ban> {
    return { [Symbol.iterator]: () => each(this.#bans, unpackBans) }
  }

  get offences(): Iterable<Offence> {
    return { [Symbol.iterator]: () => each(this.#bans, unpackOffences) }
  }
}

function* each<T>(parts: readonly PackedBans[], unpack: (part: PackedBans) => Iterable<T>): Generator<T> {
  for (const part of parts) yield* unpack(part)
}
