import type { Emit, Host } from '../../../core/plugin.ts'
import type { Entry } from './entry.ts'
import type { Place } from './place.ts'

const maxLineBytes = 64 * 1024
const maxBatchBytes = 256 * 1024
/** Lines that are older than this when they come are no news. */
const liveMs = 60_000
/** Lines of a batch count at one time where they have no date of their own: it must be nearly theirs. */
const batchNs = 10_000_000_000n
const newline = Buffer.from('\n')

/** Hands the lines of one container on, each once, with the place behind them. */
export class ContainerLog {
  readonly name: string
  readonly place: Place
  readonly #emit: Emit
  readonly #host: Host
  /** Parts of a line, by stream; null where it is too long and passed over. */
  readonly #parts = new Map<number, Buffer[] | null>()
  #lines: Buffer[] = []
  #bytes = 0
  #first = 0n
  #last = 0n

  /** `name` names the log. */
  constructor(name: string, place: Place, emit: Emit, host: Host) {
    this.name = name
    this.place = place
    this.#emit = emit
    this.#host = host
  }

  /** The log is read again from the place: what was unfinished comes again. */
  again(): void {
    this.place.again()
    this.#parts.clear()
  }

  /** Resolves when the agent has taken them. */
  async take(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      if (!this.place.admits(entry)) continue
      const line = this.#join(entry)
      if (!entry.ends) continue
      if (this.#bytes > 0 && (this.#bytes > maxBatchBytes || entry.time - this.#first > batchNs)) await this.#flush()
      if (this.#lines.length === 0) this.#first = entry.time
      this.#last = entry.time
      this.place.done(entry.stream)
      if (line === null) continue
      this.#lines.push(line, newline)
      this.#bytes += line.length + 1
    }
    await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const bytes = Buffer.concat(this.#lines)
    this.#lines = []
    this.#bytes = 0
    const writtenAt = Number(this.#last / 1_000_000n)
    const live = this.#host.now() - writtenAt < liveMs
    await this.#emit(bytes, { log: this.name, cursor: this.place.text, ...(live ? {} : { writtenAt }) })
  }

  /** The whole line that ends with this entry; null where it does not end yet or is too long. */
  #join({ stream, text, ends }: Entry): Buffer | null {
    const parts = this.#parts.get(stream)
    if (ends) this.#parts.delete(stream)
    if (parts === undefined && ends) return withoutReturn(text)
    if (parts === null) return null
    const all = [...(parts ?? []), Buffer.from(text)]
    const length = all.reduce((sum, part) => sum + part.length, 0)
    if (!ends) this.#parts.set(stream, length > maxLineBytes ? null : all)
    return ends && length <= maxLineBytes ? withoutReturn(Buffer.concat(all)) : null
  }
}

/** A terminal ends its lines with a carriage return as well. No newline can be inside. */
function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}
