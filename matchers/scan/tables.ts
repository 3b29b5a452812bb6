/** Lays out the memory of a scanner and fills it with the tables of its filters. */
import type { CompiledFilter } from '../../core/plugin.ts'
import { Automaton, classesOf, sizeOf, type ByteClasses, type MadeStates, type Verdict } from './automaton.ts'
import { judgeContent, judgeGroup, notedGroups, type FilterGroup } from './filter-groups.ts'
import { startKernel, type Kernel } from './kernel.ts'
import { literalBytes, writeLiterals, type LiteralWindows } from './literal-tables.ts'
import type { ProgramGraph } from './program.ts'
import { roundedUp, TableMemory } from './table-memory.ts'

/** A kernel that is ready to scan, and what it is asked about. */
export interface ScannerTables {
  readonly kernel: Kernel
  readonly memory: TableMemory
  /** Those of the groups first, in their order; then those of contents. */
  readonly automata: readonly AutomatonOf[]
  /** Where text goes, and how much of it. */
  readonly textAt: number
  readonly textBytes: number
  readonly recordsAt: number
  readonly rowsAt: number
  readonly rowBytes: number
  readonly minutesAt: number
  readonly programsAt: number
}

export interface AutomatonOf {
  readonly automaton: Automaton
  readonly classes: ByteClasses
  /** Where the kernel reads whether others do its work: a word. */
  readonly offAt: number
  /** The filters that look through it, by their index. */
  readonly filters: readonly number[]
}

/** Names of programs that are known at once. */
export const maxRows = 512
/** Bytes of the tables of minutes and of programs. */
export const minuteBytes = 256 * 16
export const programBytes = 256 * 64

const textBytes = 1 << 20
const recordBytes = 1 << 16
const longestText = 1 << 16
/** What the states of all automata may take, and how many an automaton has. */
const [stateBudget, leastStates, mostStates] = [24 << 20, 256, 4096]
const [automatonBytes, ruleBytes, recordHead] = [64, 32, 96]
/** What the kernel reads behind the end of a text. */
const slack = 64
const notesBytes = 2 * longestText + slack

interface Plan {
  readonly program: ProgramGraph
  readonly classes: ByteClasses
  readonly judge: (matching: (rule: number) => boolean) => readonly Verdict[]
  readonly filters: readonly number[]
  /** For each rule: the pattern's place in its filter, its groups of addresses; content: of which automaton, and how many groups may hold it. */
  readonly rules: readonly RulePlan[]
}

interface RulePlan {
  readonly place: number
  readonly addresses: number
  readonly content: { readonly automaton: number; readonly groups: number } | null
}

/** What automata made, for those of another scanner with the very same filters, by their order. */
export type MadeTables = readonly { readonly classes: ByteClasses; readonly states: MadeStates }[]

/** Makes them. `given` are the filters that the groups name by their index. */
export function makeTables(
  code: WebAssembly.Module,
  given: readonly CompiledFilter[],
  groups: readonly FilterGroup[],
  windows: LiteralWindows | null,
  made: MadeTables = [],
): ScannerTables {
  const plans = planAll(given, groups, made)
  const states = Math.floor(
    stateBudget /
      Math.max(
        1,
        plans.reduce((sum, plan) => sum + perState(plan), 0),
      ),
  )
  const count = Math.min(mostStates, Math.max(leastStates, states))
  const sizes = plans.map(({ program, classes }) => sizeOf(program, classes, count))
  const rowBytes = 8 + 4 * groups.length
  const lineRecords = given.reduce((sum, filter) => sum + recordHead + 8 * captures(filter), recordHead) * 2
  const memory = new TableMemory(
    sizes.reduce((sum, { bytes }) => sum + bytes + 8 * 64, 0) +
      plans.reduce((sum, { rules }) => sum + roundedUp(automatonBytes) + roundedUp(rules.length * ruleBytes), 0) +
      roundedUp(maxRows * rowBytes) +
      (windows === null ? 0 : literalBytes(windows)) +
      recordBytes +
      lineRecords +
      textBytes +
      longestText +
      2 * notesBytes +
      minuteBytes +
      programBytes +
      32 * 64 +
      slack,
  )
  const kernel = startKernel(code, memory.memory)
  const literals = windows === null ? 0 : writeLiterals(windows, memory, kernel)
  const automataAt = memory.take(plans.length * automatonBytes)
  const automata = plans.map(({ program, classes, judge, filters, rules }, index) => {
    const automaton = new Automaton(program, classes, sizes[index] ?? sizeOf(program, classes, count), memory, judge)
    automaton.start(made[index]?.states)
    const rulesAt = memory.take(rules.length * ruleBytes)
    rules.forEach((rule, at) => memory.u32.set(ruleWords(program, at, rule), (rulesAt + at * ruleBytes) >> 2))
    const at = automataAt + index * automatonBytes
    const shorter = Math.min(program.shorterThan, longestText + 1)
    memory.u32.set([...automaton.words, rulesAt, shorter, 0], at >> 2)
    return { automaton, classes, offAt: at + 40, filters }
  })
  const tables = {
    kernel,
    memory,
    automata,
    textAt: memory.take(textBytes + slack),
    textBytes,
    recordsAt: memory.take(recordBytes + lineRecords),
    rowsAt: memory.take(maxRows * rowBytes),
    rowBytes,
    minutesAt: memory.take(minuteBytes),
    programsAt: memory.take(programBytes),
  }
  kernel.configure(
    tables.textAt,
    tables.recordsAt,
    tables.recordsAt + recordBytes,
    automataAt,
    tables.rowsAt,
    rowBytes,
    memory.take(longestText + slack),
    memory.take(2 * notesBytes),
    notesBytes,
    tables.minutesAt,
    tables.programsAt,
    literals,
  )
  return tables
}

function planAll(given: readonly CompiledFilter[], groups: readonly FilterGroup[], made: MadeTables): Plan[] {
  const contents: Omit<Plan, 'classes'>[] = []
  const plans = groups.map((group): Omit<Plan, 'classes'> => {
    const rules: RulePlan[] = group.program.rules.map(() => ({ place: 0, addresses: 0, content: null }))
    for (const { filter, prefregex, failregex, content } of group.filters) {
      const patterns = given[filter]
      if (patterns === undefined) continue
      const fail = patterns.failregex.map((pattern, place) => ({
        place,
        addresses: notedGroups(pattern).addresses,
        content: null,
      }))
      if (prefregex === null) failregex.forEach((rule, place) => (rules[rule] = fail[place] ?? rules[rule]!))
      else if (content !== null && patterns.prefregex !== null) {
        const automaton = groups.length + contents.length
        const { addresses, contents: contentGroups } = notedGroups(patterns.prefregex)
        rules[prefregex] = { place: 0, addresses, content: { automaton, groups: contentGroups } }
        contents.push({
          program: content.program,
          judge: judgeContent(filter, content),
          filters: [filter],
          rules: fail,
        })
      }
    }
    return {
      program: group.program,
      judge: judgeGroup(group),
      filters: group.filters.map(({ filter }) => filter),
      rules,
    }
  })
  return [...plans, ...contents].map((plan, index) => ({
    ...plan,
    classes: made[index]?.classes ?? classesOf(plan.program),
  }))
}

/** As `look` of the kernel reads them. */
function ruleWords(program: ProgramGraph, index: number, { place, addresses, content }: RulePlan): number[] {
  const rule = program.rules[index]
  const inside = content === null ? [0, 0] : [content.automaton + 1, content.groups]
  return [rule?.start ?? 0, rule?.groups.length ?? 0, addresses, place, ...inside, 0, 0]
}

function captures({ prefregex, failregex }: CompiledFilter): number {
  const most = Math.max(0, ...failregex.map(({ groups }) => groups.length))
  return most + (prefregex?.groups.length ?? 0)
}

function perState({ program, classes }: Plan): number {
  return sizeOf(program, classes, 1).bytes - sizeOf(program, classes, 0).bytes
}
