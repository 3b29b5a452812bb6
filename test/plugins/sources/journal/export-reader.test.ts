import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { ExportReader, type JournalEntry } from '../../../../plugins/sources/journal/export-reader.ts'
import { suite } from '../../../suite.ts'
import { exported } from '../journald.ts'

const test = suite('export format of the journal')

const bytes = fc.uint8Array({ maxLength: 40 }).map((some) => Buffer.from(some).toString('latin1'))
const text = fc.stringMatching(/^[ -~]{0,30}$/)

test('however it is cut, the entries are those that were written, in either form', () =>
  fc.assert(
    fc.property(
      fc.array(fc.record({ message: bytes, identifier: text, other: bytes }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
      (entries, cuts) => {
        const written = entries.map(({ message, identifier, other }, i) =>
          Buffer.concat([
            Buffer.from(`__CURSOR=c${i}\n__REALTIME_TIMESTAMP=17${i}\n_BOOT_ID=b\n`),
            exported({ OTHER: other, MESSAGE: message }),
            Buffer.from(`SYSLOG_IDENTIFIER=${identifier}\n\n`),
          ]),
        )
        const found = read(Buffer.concat(written), cuts)
        assert.equal(
          found.map(({ cursor, time, message, identifier }) => [cursor, time, message, identifier]),
          entries.map(({ message, identifier }, i) => [`c${i}`, `17${i}`, message, identifier]),
        )
      },
    ),
    { numRuns: 300 },
  ))

test('a field that is too long is passed over, in any form and however it is cut, and the next entry is read', () => {
  const long = 'x'.repeat(300_000)
  const entry = (field: Buffer, i: number) => Buffer.concat([Buffer.from(`__CURSOR=${i}\n`), field, Buffer.from('\n')])
  const written = Buffer.concat([
    entry(Buffer.from(`MESSAGE=${long}\n`), 0),
    entry(exported({ MESSAGE: `${long}\n\n__CURSOR=forged\nMESSAGE=forged\n\n` }), 1),
    entry(exported({ OTHER: long, MESSAGE: 'as it should be' }), 2),
    entry(Buffer.from(`MESSAGE=${'y'.repeat(65_536)}\n`), 3),
    entry(exported({ MESSAGE: 'z'.repeat(65_536) }), 4),
    entry(Buffer.from('MESSAGE=short\n'), 5),
  ])
  for (const cut of [1000, 4096, 65_536, 1 << 20]) {
    const found = read(written, [cut])
    assert.equal(
      found.map(({ cursor, tooLong, message }) => [cursor, tooLong, message.slice(0, 20)]),
      [
        ['0', true, ''],
        ['1', true, ''],
        ['2', true, 'as it should be'],
        ['3', true, ''],
        ['4', false, 'z'.repeat(20)],
        ['5', false, 'short'],
      ],
      `in pieces of ${cut}`,
    )
  }
})

test('of a field that comes twice the first counts, and an entry without a cursor is none', () => {
  const found = read(
    Buffer.from(
      '-- Logs begin at Sun 2026-11-22. --\n__CURSOR=1\nMESSAGE=one\nMESSAGE=two\n_PID=7\n_PID=8\n\n\n\nMESSAGE=three\n\n',
    ),
    [7],
  )
  assert.equal(
    found.map(({ message, pid }) => [message, pid]),
    [['one', '7']],
  )
})

test('what is no export format is told and not held', () => {
  const reader = new ExportReader(() => {})
  assert.throws(() => reader.push(Buffer.from(`NAME\n${'\xff'.repeat(8)}x`, 'latin1')), 'no export format')
})

test.run()

function read(written: Buffer, cuts: readonly number[]): JournalEntry[] {
  const found: JournalEntry[] = []
  const reader = new ExportReader((entry) => found.push(entry))
  for (let at = 0, i = 0; at < written.length; i++) {
    const length = cuts[i % cuts.length] ?? 1
    reader.push(written.subarray(at, at + length))
    at += length
  }
  return found
}
