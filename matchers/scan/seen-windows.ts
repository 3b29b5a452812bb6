/** Bytes of a window. */
export const windowLength = 3

/** How often each three bytes stand in some of a log. */
export class SeenWindows {
  readonly #counts = new Map<number, number>()

  constructor(sample: Uint8Array) {
    const counts = this.#counts
    let bytes = 0
    for (let at = 0; at < sample.length; at++) {
      bytes = ((bytes << 8) | (sample[at] ?? 0)) & 0xffffff
      if (at >= windowLength - 1) counts.set(bytes, (counts.get(bytes) ?? 0) + 1)
    }
  }

  times(window: string): number {
    return this.#counts.get(bytesOf(window)) ?? 0
  }

  /** Those which seem to be one of these windows when only their half bytes are looked at: `[bytes, times]`, the most frequent first. */
  like(windows: readonly string[]): [bytes: number, times: number][] {
    const all = new HalfBytes()
    for (const window of windows) all.add(window)
    return [...this.#counts].filter(([bytes]) => all.has(bytes)).toSorted((a, b) => b[1] - a[1])
  }
}

/** The half bytes of some windows: what the kernel's tables know of a bucket. */
export class HalfBytes {
  /** By place, those of the low half and those of the high one: a bit for each of the 16. */
  #halves: readonly number[]

  constructor(halves: readonly number[] = [0, 0, 0, 0, 0, 0]) {
    this.#halves = halves
  }

  add(window: string): void {
    this.#halves = this.with(window).#halves
  }

  with(window: string): HalfBytes {
    const bytes = bytesOf(window)
    return new HalfBytes(this.#halves.map((half, index) => half | (1 << ((bytes >> (20 - index * 4)) & 15))))
  }

  has(bytes: number): boolean {
    for (let index = 0; index < 6; index++) {
      if (((this.#halves[index] ?? 0) & (1 << ((bytes >> (20 - index * 4)) & 15))) === 0) return false
    }
    return true
  }

  /** How many windows there are of these half bytes. */
  get size(): number {
    return this.#halves.reduce((product, half) => product * bitsOf(half), 1)
  }
}

/** A byte beyond the end of the text stands for any; it is counted as none. */
function bytesOf(window: string): number {
  let bytes = 0
  for (let place = 0; place < windowLength; place++) bytes = (bytes << 8) | (window.charCodeAt(place) || 0)
  return bytes
}

function bitsOf(half: number): number {
  let bits = 0
  for (let rest = half; rest !== 0; rest &= rest - 1) bits++
  return bits
}
