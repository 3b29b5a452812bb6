import type { Entry } from './entry.ts'

/** The last entry of a stream: its time, and the how-manieth of this time it is. */
interface Mark {
  readonly time: bigint
  readonly count: number
}

/** The streams of a container are written side by side: an entry may stand behind one that is so much younger. */
const disorderNs = 10_000_000_000n

/**
 * How far the log of a container has been read. Engines keep no positions but times, and many lines may have the same:
 * so a place is the time of the last entry of each stream, and how many of that time there were.
 */
export class Place {
  readonly #container: string
  /** Of all that was seen, and of what has been handed on: up to the end of a line. */
  readonly #seen = new Map<number, Mark>()
  readonly #done = new Map<number, Mark>()
  /** What is to be passed over, since it was handed on before. */
  readonly #known = new Map<number, Mark>()
  readonly #beginning: bigint

  /**
   * `cursor` is what `text` of an earlier place was; that of another container is passed over. Without one it begins at
   * `beginning`, in nanoseconds.
   */
  constructor(container: string, cursor: string | null, beginning: bigint) {
    this.#container = container
    this.#beginning = beginning
    for (const [stream, mark] of marksOf(container, cursor)) this.#done.set(stream, mark)
    this.again()
  }

  /** Entries before this time have been handed on, or are too old. */
  get since(): bigint {
    const times = Array.from(this.#done.values(), ({ time }) => time)
    if (times.length === 0) return this.#beginning
    const last = times.reduce((a, b) => (a > b ? a : b)) - disorderNs
    return last > 0n ? last : 0n
  }

  /** The log is read again from `since` on: what was handed on comes once more. */
  again(): void {
    this.#seen.clear()
    this.#known.clear()
    for (const [stream, mark] of this.#done) this.#known.set(stream, mark)
  }

  /** Notes the entry; false where it was handed on before. */
  admits({ stream, time }: Entry): boolean {
    const last = this.#seen.get(stream)
    const count = last?.time === time ? last.count + 1 : 1
    this.#seen.set(stream, { time, count })
    const known = this.#known.get(stream)
    if (known === undefined) return time >= this.#beginning
    if (time < known.time || (time === known.time && count <= known.count)) return false
    // From here on all is new, whatever its times: the clock may be set back.
    this.#known.delete(stream)
    return true
  }

  /** All that was seen of this stream has been handed on. */
  done(stream: number): void {
    const mark = this.#seen.get(stream)
    if (mark !== undefined) this.#done.set(stream, mark)
  }

  get text(): string {
    return [
      this.#container,
      ...Array.from(this.#done, ([stream, { time, count }]) => `${stream}:${time}:${count}`),
    ].join(' ')
  }
}

function marksOf(container: string, cursor: string | null): [number, Mark][] {
  const [id, ...marks] = (cursor ?? '').split(' ')
  if (id !== container) return []
  return marks.flatMap((mark): [number, Mark][] => {
    const [, stream, time, count] = /^([0-3]):(\d{1,20}):(\d{1,15})$/.exec(mark) ?? []
    return time === undefined ? [] : [[Number(stream), { time: BigInt(time), count: Number(count) }]]
  })
}
