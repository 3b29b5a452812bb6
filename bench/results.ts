/** Results by machine and date, as they are kept in `bench/results/`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { CaseText, Figure } from './part.ts'

export interface CaseResult extends CaseText {
  readonly part: string
  /** The first one is that which others are compared with. */
  readonly figures: readonly Figure[]
}

export interface Results {
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly rounds: number
  readonly cases: readonly CaseResult[]
}

/** The results of a machine and a day: each case as it was measured last, in the order of the parts. */
export class KeptResults {
  readonly file: string
  #results: Results

  constructor(folder: string, rounds: number) {
    const [cpu] = cpus()
    const date = new Date().toISOString().slice(0, 10)
    const machine = `${cpus().length} x ${cpu?.model.trim()}`
    mkdirSync(folder, { recursive: true })
    this.file = join(folder, `${date}-${machine.replace(/[^A-Za-z0-9]+/g, '-').toLowerCase()}.json`)
    const before = existsSync(this.file) ? (JSON.parse(readFileSync(this.file, 'utf8')) as Results).cases : []
    this.#results = { date, machine, node: process.version, rounds, cases: before }
  }

  get all(): Results {
    return this.#results
  }

  /** Keeps a result, and forgets those of cases that are none any more. `order`: all cases, as they are run. */
  keep(result: CaseResult, order: readonly Pick<CaseResult, 'part' | 'name'>[]): void {
    const cases = order.flatMap(({ part, name }) => {
      const is = (one: Pick<CaseResult, 'part' | 'name'>) => one.part === part && one.name === name
      return is(result) ? [result] : this.#results.cases.filter(is)
    })
    this.#results = { ...this.#results, cases }
    writeFileSync(this.file, `${JSON.stringify(this.#results, null, 2)}\n`)
  }
}
