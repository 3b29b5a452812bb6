import type { CompiledFilter, LineBlock, LineHead } from '../../core/plugin.ts'
import { createMessageReader } from '../regexp/messages.ts'
import type { FilterGroup } from './filter-groups.ts'
import { maxRows, minuteBytes, programBytes, type ScannerTables } from './tables.ts'

/** Answers what the kernel asks about the heads of lines, by asking those who read all heads. */
export class LineKnowledge {
  /** The name of the program of each row; the first row is that of lines without a header. */
  readonly programs: string[] = ['']
  readonly #tables: ScannerTables
  readonly #readers: readonly ((head: LineHead) => string | null)[]

  constructor(tables: ScannerTables, groups: readonly FilterGroup[]) {
    this.#tables = tables
    this.#readers = groups.map(({ programs }: { programs: CompiledFilter['programs'] }) =>
      createMessageReader(programs),
    )
    this.#writeRow(0, null)
  }

  /** Forgets the minutes: what a date without a year means depends on when it is read. */
  forgetMinutes(): void {
    const { memory, minutesAt } = this.#tables
    memory.u8.fill(0, minutesAt, minutesAt + minuteBytes)
  }

  /** Tells the time of the line that the kernel is at; where its date is read in another way, that it is unusual. */
  tellMinute(block: LineBlock, base: number): void {
    const { kernel } = this.#tables
    const [start, end] = [kernel.missedFrom(), kernel.missedTo()]
    const head = block.head(start - base, end - base)
    const [from, to] = [kernel.missedCutFrom() - start, kernel.missedCutTo() - start]
    const { line, time } = head
    const isSame = !head.ascii || head.undated === line.slice(0, from) + line.slice(to)
    const isKnown = isSame && time !== null
    kernel.tellTime(isKnown ? time : Number.NaN, isKnown && (block.isSteady?.(time) ?? false))
  }

  /** Tells which automata look at lines of the program of that line. `block` hears of the lines counted so far when there is no room for more. */
  tellProgram(block: LineBlock): void {
    const { kernel, memory, textAt } = this.#tables
    const [from, to] = [kernel.missedProgramFrom() + textAt, kernel.missedProgramTo() + textAt]
    const name = Buffer.from(memory.u8.subarray(from, to)).toString('latin1')
    const known = this.programs.indexOf(name, 1)
    if (known < 0 && this.programs.length >= maxRows) this.#forgetPrograms(block)
    const row = known < 0 ? this.programs.push(name) - 1 : known
    if (known < 0) this.#writeRow(row, name)
    kernel.tellProgram(row)
  }

  /** Tells the block how many lines of each program were looked at. */
  tellLooked(block: LineBlock): void {
    const { memory, rowsAt, rowBytes } = this.#tables
    for (let row = 0; row < this.programs.length; row++) {
      const at = (rowsAt + row * rowBytes) >> 2
      const lines = memory.u32[at] ?? 0
      if (lines === 0) continue
      memory.u32[at] = 0
      block.looked?.(row === 0 ? null : (this.programs[row] ?? ''), lines)
    }
  }

  #forgetPrograms(block: LineBlock): void {
    const { memory, programsAt } = this.#tables
    this.tellLooked(block)
    this.programs.length = 1
    memory.u8.fill(0, programsAt, programsAt + programBytes)
  }

  /** A row: how many lines, how many automata, and each with whether it sees all of the line but its date. */
  #writeRow(row: number, program: string | null): void {
    const { memory, rowsAt, rowBytes } = this.#tables
    const [message, undated] = ['message', 'undated']
    const head: LineHead = {
      line: '',
      ascii: true,
      time: 0,
      undated,
      syslog: program === null ? null : { program, pid: '', message, attempts: 1 },
    }
    const looking = this.#readers.flatMap((read, automaton) => {
      const text = read(head)
      return text === null ? [] : [automaton | (text === undated ? 1 << 16 : 0)]
    })
    memory.u32.set([0, looking.length, ...looking], (rowsAt + row * rowBytes) >> 2)
  }
}
