/**
 * How long one change of the firewall may take. Short at first, so that a tool that hangs once delays
 * the next ban little; longer where the host has shown to be slow (nft needs seconds for any change where
 * somebody has a set of 100 000 ranges), or where the tool was late again and again.
 */
export class Patience {
  #slowMs = 0
  #late = 0

  /** The deadline of a first try, in milliseconds. */
  firstMs(elements: number): number {
    return Math.min(longestMs, Math.max(shortestMs, 3 * this.#slowMs)) + elements * eachMs
  }

  /** The deadline of the try after a first one that was late. */
  secondMs(elements: number): number {
    return Math.max(this.firstMs(elements), Math.min(longestSecondMs, shortestMs * 3 ** (this.#late + 1)))
  }

  /** A change came about. */
  took(ms: number, elements: number): void {
    this.#late = 0
    this.#slowMs = Math.max(ms - elements * eachMs, this.#slowMs * forgets)
  }

  /** Both tries were late. */
  late(): void {
    this.#late = Math.min(this.#late + 1, 10)
  }
}

const shortestMs = 1500
const longestSecondMs = 20_000
const longestMs = 60_000
/** Measured at the worst: 23 us an element. */
const eachMs = 0.1
/** A slow change counts less with each quick one after it. */
const forgets = 0.9
