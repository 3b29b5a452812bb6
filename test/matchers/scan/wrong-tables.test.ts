import * as assert from 'uvu/assert'
import { literalsOf } from '../../../matchers/regexp/prefilter.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { BlockScanner } from '../../../matchers/scan/block-scanner.ts'
import { groupFilters } from '../../../matchers/scan/filter-groups.ts'
import { loadKernelCode } from '../../../matchers/scan/kernel.ts'
import { windowsOf } from '../../../matchers/scan/literal-tables.ts'
import { makeTables, type ScannerTables } from '../../../matchers/scan/tables.ts'
import type { Scanner } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'
import { allShipped, firstDifference, linesFor } from './comparison.ts'

const test = suite('wrong tables are found out')
const [sshd] = (await allShipped()).filter(({ name }) => name === 'sshd (normal)')
const others = Array.from(
  { length: 4000 },
  (_, pid) => `Nov 22 13:41:02 h sshd[${pid}]: Server listening on 0.0.0.0 port 22.`,
)
/** With so many others, literals are looked for. */
const lines = sshd === undefined ? [] : [...linesFor(sshd, 800, 9), ...others]

/** What is changed in tables that the automata have made by scanning the lines once. */
const changes: readonly [name: string, change: (tables: ScannerTables) => void][] = [
  ['a transition', ({ memory, automata }) => swapWords(memory.u16, 2 * 40, automata[0]?.automaton.words[1] ?? 0)],
  ['which choices lead on', ({ memory, automata }) => flip(memory.u8, automata[0]?.automaton.words[5] ?? 0, 4000)],
  ['where the ways go', ({ memory, automata }) => swapWays(memory.u32, automata[0]?.automaton.words[7] ?? 0)],
  [
    'the classes of bytes',
    ({ memory, automata }) =>
      memory.u8.fill(0, (automata[0]?.automaton.words[3] ?? 0) + 194, (automata[0]?.automaton.words[3] ?? 0) + 210),
  ],
  [
    'the windows of literals',
    ({ memory, kernel }) => memory.u8.fill(0, kernel.literalTables(), kernel.literalTables() + 8),
  ],
  [
    'which literals have a window',
    ({ memory, kernel }) => memory.u8.fill(0, kernel.literalSlots(), kernel.literalSlots() + 4096),
  ],
]

test('with right tables nothing differs, with wrong ones something does', () => {
  assert.is(
    differenceAfter(() => {}),
    null,
  )
  for (const [name, change] of changes) assert.is.not(differenceAfter(change), null, name)
})

test.run()

function differenceAfter(change: (tables: ScannerTables) => void): string | null {
  if (sshd === undefined) throw new Error('there is sshd')
  const filters = [sshd.filter]
  const { groups } = groupFilters(filters, [0])
  const tables = makeTables(
    loadKernelCode(),
    filters,
    groups,
    windowsOf(literalsOf(sshd.filter) ?? [], new Uint8Array(0)),
  )
  const blocks = new BlockScanner(tables, filters, groups, true)
  const scanner: Scanner = { took: [0], scan: (block, found) => blocks.scan(block, found) }
  const plain = regexp.compile(filters)
  assert.is(firstDifference(scanner, plain, lines), null)
  change(tables)
  try {
    return firstDifference(scanner, plain, lines)
  } catch (error) {
    return String(error)
  }
}

/** Each row of some transitions is moved by one. */
function swapWords(words: Uint16Array, count: number, at: number): void {
  for (let word = at >> 1; word < (at >> 1) + count * 64; word += 2) {
    const first = words[word] ?? 0
    words[word] = words[word + 1] ?? 0
    words[word + 1] = first
  }
}

function flip(bytes: Uint8Array, at: number, count: number): void {
  for (let index = at; index < at + count; index++) bytes[index] = (bytes[index] ?? 0) ^ 0xff
}

/** Nodes that choose try the second way first. */
function swapWays(words: Uint32Array, at: number): void {
  for (let node = at >> 2; node < (at >> 2) + 4 * 500; node += 4) {
    if (words[node] !== 1) continue
    const first = words[node + 1] ?? 0
    words[node + 1] = words[node + 2] ?? 0
    words[node + 2] = first
  }
}
