/** What a scanner made of its filters, as bytes that another one reads. */
import { createHash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import type { CompiledFilter, KeptTables } from '../../core/plugin.ts'
import type { FilterGroup } from './filter-groups.ts'
import { kernelBytes } from './kernel.ts'
import type { LiteralWindows } from './literal-tables.ts'
import type { MadeTables, ScannerTables } from './tables.ts'

/** All that has to be made before lines can be scanned. */
export interface ScannerPlan {
  readonly groups: readonly FilterGroup[]
  readonly left: readonly { readonly filter: number; readonly reason: string }[]
  readonly windows: LiteralWindows | null
  readonly made: MadeTables
}

/** To be raised with every change of what a plan holds, or of how tables are made of it. */
const format = 2

/** So many bytes were scanned when the tables are kept for the first time. */
const firstKept = 4 << 20

/** Keeps the plan of some filters. Blocks are counted: what is made with the first of them is what most lines need. */
export class KeptPlan {
  readonly #kept: KeptTables
  readonly #key: string
  #statesKept = 0
  #bytes = 0
  #keepAt = firstKept

  constructor(kept: KeptTables, filters: readonly CompiledFilter[]) {
    this.#kept = kept
    const hash = createHash('sha256').update(kernelBytes()).update(JSON.stringify(filters)).digest('hex')
    this.#key = `scan ${format} ${process.versions.v8} ${hash}`
  }

  /** What was kept; null where nothing was that can be read. */
  read(): ScannerPlan | null {
    const bytes = this.#kept.read(this.#key)
    if (bytes === null) return null
    try {
      const plan = deserialize(bytes) as ScannerPlan
      this.#statesKept = plan.made.reduce((sum, { states }) => sum + states.taking.length, 0)
      return plan
    } catch {
      return null
    }
  }

  /** So many bytes were scanned: from time to time it is kept what more was made of them. */
  scanned(bytes: number, plan: Omit<ScannerPlan, 'made'>, { automata }: ScannerTables): void {
    this.#bytes += bytes
    if (this.#bytes < this.#keepAt) return
    this.#keepAt *= 8
    const states = automata.reduce((sum, { automaton }) => sum + automaton.made, 0)
    if (states <= this.#statesKept) return
    this.#statesKept = states
    const made = automata.map(({ automaton, classes }) => ({ classes, states: automaton.states }))
    this.#kept.write(this.#key, serialize({ ...plan, made }))
  }
}
