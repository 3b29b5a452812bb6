import * as assert from 'uvu/assert'
import fc from 'fast-check'
import type { Emit, SourceHost, SourcePlugin } from '../../../core/plugin.ts'
import { rejects, suite } from '../../suite.ts'
import { intakeFor, Seen, sourceOf, until } from './lines.ts'

const test = suite('emit')

test('however the bytes are cut, the lines are the same', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-z ]{0,12}$/), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
      async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const seen = await emitting(async (emit) => {
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const length = cuts[i % cuts.length] ?? 1
            const piece = Buffer.from(bytes.subarray(at, at + length))
            await emit(piece)
            piece.fill(0x0a)
            at += length
          }
        })
        assert.equal(seen.lines, lines)
      },
    ),
    { numRuns: 50 },
  ))

test('calls that are not awaited keep their order', async () => {
  const seen = await emitting(async (emit) => {
    await Promise.all(['one\ntw', 'o\nthree\n', 'fo', 'ur\n'].map((text) => emit(Buffer.from(text))))
  })
  assert.equal(seen.lines, ['one', 'two', 'three', 'four'])
})

test('each named log of a source has its own rest', async () => {
  const seen = await emitting(async (emit) => {
    await emit(Buffer.from('half '), { log: 'a' })
    await emit(Buffer.from('whole of b\n'), { log: 'b' })
    await emit(Buffer.from('whole of a\n'), { log: 'a' })
  })
  assert.equal(seen.lines, ['whole of b', 'half whole of a'])
  assert.equal(
    seen.chunks.map(({ log }) => log),
    ['journal/b', 'journal/a'],
  )
})

test('a line without end is passed over and memory stays bounded', async () => {
  const seen = await emitting(async (emit) => {
    await emit(Buffer.from('before\n'))
    for (let i = 0; i < 40; i++) await emit(Buffer.alloc(100_000, 0x78))
    await emit(Buffer.from('\nafter\n'))
  })
  assert.equal(seen.lines, ['before', 'after'])
  assert.is(seen.skipped, 1)
  for (const { data } of seen.chunks) assert.ok('length' in data && data.length <= 1024 * 1024 + 64 * 1024)
})

test('a source that hands over without waiting is refused at a bound', async () => {
  const refused: unknown[] = []
  const seen = new Seen()
  let open = () => {}
  seen.gate = new Promise((resolve) => (open = resolve))
  await emitting(async (emit) => {
    const calls = Array.from({ length: 40 }, () => emit(Buffer.alloc(1024 * 1024, 0x0a)))
    const outcomes = Promise.allSettled(calls)
    open()
    refused.push(...(await outcomes).filter(({ status }) => status === 'rejected'))
  }, seen)
  assert.is(refused.length, 40 - 16)
})

test('emit resolves when the lines were scanned', async () => {
  await emitting(async (emit, seen) => {
    for (let i = 1; i <= 5; i++) {
      await emit(Buffer.from(`line ${i}\n`))
      assert.is(seen.lines.length, i)
    }
  })
})

test('a source that fails starts again', async () => {
  const seen = new Seen()
  const intake = intakeFor(seen)
  let starts = 0
  const start = async (emit: Emit) => {
    starts++
    if (starts === 1) throw new Error('the journal is not there')
    await emit(Buffer.from('a line\n'))
  }
  await intake.configure([sourceOf('journal', { start }, {}, 'sshd')])
  await until(() => seen.lines.length === 1)
  assert.is(seen.alarms.length, 1)
  assert.match(seen.alarms[0] ?? '', 'the journal is not there')
  await intake.stop()
})

test('a source says how it does before it has brought anything, and while it fails', async () => {
  const [seen, states] = [new Seen(), [] as string[]]
  let now = 0
  const intake = intakeFor(seen, { now: () => now })
  const look = () =>
    states.push(
      intake
        .logs()
        .map(({ log, state, trouble }) => `${log} ${state} ${trouble}`)
        .join(),
    )
  let [starts, fail] = [0, () => {}]
  const start = async (emit: Emit, host: SourceHost) => {
    starts++
    if (starts === 3) await emit(Buffer.from('a\n'), { log: 'a' })
    await new Promise<void>((resolve) => {
      host.signal.addEventListener('abort', () => resolve())
      fail = resolve
    })
    if (!host.signal.aborted) throw new Error(`no ${starts}`)
  }
  const follow = (_: Emit, host: SourceHost) => host.follow('/nonexistent/x.log')
  await intake.configure([sourceOf('journal', { start }, {}, 'sshd'), sourceOf('file', { start: follow }, {}, 'sshd')])
  look()
  fail()
  await until(() => seen.alarms.length === 1)
  look()
  await until(() => starts === 2)
  look()
  now = 20_001
  look()
  fail()
  await until(() => starts === 3)
  await until(() => seen.lines.length === 1)
  look()
  await intake.stop()
  assert.equal(
    states.map((each) => each.replace(/^.*?x\.log \w+ [^,]*,/, '')),
    [
      'journal reading null',
      'journal unreadable no 1',
      'journal unreadable no 1',
      'journal reading null',
      'journal/a reading null',
    ],
  )
})

test('after a stop the signal is aborted and emit refuses', async () => {
  const seen = new Seen()
  const intake = intakeFor(seen)
  let late: Emit | undefined
  let stopped = 0
  const plugin: SourcePlugin<object> = {
    start(emit, host) {
      late = emit
      return new Promise((resolve) => host.signal.addEventListener('abort', () => resolve(undefined)))
    },
    stop() {
      stopped++
    },
  }
  await intake.configure([sourceOf('journal', plugin, {}, 'sshd')])
  await intake.configure([])
  assert.is(stopped, 1)
  let message = ''
  await late?.(Buffer.from('late\n')).catch((error: Error) => (message = error.message))
  assert.match(message, 'was stopped')
  await intake.stop()
  assert.equal(seen.lines, [])
})

test('a source whose key stays goes on over a reload', async () => {
  const seen = new Seen()
  const intake = intakeFor(seen)
  let [starts, emitted] = [0, undefined as Emit | undefined]
  const start = (emit: Emit) => {
    starts++
    emitted = emit
  }
  await intake.configure([sourceOf('journal', { start }, {}, 'sshd')])
  await emitted?.(Buffer.from('half a '))
  await intake.configure([sourceOf('journal', { start }, {}, 'dovecot', 'sshd')])
  await emitted?.(Buffer.from('line\n'))
  await intake.stop()
  assert.is(starts, 1)
  assert.equal(seen.lines, ['half a line'])
  assert.equal(seen.chunks[0]?.jails, ['dovecot', 'sshd'])
})

test('a cursor is kept when what it stands for is done with and ends a line', async () => {
  const steps: [text: string, cursor: string | undefined, kept: string | undefined][] = [
    ['', '0', '0'],
    ['one\n', '1', '1'],
    ['two\nth', '2', '1'],
    ['r', '3', '1'],
    ['', '4', '1'],
    ['ee', undefined, '1'],
    ['\n', undefined, '1'],
    ['four\nfive\n', '5', '5'],
    ['six\n', undefined, '5'],
    ['', '6', '6'],
    ['en\neight', '7', '6'],
    ['x'.repeat(70_000), '8', '6'],
    ['still the same line', '9', '6'],
    ['\n', '10', '10'],
  ]
  await emitting(async (emit, seen) => {
    for (const [text, cursor, kept] of steps) {
      await emit(Buffer.from(text), { log: 'a', ...(cursor === undefined ? {} : { cursor }) })
      assert.is(seen.cursors.get('journal/a')?.cursor, kept, text.slice(0, 20))
    }
  })
})

test('of a source that emits whole lines each arrives once, wherever it begins again', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-z]{0,5}$/), { minLength: 1, maxLength: 20 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom('emit', 'ask', 'reload', 'restart')), {
        minLength: 1,
        maxLength: 40,
      }),
      async (lines, steps) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const seen = new Seen()
        const begun: [Emit, SourceHost][] = []
        const start = (emit: Emit, host: SourceHost) => void begun.push([emit, host])
        const source = sourceOf('journal', { start }, {}, 'sshd')
        const ended = sourceOf('other', { start() {} }, {}, 'sshd')
        let intake = intakeFor(seen)
        const run = async (): Promise<[Emit, SourceHost]> => {
          await intake.configure([source])
          return begun.at(-1) as [Emit, SourceHost]
        }
        let [emit, host] = await run()
        let at = 0
        for (const [length, then] of [...steps, [bytes.length, 'ask'], [bytes.length, 'emit']] as const) {
          const end = bytes.indexOf('\n', Math.min(bytes.length - 1, at + length)) + 1
          await emit(bytes.subarray(at, end), { cursor: String(end) })
          at = end
          if (then === 'emit') continue
          if (then !== 'ask') {
            if (then === 'reload') await intake.configure([ended])
            else {
              await intake.stop()
              intake = intakeFor(seen)
            }
            ;[emit, host] = await run()
          }
          at = Number(host.cursor() ?? 0)
        }
        await intake.stop()
        assert.equal(seen.lines, lines)
      },
    ),
    { numRuns: 60 },
  ))

test('a source that begins again after a failure begins with a line', async () => {
  const seen = new Seen()
  const intake = intakeFor(seen)
  const asked: (string | null)[] = []
  const start = async (emit: Emit, host: SourceHost) => {
    asked.push(host.cursor('a'))
    await emit(Buffer.from('whole\nhalf'), { log: 'a', cursor: String(asked.length) })
    await emit(Buffer.from('half'), { log: 'b' })
    if (asked.length === 1) throw new Error('broken')
    await emit(Buffer.from('\n'), { log: 'a' })
    await emit(Buffer.from('\n'), { log: 'b' })
  }
  await intake.configure([sourceOf('journal', { start }, {}, 'sshd')])
  await until(() => seen.lines.length === 4)
  await intake.stop()
  assert.equal(seen.lines, ['whole', 'whole', 'half', 'half'])
  assert.equal(asked, [null, null])
})

test('cursors of a source that runs are named now, those of others stay as they are', async () => {
  const seen = new Seen()
  for (const path of ['journal/a', 'journal/b', 'other/a']) seen.cursors.set(path, { path, cursor: 'x', named: 5 })
  const intake = intakeFor(seen, { now: () => 1000 })
  await intake.configure([sourceOf('journal', { start: (_, host) => void host.cursor('a') }, {}, 'sshd')])
  assert.equal(
    intake.positions().map((each) => 'named' in each && [each.path, each.named]),
    [
      ['journal/a', 1000],
      ['journal/b', 5],
      ['other/a', 5],
    ],
  )
  await intake.stop()
})

test('a source begins where failures still count, and where it takes over from another, at that time', async () => {
  const asked: Record<string, number> = {}
  const source = (key: string, ...jails: string[]) =>
    sourceOf(key, { start: (_, host) => void (asked[key] = host.since()) }, {}, ...jails)
  let now = 10_000_000
  const intake = intakeFor(new Seen(), { now: () => now })
  await intake.configure([source('first', 'sshd')])
  now += 1000
  await intake.configure([
    source('other', 'sshd'),
    source('new', 'dovecot', 'sshd'),
    { ...source('long', 'x'), findtimeMs: 1e6 },
  ])
  await intake.stop()
  assert.equal(asked, { first: 9_400_000, other: 10_001_000, new: 9_401_000, long: 9_001_000 })
})

test('names and cursors without measure are refused', async () => {
  await emitting(async (emit) => {
    await rejects(emit(Buffer.from('a\n'), { log: 'x'.repeat(513) }), 'more than 512')
    await rejects(emit(Buffer.from('a\n'), { cursor: 'x'.repeat(4097) }), 'more than 4096')
    for (let i = 0; i < 256; i++) await emit(Buffer.from('a\n'), { log: `${i}\x1b` })
    await rejects(emit(Buffer.from('a\n'), { log: 'one more' }), 'more than 256 logs')
  })
})

test('a log that was quiet for long gives its room to a new one, and its cursor stays', async () => {
  let time = 1e12
  const seen = new Seen()
  const intake = intakeFor(seen, { now: () => time })
  const cursors: (string | null)[] = []
  let done = false
  const plugin: SourcePlugin = {
    async start(emit, host) {
      for (let i = 0; i < 300; i++) {
        if (i === 256) time += 120_000
        await emit(Buffer.from('a\n'), { log: `container-${i}`, cursor: `at ${i}` })
      }
      cursors.push(host.cursor('container-0'), host.cursor('container-299'), host.cursor('container-300'))
      done = true
    },
  }
  await intake.configure([sourceOf('docker', plugin, {}, 'nginx')])
  await until(
    () => done,
    () => seen.alarms,
  )
  assert.equal(cursors, ['at 0', 'at 299', null])
  assert.is(intake.logs().length, 256)
  await intake.stop()
  assert.is(intake.positions().length, 300)
})

test.run()

/** Runs a source that brings bytes to its end and stops it. */
async function emitting(body: (emit: Emit, seen: Seen) => Promise<void>, seen = new Seen()): Promise<Seen> {
  const intake = intakeFor(seen)
  let outcome: unknown = 'running'
  const start = async (emit: Emit) => {
    outcome = await body(emit, seen).then(
      () => 'done',
      (error: unknown) => error,
    )
  }
  await intake.configure([sourceOf('journal', { start }, {}, 'sshd')])
  await until(() => outcome !== 'running')
  await intake.stop()
  if (outcome !== 'done') throw outcome
  return seen
}
