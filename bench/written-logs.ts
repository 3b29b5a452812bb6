import { join } from 'node:path'
import type { GeneratedLogAnswer, GeneratedLogOptions } from './corpora/generated-log.ts'

/** Who writes logs, and how many of their lines are failures, 0 to 1. */
export interface Corpus {
  readonly write: (file: string, options: GeneratedLogOptions) => GeneratedLogAnswer
  readonly attacks: number
}

/** A log, and what it holds. */
export interface WrittenLog extends GeneratedLogAnswer {
  readonly log: string
}

/** The logs of a corpus in a folder, each size written once. */
export class WrittenLogs {
  readonly #corpus: Corpus
  readonly #folder: string
  readonly #written = new Map<number, WrittenLog>()

  constructor(corpus: Corpus, folder: string) {
    this.#corpus = corpus
    this.#folder = folder
  }

  /** The log of so many MB. */
  of(megabytes: number): WrittenLog {
    const known = this.#written.get(megabytes)
    if (known !== undefined) return known
    const log = join(this.#folder, `${megabytes}.log`)
    const written = {
      log,
      ...this.#corpus.write(log, { bytes: megabytes * 1e6, attacks: this.#corpus.attacks, seed: 1 }),
    }
    this.#written.set(megabytes, written)
    return written
  }
}
