import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Intake } from '../../../core/intake/intake.ts'
import type { SourcePlugin, StandardSchema } from '../../../core/plugin.ts'
import docker from '../../../plugins/sources/docker.ts'
import { entriesOf, nanoseconds } from '../../../plugins/sources/docker/entry.ts'
import { Multiplexed } from '../../../plugins/sources/docker/multiplexed.ts'
import { Place } from '../../../plugins/sources/docker/place.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import { temporaryFolder } from '../../core/cli/agent-process.ts'
import { intakeFor, Seen, silent, sourceOf, until } from '../../core/intake/lines.ts'
import { keepsContract, suite } from '../../suite.ts'
import { EngineServer } from './docker/engine-server.ts'
import { JsonFolder } from './docker/json-folder.ts'

const test = suite('docker source')
const schema = docker.options as StandardSchema<unknown>
const scratch = temporaryFolder()
let folders = 0
const newFolder = () => {
  const folder = join(scratch, String(folders++))
  mkdirSync(folder)
  return folder
}
const id = (letter: string) => letter.repeat(64)

/** Runs `body` while the source runs with these options, as an agent that finds what `seen` kept; what it tells is answered. */
async function running(
  options: object,
  body: (seen: Seen, intake: Intake, told: string[]) => Promise<void>,
  seen = new Seen(),
): Promise<string[]> {
  const checked = await schema['~standard'].validate(options)
  assert.is(checked.issues, undefined, JSON.stringify(checked.issues))
  const intake = intakeFor(seen)
  const told: string[] = []
  const source = sourceOf('docker', docker as SourcePlugin, options, 'nginx')
  const log = { ...silent, warn: (_: object, message: string) => void told.push(message) }
  try {
    await intake.configure([{ ...source, host: (parts) => ({ ...source.host(parts), log }) }])
    await body(seen, intake, told)
  } finally {
    await intake.stop()
  }
  return [...seen.alarms, ...told]
}

const arrive = (seen: Seen, ...lines: string[]) =>
  until(
    () => lines.every((line) => seen.lines.includes(line)),
    () => seen.lines.slice(-20),
  )

async function withEngine(body: (engine: EngineServer) => Promise<void>): Promise<void> {
  const engine = await new EngineServer(join(newFolder(), 'engine.sock')).listen()
  try {
    await body(engine)
  } finally {
    await engine.close()
  }
}

test('options say what is wrong', async () => {
  const cases: [options: object, says: string | null][] = [
    [{ labels: 'bailiff.jail=nginx' }, null],
    [{ labels: ['a', 'b=c'], containers: ['web-*', id('a')] }, null],
    [{ containers: 'web', socket: '/run/podman/podman.sock' }, null],
    [{}, 'say which containers'],
    [{ containers: 'web', socket: '/s', folder: '/f' }, 'leave out one'],
    [{ containers: 'a b' }, 'expected the name of a container'],
    [{ labels: '=x' }, 'expected a label'],
    [{ containers: 'web', socket: 'docker.sock' }, 'expected an absolute path'],
    [{ name: 'web' }, 'say which containers'],
  ]
  for (const [options, says] of cases) {
    const { issues } = await schema['~standard'].validate(options)
    if (says === null) assert.is(issues, undefined, JSON.stringify([options, issues]))
    else assert.ok((issues ?? []).length > 0, JSON.stringify(options))
    if (says !== null && !('name' in options)) assert.match(JSON.stringify(issues), says)
  }
})

test('containers are found by label and name, those that come later and come again too', () =>
  withEngine(async (engine) => {
    const web = engine.create('web', { 'bailiff.jail': 'nginx' })
    engine.write(engine.create('other'), 'not meant\n')
    engine.write(engine.create('web-2', { 'bailiff.jail': 'apache' }), 'not meant either\n')
    engine.write(web, 'one\ntwo\n')
    const told = await running({ labels: 'bailiff.jail=nginx', socket: engine.socket }, async (seen) => {
      await arrive(seen, 'two')
      const later = engine.create('later', { 'bailiff.jail': 'nginx', more: '' })
      engine.write(later, 'three\n', 2)
      await arrive(seen, 'three')
      engine.end(web)
      engine.write(web, 'four\n')
      engine.restart(web)
      await arrive(seen, 'four')
      engine.write(web, 'five\n')
      await arrive(seen, 'five')
      const short = engine.create('short', { 'bailiff.jail': 'nginx' })
      engine.write(short, 'six\n')
      engine.end(short)
      await arrive(seen, 'six')
      assert.equal(seen.lines, ['one', 'two', 'three', 'four', 'five', 'six'])
      assert.equal([...new Set(seen.chunks.map(({ log }) => log))], ['docker/web', 'docker/later', 'docker/short'])
    })
    assert.equal(told, [])
  }))

test('long lines in pieces are joined, a terminal has carriage returns, and too long ones are passed over', () =>
  withEngine(async (engine) => {
    const [web, tty] = [engine.create('web'), engine.create('tty', {}, true)]
    const long = 'x'.repeat(40_000)
    engine.write(web, `${long}\nshort\n${'y'.repeat(100_000)}\nafter\n`)
    engine.write(tty, 'by terminal\nand more\n')
    const told = await running({ containers: '*', socket: engine.socket }, async (seen) => {
      await arrive(seen, 'after', 'and more')
      assert.equal(seen.lines.toSorted(), ['after', 'and more', 'by terminal', 'short', long])
    })
    assert.equal(told, [])
  }))

test('lines of before count at their time, and those of now when they come', () =>
  withEngine(async (engine) => {
    const web = engine.create('web')
    const old = Date.now() - 300_000
    engine.write(web, 'too old\n', 1, BigInt(Date.now() - 7_200_000) * 1_000_000n)
    engine.write(web, 'old\n', 1, BigInt(old) * 1_000_000n)
    engine.write(web, 'new\n')
    await running({ containers: 'web', socket: engine.socket }, async (seen) => {
      await arrive(seen, 'new')
      assert.equal(seen.lines, ['old', 'new'])
      assert.equal(
        seen.chunks.map(({ live, undatedAt, arrivedAt }) => [live, undatedAt === (live ? arrivedAt : old)]),
        [
          [false, true],
          [true, true],
        ],
      )
    })
  }))

test('an engine that ends is waited for, and nothing is lost or doubled, though many lines have one time', async () => {
  const engine = await new EngineServer(join(newFolder(), 'engine.sock')).listen()
  const web = engine.create('web')
  const time = BigInt(Date.now()) * 1_000_000n
  const expected: string[] = []
  const write = (count: number) => {
    for (let i = 0; i < count; i++) {
      expected.push(`line ${expected.length}`)
      engine.write(web, `${expected.at(-1)}\n`, expected.length % 3 === 0 ? 2 : 1, time)
    }
  }
  write(50)
  const told = await running({ containers: 'web', socket: engine.socket }, async (seen) => {
    await arrive(seen, 'line 49')
    await engine.close()
    write(20)
    await engine.listen()
    await arrive(seen, 'line 69')
    assert.equal(seen.lines, expected)
    const killed = seen.killed()
    write(20)
    await running({ containers: 'web', socket: engine.socket }, (again) => arrive(again, 'line 89'), killed)
    assert.equal(killed.lines.toSorted(), expected.toSorted())
  })
  await engine.close()
  assert.match(told[0] ?? '', 'the engine has ended')
})

test('an engine that refuses, or is not there, is told with the next step', () =>
  withEngine(async (engine) => {
    const told = await running({ containers: 'web', socket: join(scratch, 'none.sock') }, async (seen) => {
      await until(() => seen.alarms.length > 0)
    })
    assert.match(told[0] ?? '', /cannot be asked: nobody listens there[\s\S]*is the engine running/)
    assert.equal(engine.asked, [])
  }))

test('JSON files by label and name, as containers come and go', async () => {
  const folder = newFolder()
  const files = new JsonFolder(folder)
  files.create(id('a'), 'web', { 'bailiff.jail': 'nginx' })
  files.create(id('b'), 'other')
  files.create(id('c'), 'journaled', { 'bailiff.jail': 'nginx' }, 'journald')
  files.write(id('a'), 'one\n')
  files.write(id('b'), 'not meant\n')
  writeFileSync(join(folder, 'no-container'), '')
  const told = await running({ labels: 'bailiff.jail=nginx', folder }, async (seen) => {
    await arrive(seen, 'one')
    files.create(id('d'), 'later', { 'bailiff.jail': 'nginx' })
    files.write(id('d'), `two\n${'x'.repeat(40_000)}\nthree "quoted" \u00e4\n`, 'stderr')
    await arrive(seen, 'two', 'three "quoted" \u00c3\u00a4')
    assert.ok(seen.lines.includes('x'.repeat(40_000)))
    files.remove(id('d'))
    files.write(id('a'), 'four\n')
    await arrive(seen, 'four')
    assert.is(seen.lines.length, 5)
    assert.equal([...new Set(seen.chunks.map(({ log }) => log))], ['docker/web', 'docker/later'])
  })
  assert.is(told.length, 1)
  assert.match(told[0] ?? '', /journaled has a log of the driver "journald", which only "socket" can read/)
})

for (const [name, keep, compress] of [
  ['renamed', 3, false],
  ['renamed and compressed', 3, true],
  ['truncated', 1, false],
] as const)
  test(`JSON files that are ${name}: nothing is lost or doubled`, async () => {
    const folder = newFolder()
    const files = new JsonFolder(folder)
    files.create(id('a'), 'web')
    const expected: string[] = []
    const write = (count: number) => {
      for (let i = 0; i < count; i++) {
        expected.push(`line ${expected.length}`)
        files.write(id('a'), `${expected.at(-1)}\n`, expected.length % 3 === 0 ? 'stderr' : 'stdout')
      }
    }
    write(10)
    let seen = new Seen()
    await running(
      { containers: 'web', folder },
      async () => {
        await arrive(seen, 'line 9')
        for (let round = 0; round < 5; round++) {
          write(10)
          if (keep === 1) await arrive(seen, expected.at(-1) ?? '')
          files.rotate(id('a'), keep, compress)
          write(10)
          await arrive(seen, expected.at(-1) ?? '')
        }
        // Twice in a row, before anybody can look.
        write(5)
        if (keep === 1) await arrive(seen, expected.at(-1) ?? '')
        files.rotate(id('a'), keep, compress)
        if (keep > 1) {
          write(5)
          files.rotate(id('a'), keep, compress)
        }
        write(5)
        await arrive(seen, expected.at(-1) ?? '')
      },
      seen,
    )
    assert.equal(seen.lines, expected)
    seen = seen.killed()
    if (keep > 1) {
      write(5)
      files.rotate(id('a'), keep, compress)
    }
    write(5)
    await running({ containers: 'web', folder }, () => arrive(seen, expected.at(-1) ?? ''), seen)
    assert.equal(seen.lines.toSorted(), expected.toSorted())
  })

test('lines that are no JSON are passed over', async () => {
  const folder = newFolder()
  const files = new JsonFolder(folder)
  files.create(id('a'), 'web')
  writeFileSync(files.logOf(id('a')), `\0\0\0\0{"log":"half","stre\n{"log":7,"time":"x"}\n[]\nnull\n`)
  files.write(id('a'), 'whole\n')
  await running({ containers: 'web', folder }, async (seen) => {
    await arrive(seen, 'whole')
    assert.equal(seen.lines, ['whole'])
  })
})

test('a folder that cannot be read is told with what helps', async () => {
  const told = await running({ containers: 'web', folder: join(scratch, 'nowhere') }, async (seen) => {
    await until(() => seen.alarms.length > 0)
  })
  assert.match(told[0] ?? '', /the folder of containers .* cannot be read[\s\S]*CAP_DAC_READ_SEARCH/)
})

test('a large log without rotation is not read from its beginning', async () => {
  const folder = newFolder()
  const files = new JsonFolder(folder)
  files.create(id('a'), 'web')
  const old = BigInt(Date.now() - 86_400_000) * 1_000_000n
  for (let i = 0; i < 100; i++)
    files.write(id('a'), 'an old line of yesterday\n'.repeat(1000), 'stdout', old + BigInt(i))
  files.write(id('a'), 'new\n')
  await running({ containers: 'web', folder }, async (seen) => {
    const began = process.cpuUsage()
    await arrive(seen, 'new')
    assert.equal(seen.lines, ['new'])
    assert.ok(process.cpuUsage(began).user < 5_000_000)
  })
})

test('times of engines, to the nanosecond', () => {
  const cases: [text: string, time: bigint | null][] = [
    ['2026-11-22T13:41:02.123456789Z', 1_795_354_862_123_456_789n],
    ['2026-11-22T13:41:02.5Z', 1_795_354_862_500_000_000n],
    ['2026-11-22T13:41:02Z', 1_795_354_862_000_000_000n],
    ['2026-11-22T14:41:02.1+01:00', 1_795_354_862_100_000_000n],
    ['2026-11-22 13:41:02', null],
    ['2026-13-22T13:41:02Z', null],
    ['', null],
  ]
  for (const [text, time] of cases) assert.is(nanoseconds(text), time, text)
  const [first, second, third] = entriesOf(
    Buffer.from('2026-11-22T13:41:02Z a b\nno time\n2026-11-22T13:41:03Z c'),
    2,
    0n,
  )
  assert.equal(
    [String(first?.text), first?.ends, String(second?.text), second?.time === first?.time],
    ['a b', true, 'no time', true],
  )
  assert.equal([String(third?.text), third?.ends, third?.stream], ['c', false, 2])
})

test('frames are found however the bytes are cut, and what is none is refused', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 60 })), { maxLength: 8 }),
      fc.integer({ min: 1, max: 30 }),
      (pieces, cut) => {
        const bytes = Buffer.concat(
          pieces.map(([stream, piece]) =>
            Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, piece.length]), piece]),
          ),
        )
        const frames = new Multiplexed()
        const found: [number, string][] = []
        for (let at = 0; at < bytes.length; at += cut)
          found.push(
            ...frames
              .push(bytes.subarray(at, at + cut))
              .map((one): [number, string] => [one.stream, one.bytes.toString('hex')]),
          )
        assert.equal(
          found,
          pieces.map(([stream, piece]) => [stream, Buffer.from(piece).toString('hex')]),
        )
      },
    ),
  )
  for (const text of ['HTTP/1.1 400', '\x01\0\0\0\xff\xff\xff\xff'])
    assert.throws(() => new Multiplexed().push(Buffer.from(text, 'latin1')), /not in frames/)
})

test('wherever reading stops, what comes next is what was not handed on', () => {
  const entry = fc.record({ stream: fc.constantFrom(1, 2), step: fc.constantFrom(0, 0, 0, 1, 5), ends: fc.boolean() })
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 5 }), (steps, stops) => {
      const times = new Map([
        [1, 1000n],
        [2, 1000n],
      ])
      const entries = steps.map(({ stream, step, ends }, number) => {
        times.set(stream, (times.get(stream) ?? 0n) + BigInt(step))
        return { stream, time: times.get(stream) ?? 0n, text: Buffer.from(`${number} `), ends }
      })
      const found: string[] = []
      let cursor: string | null = null
      for (const stop of [...stops.toSorted((a, b) => a - b), entries.length]) {
        const place: Place = new Place('c', cursor, 0n)
        const parts = new Map<number, string>()
        for (const one of entries.slice(0, stop).filter(({ time }) => time >= place.since)) {
          if (!place.admits(one)) continue
          parts.set(one.stream, (parts.get(one.stream) ?? '') + String(one.text))
          if (!one.ends) continue
          found.push(parts.get(one.stream) ?? '')
          parts.delete(one.stream)
          place.done(one.stream)
        }
        cursor = place.text
      }
      const whole = new Map<number, string>()
      const expected = entries.flatMap((one) => {
        const text = (whole.get(one.stream) ?? '') + String(one.text)
        whole.set(one.stream, one.ends ? '' : text)
        return one.ends ? [text] : []
      })
      assert.equal(found.toSorted(), expected.toSorted())
    }),
    { numRuns: 500 },
  )
})

const engine = await new EngineServer(join(newFolder(), 'engine.sock')).listen()
const contracted = engine.create('web')
keepsContract(
  'source docker by its socket',
  sourceChecks(docker as SourcePlugin, {
    options: { containers: 'web', socket: engine.socket },
    write: (text) => engine.write(contracted, text, 1),
    resumes: true,
  }),
)
const files = new JsonFolder(newFolder())
files.create(id('a'), 'web')
let writes = 0
keepsContract(
  'source docker by its files',
  sourceChecks(docker as SourcePlugin, {
    options: { containers: 'web', folder: files.folder },
    write: (text) => {
      files.write(id('a'), text)
      if (++writes % 37 === 0) files.rotate(id('a'), 30)
    },
    resumes: true,
  }),
)
test.after(async () => {
  await engine.close()
})
test.run()
