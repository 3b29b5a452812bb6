/** Reading ahead in a file: what is guessed is given only to who asks for exactly that. */
import { closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { FileRange, LogChunk } from '../../../core/events.ts'
import { LookAhead } from '../../../core/matching/look-ahead.ts'
import { suite } from '../../suite.ts'

const test = suite('reading ahead')
const folder = mkdtempSync(join(tmpdir(), 'bailiff-ahead-'))
const line = `${'a'.repeat(98)}\n`
const chunkBytes = 1000
const large = 5 << 20

const chunkOf = (data: LogChunk['data'], more: Partial<LogChunk> = {}): LogChunk => ({
  log: '/var/log/auth.log',
  jails: ['sshd', 'door'],
  data,
  arrivedAt: 1,
  live: false,
  undatedAt: null,
  insideLine: false,
  ...more,
})

function fileOf(text: string): number {
  const file = join(folder, 'log')
  writeFileSync(file, text)
  return openSync(file, 'r')
}

const largeText = () => line.repeat(Math.ceil(large / line.length))

/** Answers the range that it was asked for, and notes it. */
function ahead(most = 8) {
  const begun: string[] = []
  const guesses = new LookAhead(most, chunkBytes, ({ data, insideLine }) => {
    const { start, end } = data as FileRange
    begun.push(`${start}-${end}${insideLine ? ' inside a line' : ''}`)
    return Promise.resolve(`${start}-${end}`)
  })
  return { begun, guesses }
}

test('what comes behind a chunk begins at its last line, and is as long', async () => {
  const fd = fileOf(largeText())
  const { begun, guesses } = ahead()
  guesses.begin(chunkOf({ fd, start: 0, end: chunkBytes }, { insideLine: true }), 2)
  assert.equal(begun, ['990-1990', '1980-2980'])
  assert.is(await guesses.take(chunkOf({ fd, start: 990, end: 1990 })), '990-1990')
  guesses.begin(chunkOf({ fd, start: 990, end: 1990 }), 1)
  assert.equal(begun.slice(2), ['2970-3970'])
  assert.is(await guesses.take(chunkOf({ fd, start: 1980, end: 2980 })), '1980-2980')
  assert.is(await guesses.take(chunkOf({ fd, start: 2970, end: 3970 })), '2970-3970')
  assert.is(guesses.take(chunkOf({ fd, start: 3960, end: 4960 })), undefined)
  closeSync(fd)
})

test('whatever differs is not given, and all that was guessed of the log is dropped', () => {
  const fd = fileOf(largeText())
  const guessed = { fd, start: 990, end: 1990 }
  const others: Record<string, LogChunk> = {
    'another log': chunkOf(guessed, { log: '/var/log/secure' }),
    'another begin': chunkOf({ ...guessed, start: 891 }),
    'another end': chunkOf({ ...guessed, end: 1991 }),
    'another descriptor': chunkOf({ ...guessed, fd: fd + 1 }),
    'another jail': chunkOf(guessed, { jails: ['sshd', 'gate'] }),
    'a jail more': chunkOf(guessed, { jails: ['sshd', 'door', 'gate'] }),
    'inside of a line': chunkOf(guessed, { insideLine: true }),
    'bytes that were held': chunkOf({ ...guessed, bytes: new Uint8Array(1000) }),
    'bytes of a stream': chunkOf(new Uint8Array(1000)),
  }
  for (const [what, other] of Object.entries(others)) {
    const { guesses } = ahead()
    guesses.begin(chunkOf({ fd, start: 0, end: chunkBytes }), 2)
    assert.is(guesses.take(other), undefined, what)
    const same = guesses.take(chunkOf(guessed))
    assert.is(same === undefined, what !== 'another log', what)
  }
  closeSync(fd)
})

test('a descriptor that is of another file since is not that file', () => {
  const fd = fileOf(largeText())
  const { guesses } = ahead()
  guesses.begin(chunkOf({ fd, start: 0, end: chunkBytes }), 1)
  closeSync(fd)
  writeFileSync(join(folder, 'other'), largeText())
  const other = openSync(join(folder, 'other'), 'r')
  assert.is(other, fd)
  assert.is(guesses.take(chunkOf({ fd: other, start: 990, end: 1990 })), undefined)
  closeSync(other)
})

test('a descriptor that was of another file while it was read is of no use, even when it is that file again', async () => {
  const fd = fileOf(largeText())
  writeFileSync(join(folder, 'other'), largeText())
  const reading: ((read: string) => void)[] = []
  const guesses = new LookAhead<string>(4, chunkBytes, () => new Promise((resolve) => reading.push(resolve)))
  guesses.begin(chunkOf({ fd, start: 0, end: chunkBytes }), 1)
  closeSync(fd)
  const other = openSync(join(folder, 'other'), 'r')
  assert.is(other, fd)
  for (const read of reading) read('lines of the other')
  await new Promise((resolve) => setImmediate(resolve))
  closeSync(other)
  const again = openSync(join(folder, 'log'), 'r')
  assert.is(again, fd)
  const asked = guesses.take(chunkOf({ fd: again, start: 990, end: 1990 }))
  assert.is.not(await asked?.catch(() => 'in vain'), 'lines of the other')
  closeSync(again)
})

test('nothing is guessed where that is of no use or cannot be done', () => {
  const cases: Record<string, [text: string, end: number, threads: number]> = {
    'no thread is idle': [largeText(), chunkBytes, 0],
    'little is left': [line.repeat(40_000), chunkBytes, 2],
    'the chunk is a small one': [largeText(), chunkBytes - 1, 2],
    'no line begins': [`${line}${'b'.repeat(large)}`, 70_000, 2],
  }
  for (const [what, [text, end, threads]] of Object.entries(cases)) {
    const fd = fileOf(text)
    const { begun, guesses } = ahead()
    guesses.begin(chunkOf({ fd, start: 0, end }), threads)
    assert.equal(begun, [], what)
    closeSync(fd)
  }
  const { begun, guesses } = ahead()
  guesses.begin(chunkOf({ fd: 1 << 20, start: 0, end: 1000 }), 2)
  guesses.begin(chunkOf(new Uint8Array(1000)), 2)
  guesses.begin(chunkOf({ fd: 0, start: 0, end: 4, bytes: Buffer.from('two\n') }), 2)
  assert.equal(begun, [])
})

test('guesses are bounded, and a log that nobody reads any longer makes room', async () => {
  const fd = fileOf(largeText())
  const { begun, guesses } = ahead(3)
  const from = (log: string) => chunkOf({ fd, start: 0, end: chunkBytes }, { log })
  guesses.begin(from('/var/log/1'), 2)
  guesses.begin(from('/var/log/2'), 2)
  assert.is(begun.length, 3)
  guesses.begin(from('/var/log/3'), 2)
  guesses.begin(from('/var/log/3'), 2)
  assert.is(begun.length, 5)
  assert.is(guesses.take(chunkOf({ fd, start: 990, end: 1990 }, { log: '/var/log/1' })), undefined)
  assert.is(await guesses.take(chunkOf({ fd, start: 990, end: 1990 }, { log: '/var/log/2' })), '990-1990')
  closeSync(fd)
})

test('a guess that fails is heard of by who asks for it, and by nobody else', async () => {
  const fd = fileOf(largeText())
  const guesses = new LookAhead<string>(4, chunkBytes, () => Promise.reject(new Error('in vain')))
  guesses.begin(chunkOf({ fd, start: 0, end: chunkBytes }), 2)
  await new Promise((resolve) => setImmediate(resolve))
  const asked = guesses.take(chunkOf({ fd, start: 990, end: 1990 }))
  assert.is(await asked?.then(String, (error: Error) => error.message), 'in vain')
  guesses.forget('/var/log/auth.log')
  closeSync(fd)
})

test.run()
