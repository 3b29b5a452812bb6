/** Lets what comes from a plugin host take a part of this thread's time, and no more: the rest belongs to bans. */
import type { Readable } from 'node:stream'

/** Of each second, in the long run. What 50 000 events a second take is less. */
const share = 0.25
/** So much may come at once. */
const burstMs = 250
/** It is told when reading rested for half of such a time. */
const tellEveryMs = 5000

export interface FairShareOptions {
  /** Called now and then while what comes takes more than its share. */
  readonly exceeded: () => void
  readonly now?: () => number
}

/** One for all streams of a host. */
export class FairShare {
  readonly #options: FairShareOptions
  readonly #now: () => number
  /** Time that was taken and has not been made up for by waiting. */
  #owedMs = 0
  #at: number
  #window = { since: 0, restedMs: 0 }

  constructor(options: FairShareOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#at = this.#now()
  }

  /** Has `take` take what comes of a stream, which is paused for as long as it has had more than its share. */
  read(stream: Readable, take: (data: Buffer) => void): void {
    stream.on('data', (data: Buffer) => {
      const began = this.#now()
      take(data)
      const restMs = this.rest(this.#now() - began)
      if (restMs === 0) return
      stream.pause()
      setTimeout(() => stream.resume(), restMs).unref()
    })
  }

  /** How long nothing is to be read after something took so long. */
  rest(tookMs: number): number {
    const now = this.#now()
    this.#owedMs = Math.max(0, this.#owedMs - (now - this.#at) * share) + tookMs
    this.#at = now
    if (this.#owedMs <= burstMs) return 0
    const restMs = (this.#owedMs - burstMs) / share
    this.#note(now, restMs)
    return restMs
  }

  #note(now: number, restMs: number): void {
    if (now - this.#window.since > tellEveryMs) this.#window = { since: now, restedMs: 0 }
    this.#window.restedMs += restMs
    if (this.#window.restedMs < tellEveryMs / 2) return
    this.#window = { since: now, restedMs: 0 }
    this.#options.exceeded()
  }
}
