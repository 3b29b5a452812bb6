/**
 * 53 bits of a hash of a text, never 0, as two words: two runs of FNV-1a, the second over what the first makes of each
 * character. The seed is secret, so nobody can choose texts that look the same.
 */
export class SessionHash {
  /** What `read` made: 21 bits, and 32. */
  high = 0
  low = 0
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** `kind`: texts of different kinds are never the same. */
  read(text: string, kind = 0): void {
    let low = (this.#seed ^ kind) | 0
    let high = ~this.#seed
    for (let at = 0; at < text.length; at++) {
      low = Math.imul(low ^ text.charCodeAt(at), 0x01000193)
      high = Math.imul(high ^ (low >>> 13), 0x85ebca6b)
    }
    this.high = high >>> 11
    this.low = (low ^ (low >>> 15)) >>> 0 || 1
  }
}
