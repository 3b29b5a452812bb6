/** Bytes of streams on their way to a thread: copied once, into memory that is used again. */
import * as assert from 'uvu/assert'
import type { LogChunk } from '../../../core/events.ts'
import { LentMemory, SharedMemory } from '../../../core/matching/lent-memory.ts'
import { mostScannedBytes } from '../../../core/matching/line-cutting.ts'
import { suite } from '../../suite.ts'

const test = suite('memory lent to chunks')

const chunk = (data: LogChunk['data']): LogChunk => ({
  log: 'stdin',
  jails: ['sshd'],
  data,
  arrivedAt: 1,
  live: true,
  undatedAt: 1,
  insideLine: false,
})

function bytesOf({ data }: LogChunk): Uint8Array {
  const bytes = data instanceof Uint8Array ? data : data.bytes
  assert.ok(bytes !== undefined)
  return bytes ?? new Uint8Array()
}

test('a chunk keeps what it says, and its bytes are shared', () => {
  const memory = new LentMemory(2)
  const data = Buffer.from('one\ntwo\n')
  const { chunk: lent } = memory.lend(chunk(data))
  assert.equal({ ...lent, data: null }, { ...chunk(data), data: null })
  assert.is(Buffer.from(bytesOf(lent)).toString(), 'one\ntwo\n')
  assert.instance(bytesOf(lent).buffer, SharedArrayBuffer)
  data.fill('x')
  assert.is(Buffer.from(bytesOf(lent)).toString(), 'one\ntwo\n')
})

test('memory that is given back is lent again, and not before', () => {
  const memory = new LentMemory(2)
  const [first, second] = [memory.lend(chunk(Buffer.from('1'))), memory.lend(chunk(Buffer.from('2')))]
  const third = memory.lend(chunk(Buffer.from('3')))
  const memories = [first, second, third].map(({ chunk: lent }) => bytesOf(lent).buffer)
  assert.is(new Set(memories).size, 3)
  assert.equal(
    memories.map((one) => one instanceof SharedArrayBuffer),
    [true, true, false],
  )
  assert.equal(
    [first, second, third].map(({ chunk: lent }) => Buffer.from(bytesOf(lent)).toString()),
    ['1', '2', '3'],
  )
  second.giveBack()
  third.giveBack()
  assert.is(bytesOf(memory.lend(chunk(Buffer.from('4'))).chunk).buffer, memories[1])
  assert.not.instance(bytesOf(memory.lend(chunk(Buffer.from('5'))).chunk).buffer, SharedArrayBuffer)
})

test('a part of a large buffer takes no more than it is, and what is too long is cut where a scanner ends', () => {
  const memory = new LentMemory(0)
  const part = memory.lend(chunk(Buffer.alloc(1 << 20).subarray(5, 9)))
  assert.is(bytesOf(part.chunk).buffer.byteLength, 4)
  for (const slots of [0, 1]) {
    const { chunk: lent } = new LentMemory(slots).lend(chunk(Buffer.alloc(mostScannedBytes + 7, 'a')))
    assert.is(bytesOf(lent).length, mostScannedBytes)
  }
})

test('memory that a thread may still write to is replaced', () => {
  const memory = new SharedMemory(1, 16)
  const first = memory.take()
  assert.is(memory.take(), undefined)
  memory.giveUp(first)
  const second = memory.take()
  assert.instance(second, SharedArrayBuffer)
  assert.is.not(second, first)
  memory.giveBack(second)
  assert.is(memory.take(), second)
})

test('of a range of a file only the bytes that were held go along', () => {
  const memory = new LentMemory(1)
  const range = { fd: 7, start: 10, end: 14 }
  assert.is(memory.lend(chunk(range)).chunk.data, range)
  const { chunk: lent } = memory.lend(chunk({ ...range, bytes: Buffer.from('four') }))
  assert.equal({ ...lent.data, bytes: Buffer.from(bytesOf(lent)).toString() }, { ...range, bytes: 'four' })
})

test.run()
