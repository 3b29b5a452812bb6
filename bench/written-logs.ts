import { join } from 'node:path'
import type { GeneratedLogAnswer } from './corpora/generated-log.ts'
import type { ScanCase } from './scan-cases.ts'

/** A log, and what it holds. */
export interface WrittenLog extends GeneratedLogAnswer {
  readonly log: string
}

/** The logs of a case in a folder, each size written once. */
export class WrittenLogs {
  readonly #one: ScanCase
  readonly #folder: string
  readonly #written = new Map<number, WrittenLog>()

  constructor(one: ScanCase, folder: string) {
    this.#one = one
    this.#folder = folder
  }

  /** The log of so many MB. */
  of(megabytes: number): WrittenLog {
    const known = this.#written.get(megabytes)
    if (known !== undefined) return known
    const log = join(this.#folder, `${megabytes}.log`)
    const written = { log, ...this.#one.write(log, { bytes: megabytes * 1e6, attacks: this.#one.attacks, seed: 1 }) }
    this.#written.set(megabytes, written)
    return written
  }
}
