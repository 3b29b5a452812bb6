/**
 * What a module may have beside its memory, so that an instance of it stays small: what V8 keeps of these lies in the heap
 * of the thread, and where that overflows at once, V8 ends the whole process.
 */
import { ModuleFault } from './module-fault.ts'
import { ModuleReader } from './module-reader.ts'

/** Of items in a section. Compilers stay far below in a module of 4 MiB. */
const mostItems: Readonly<Record<number, readonly [what: string, most: number]>> = {
  1: ['types', 10_000],
  3: ['functions', 50_000],
  4: ['tables', 16],
  6: ['globals', 10_000],
  7: ['exports', 10_000],
  9: ['element segments', 10_000],
  11: ['data segments', 10_000],
  13: ['exceptions', 0],
}
/** What fills tables: an item has one byte at least. */
const mostElementBytes = 256 * 1024
/** Elements that a table may have. */
const mostElements = 50_000
const [typeSection, tableSection, elementSection] = [1, 4, 9]
const functionType = 0x60
const references: readonly number[] = [0x70, 0x6f]
/** What a value may be: numbers, vectors, and references to functions and to what is outside. */
const values: readonly number[] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b, ...references]

/**
 * The module with a maximum for each of its tables: compilers write tables without one, and what cannot grow further says so
 * to the module. The same bytes where nothing is to be changed. Throws a ModuleFault for what has more than a matcher needs.
 */
export function boundedModule(bytes: Uint8Array): Uint8Array {
  const reader = new ModuleReader(bytes, 8)
  const parts: Uint8Array[] = [bytes.subarray(0, 8)]
  let changed = false
  while (!reader.done) {
    const start = reader.at
    const id = reader.byte()
    const section = reader.part(reader.number())
    const tables = checked(id, section)
    changed ||= tables !== null
    parts.push(tables === null ? bytes.subarray(start, reader.at) : Buffer.of(id, ...sized(tables)))
  }
  return changed ? Buffer.concat(parts) : bytes
}

/** What stands in the place of a section; null: itself. */
function checked(id: number, section: ModuleReader): readonly number[] | null {
  const [what, most] = mostItems[id] ?? []
  if (what === undefined || most === undefined) return null
  const bytes = section.rest().length
  const count = section.number()
  if (count > most) throw new ModuleFault(`it has ${count} ${what}, and a matcher at most ${most}`)
  if (id === elementSection && bytes > mostElementBytes)
    throw new ModuleFault(`it fills its tables with ${bytes} bytes, and a matcher with at most ${mostElementBytes}`)
  if (id === typeSection) for (let index = 0; index < count; index++) checkType(section)
  if (id !== tableSection) return null
  const tables = Array.from({ length: count }, () => boundedTable(section))
  return [...unsigned(count), ...tables.flat()]
}

/** Arrays and structures grow in the heap, whatever tables do. */
function checkType(section: ModuleReader): void {
  if (section.byte() !== functionType)
    throw new ModuleFault('it has a type that is no function; a matcher has no others')
  for (const _ of ['parameters', 'results'])
    for (let left = section.number(); left > 0; left--)
      if (!values.includes(section.byte())) throw new ModuleFault('it has values of a type that a matcher may not have')
}

function boundedTable(section: ModuleReader): number[] {
  const type = section.byte()
  const flags = section.byte()
  if (!references.includes(type) || flags > 1)
    throw new ModuleFault('it has a table of a kind that a matcher may not have')
  const least = section.number()
  if (least > mostElements)
    throw new ModuleFault(`it has a table of ${least} elements, and a matcher one of at most ${mostElements}`)
  const most = Math.min(mostElements, (flags & 1) === 0 ? mostElements : section.number())
  return [type, 1, ...unsigned(least), ...unsigned(most)]
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

/** As an unsigned LEB128 number. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...unsigned(Math.floor(value / 128))]
}
