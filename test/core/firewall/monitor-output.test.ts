import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { ForeignChange } from '../../../core/firewall/backend.ts'
import { MonitorReader } from '../../../core/firewall/monitor-output.ts'
import { readSetName, type SetKey } from '../../../core/firewall/set-names.ts'
import { suite } from '../../suite.ts'

const test = suite('output of nft monitor')

const ours = 77

/** What is heard of output that comes in these pieces. */
function heard(pieces: readonly (string | Uint8Array)[]): string[] {
  const changes: string[] = []
  const reader = new MonitorReader({
    isOurs: (pid) => pid === ours,
    keyOf,
    heard: (change) => changes.push(told(change)),
  })
  for (const piece of pieces) reader.read(Buffer.from(piece))
  return changes
}

function keyOf(set: string): SetKey | undefined {
  const read = readSetName(set)
  return read?.ports == null ? undefined : { ...read, ports: read.ports }
}

const told = (change: ForeignChange) =>
  change.kind === 'removed'
    ? change.entries.map(({ address, length }) => `${address}/${length}`).join(' ')
    : change.kind

const by = (pid: number) => `# new generation 7 by process ${pid} (nft)\n`

test('what others change is told, in the words of a foreign change', () => {
  for (const [lines, change] of [
    ['delete element inet bailiff all_v4 { 198.51.100.1 timeout 10m expires 9m59s952ms }', ['c6336401/32']],
    ['delete element inet bailiff all_v4 { 198.51.100.1, 198.51.100.2 timeout 1s }', ['c6336401/32 c6336402/32']],
    ['add element inet bailiff all_v4 { 198.51.100.1 timeout 1s expires 1s }', ['c6336401/32']],
    ['delete element inet bailiff tcp_22_v6_64 { 2001:db8:: }', ['20010db8000000000000000000000000/64']],
    ['delete element inet bailiff all_v6 { ::ffff:1.2.3.4 }', ['00000000000000000000ffff01020304/128']],
    ['delete element inet bailiff all_v4 { 198.51.100.1 }\ndelete set inet bailiff all_v4', ['changed']],
    ['delete element inet bailiff foreign { 22 }', ['changed']],
    ['delete element inet bailiff all_v4 { 2001:db8::1 }', ['changed']],
    ['delete element inet bailiff all_v4 { 198.51.100.1', ['changed']],
    ['delete table inet bailiff', ['changed']],
    ['add table inet bailiff { flags dormant; }', ['changed']],
    ['delete rule inet bailiff drop_banned handle 4', ['changed']],
    ['delete element inet bailiff2 all_v4 { 198.51.100.1 }', []],
    ['delete element ip bailiff all_v4 { 198.51.100.1 }', []],
    ['add rule inet filter input ip saddr 192.0.2.1 comment "delete table inet bailiff" drop', []],
    ['# ERROR: We lost some netlink events!', ['lost']],
    ['', []],
  ] as const) {
    assert.equal(heard([`${lines}\n`, by(1)]), change, lines)
  }
})

test('what we change is not told', () => {
  const deleted = 'delete table inet bailiff\n'
  assert.equal(heard([deleted, by(ours), deleted, by(78), deleted, by(ours)]), ['changed'])
})

test('a transaction that is too long to be kept is a change of something', () => {
  const line = 'delete element inet bailiff all_v4 { 198.51.100.1 }\n'
  assert.equal(heard([line.repeat(100_000), by(1), line, by(1)]), ['changed', 'c6336401/32'])
  assert.equal(heard([line.repeat(100_000), by(ours), line, by(1)]), ['c6336401/32'])
  assert.equal(heard(['x'.repeat(5_000_000), `\n${line}`, by(1)]).at(-1), 'c6336401/32')
})

test('it does not matter where the pieces end', () => {
  const text = `add set inet other x { }\n${by(3)}delete element inet bailiff all_v4 { 198.51.100.1 }\n${by(4)}delete table inet bailiff\n${by(ours)}delete chain inet bailiff c\n${by(5)}`
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const ends = [...cuts, text.length].toSorted((a, b) => a - b)
      assert.equal(heard(ends.map((end, place) => text.slice(ends[place - 1] ?? 0, end))), ['c6336401/32', 'changed'])
    }),
  )
})

test('any bytes are survived', () => {
  const words = [
    '# new generation ',
    'by process 1 (',
    'inet bailiff',
    'delete element inet bailiff all_v4 { ',
    ' }',
    '\n',
  ]
  const piece = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(...words))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      for (const change of heard(pieces)) assert.type(change, 'string')
    }),
    { numRuns: 2000 },
  )
})

test.run()
