/** Results by machine and date, as they are kept in `bench/results/`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

export interface Figure {
  readonly peer: string
  /** Lines in a second of one processor; the median of the rounds. */
  readonly linesPerCpuSecond: number
  readonly megabytesPerCpuSecond: number
}

export interface CaseResult {
  readonly name: string
  readonly task: string
  /** Bailiff first. */
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

export function resultsNow(cases: readonly CaseResult[], rounds: number): Results {
  const [cpu] = cpus()
  const date = new Date().toISOString().slice(0, 10)
  return { date, machine: `${cpus().length} x ${cpu?.model.trim()}`, node: process.version, rounds, cases }
}

/** Writes them as JSON to a file of their own in the folder, which it answers. */
export function keepResults(results: Results, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const machine = results.machine.replace(/[^A-Za-z0-9]+/g, '-').toLowerCase()
  const file = join(folder, `${results.date}-${machine}.json`)
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  return file
}
