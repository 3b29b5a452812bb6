import * as assert from 'uvu/assert'
import { amount, startProgress, type ProgressUnit } from '../../../core/cli/progress.ts'
import { suite } from '../../suite.ts'

const test = suite('progress')
const erase = '\r\u001b[K'

function terminal(isTTY = true, columns = 100) {
  const written: string[] = []
  return { written, isTTY, columns, write: (text: string) => written.push(text) }
}

function begin(total: number | null, unit: ProgressUnit = 'bytes', stream = terminal()) {
  const clock = { ms: 0 }
  const progress = startProgress({ label: 'reading auth.log', total, unit, stream, now: () => clock.ms })
  return { progress, stream, clock }
}

test('tells how much, how fast and how long', () => {
  const { progress, stream, clock } = begin(2_800_000_000)
  clock.ms = 4000
  progress.at(1_200_000_000)
  assert.equal(stream.written, [`${erase}reading auth.log  42 %  1.2 GB of 2.8 GB  300 MB/s  5 s left`])
  progress.end()
  assert.is(stream.written.at(-1), erase)
})

test('the rate is that of the last seconds', () => {
  const { progress, stream, clock } = begin(1_000_000, 'lines')
  for (let second = 1; second <= 20; second++) {
    clock.ms = second * 1000
    progress.at(Math.min(second, 5) * 1000)
  }
  assert.match(stream.written.at(-1) ?? '', '0 lines/s  no end in sight')
})

test('without a total there is neither a share nor an end', () => {
  const { progress, stream, clock } = begin(null, 'lines')
  clock.ms = 1000
  progress.at(12_345)
  assert.equal(stream.written, [`${erase}reading auth.log  12 345 lines  12 345 lines/s`])
})

test('short work shows nothing, and the line is not drawn for each call', () => {
  const { progress, stream, clock } = begin(100)
  for (clock.ms = 0; clock.ms < 300; clock.ms += 10) progress.at(1)
  assert.equal(stream.written, [])
  for (clock.ms = 300; clock.ms < 1000; clock.ms += 1) progress.at(2)
  assert.is(stream.written.length, 7)
  progress.hide()
  progress.hide()
  assert.is(stream.written.length, 8)
})

test('where there is no terminal nothing is written, nor after the end', () => {
  const { progress, stream, clock } = begin(100, 'bytes', terminal(false))
  clock.ms = 5000
  progress.at(50)
  progress.end()
  assert.equal(stream.written, [])
  const other = begin(100)
  other.progress.end()
  other.clock.ms = 5000
  other.progress.at(50)
  assert.equal(other.stream.written, [])
})

test('no control byte of a name reaches the terminal, and the line fits it', () => {
  const stream = terminal(true, 30)
  const clock = { ms: 0 }
  const label = 'reading \u001b]0;x\u0007.log'
  const progress = startProgress({ label, total: 10, unit: 'entries', stream, now: () => clock.ms })
  clock.ms = 1000
  progress.at(5)
  assert.is(stream.written[0]?.slice(erase.length), 'reading \\x1b]0;x\\x07.log  50…')
})

test('amounts as people read them', () => {
  const cases: [count: number, unit: ProgressUnit, text: string][] = [
    [0, 'bytes', '0 B'],
    [999, 'bytes', '999 B'],
    [1000, 'bytes', '1.0 kB'],
    [999_499, 'bytes', '999 kB'],
    [999_500, 'bytes', '1.0 MB'],
    [123_456_789_012_345, 'bytes', '123 TB'],
    [1, 'entries', '1 entries'],
    [1_234_567.8, 'lines', '1 234 568 lines'],
  ]
  for (const [count, unit, text] of cases) assert.is(amount(count, unit), text)
})

test.run()
