/** Jails of a Fail2ban tree in the threads: the same as the filter over every line, whatever the chunks, and killer lines are stopped. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { FilterHit, LogChunk } from '../../../core/events.ts'
import { printable } from '../../../core/errors.ts'
import type { FilterTexts } from '../../../core/fail2ban/lines/filter-texts.ts'
import { JailLines, lineHit } from '../../../core/fail2ban/lines/jail-lines.ts'
import { LineFilter } from '../../../core/fail2ban/lines/line-filter.ts'
import { Sessions } from '../../../core/fail2ban/lines/sessions.ts'
import { createPool } from '../../../core/matching/pool.ts'
import { createLogScanner } from '../../../core/matching/scan.ts'
import { suite } from '../../suite.ts'

const test = suite('ordered jails')
const arrivedAt = Date.UTC(2026, 10, 22, 13, 42)
const now = arrivedAt / 1000

const texts: FilterTexts = {
  name: 'own',
  prefregex: null,
  failregex: [
    '^ host own\\[<F-MLFID>\\d+</F-MLFID>\\]: bad login of <F-USER>\\S+</F-USER>$',
    '^ host own\\[<F-MLFID>\\d+</F-MLFID>\\]: closed by <HOST>$',
    '^ (?:\\w+\\s?)+(?!x)! <HOST>$',
  ],
  ignoreregex: [],
  maxlines: 1,
  datepattern: null,
  timezone: 'UTC',
  usedns: 'no',
  encoding: 'auto',
  journal: false,
}
const multiline: FilterTexts = { ...texts, maxlines: 3, failregex: ['begin <HOST>$<SKIPLINES>^.*end$'] }
const journal: FilterTexts = { ...texts, journal: true, failregex: ['^host own\\[\\d+\\]: bad <HOST>$'] }

const date = 'Nov 22 13:41:02'
const lines = [
  `${date} host own[7]: bad login of root`,
  `${date} host own[7]: closed by 192.0.2.7`,
  `${date} begin 192.0.2.8`,
  `${date} end`,
  `${date} nothing`,
  '2026-11-22T13:41:02.5+00:00 host own[7]: bad 192.0.2.9',
  'no date and ünïcode, begin 192.0.2.10\r',
]

const chunk = (data: Buffer, log = '/var/log/own.log'): LogChunk => ({
  log,
  jails: ['own'],
  data,
  arrivedAt,
  live: true,
  undatedAt: arrivedAt,
  insideLine: false,
})

test('chunks of any size find what the filter finds over every line', () => {
  for (const one of [texts, multiline, journal]) {
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom(...lines), { maxLength: 6 }), { maxLength: 6 }), (chunks) => {
        const scanners = [0, 1].map(() =>
          createLogScanner({
            jails: [],
            engines: [],
            ordered: new Map([['own', new JailLines({ jail: 'own', texts: one, findtimeSeconds: 600 })]]),
          }),
        )
        let memories = {}
        const found = chunks.flatMap((each, index) => {
          // Now this thread has the chunk, now that one.
          const scanner = scanners[index % 2]
          const bytes = Buffer.from(each.map((line) => `${line}\n`).join(''))
          const result = scanner?.scan(chunk(bytes), undefined, null, structuredClone(memories))
          memories = result?.memories ?? {}
          return result?.hits?.map(lineHit) ?? []
        })
        assert.equal(found, expected(one, chunks.flat()))
      }),
      { numRuns: Number(process.env.RUNS ?? 40) },
    )
  }
})

test('lines are timed only after what the first of them would compile, which changes nothing that is remembered', () => {
  for (const one of [texts, multiline, journal]) {
    const jail = new JailLines({ jail: 'own', texts: one, findtimeSeconds: 600 })
    const look = (line: string) =>
      jail.look(Buffer.from(line), Buffer.from(line).toString('latin1'), chunk(Buffer.of()))
    for (const line of lines) look(line)
    const before = structuredClone(jail.memory)
    jail.prepare()
    assert.equal(structuredClone(jail.memory), before)
  }
  const deep = { ...texts, failregex: ['^(?:\\W?\\w{0,3000}){0,300}<F-ID>.</F-ID>$'] }
  const jail = new JailLines({ jail: 'own', texts: deep, findtimeSeconds: 600 })
  assert.throws(() => jail.look(Buffer.from('-'), '-', chunk(Buffer.of())), 'call stack')
  jail.prepare()
  const calls: string[] = []
  const ordered = {
    jail: 'own',
    memory: null,
    prepare: () => void calls.push('prepare'),
    look: (line: Buffer) => (calls.push(String(line)), []),
  }
  const scanner = createLogScanner({ jails: [], engines: [], ordered: new Map([['own', ordered]]) })
  scanner.scan(chunk(Buffer.from('a\n')))
  assert.equal(calls, ['a'])
  scanner.scan(chunk(Buffer.from('b\n')), undefined, 20)
  assert.equal(calls, ['a', 'prepare', 'b'])
})

test('to a jail that sees a log for the first time no line is new: old and undated ones do not count', () => {
  const old = lines.slice(0, 2).map((line) => line.replace('13:41:02', '12:41:02'))
  const bytes = Buffer.from([...old, 'closed by 192.0.2.9', ...lines.slice(0, 2)].map((line) => `${line}\n`).join(''))
  const found = (more: Partial<LogChunk>) => {
    const ordered = [new JailLines({ jail: 'own', texts, findtimeSeconds: 600 })]
    const { hits = [] } = createLogScanner({
      jails: [],
      engines: [],
      ordered: new Map(ordered.map((jail) => [jail.jail, jail])),
    }).scan({ ...chunk(bytes), ...more })
    return hits.map(({ offset, time }) => [offset, time])
  }
  const at = (index: number) => [...old, 'closed by 192.0.2.9', ...lines].slice(0, index).join('\n').length + 1
  const recent = [at(3), at(4)].map((offset) => [offset, Date.UTC(2026, 10, 22, 13, 41, 2)])
  assert.equal(found({ starting: ['own'] }), recent)
  assert.equal(found({ starting: ['other'] }).length, 4)
  assert.equal(found({ live: false }), recent)
})

test('a session may begin in one chunk and end in the next', () => {
  const scanner = createLogScanner({
    jails: [],
    engines: [],
    ordered: new Map([['own', new JailLines({ jail: 'own', texts, findtimeSeconds: 600 })]]),
  })
  const sessions = new Sessions({ raw: false })
  const failures = [lines[0], lines[1]].flatMap((line) => {
    const { hits = [] } = scanner.scan(chunk(Buffer.from(`${line}\n`)))
    return hits.map((hit) => sessions.merge(lineHit(hit), now)).filter((failure) => failure !== null)
  })
  assert.equal(
    failures.map(({ id, users, time, lines: all }) => [id, users, time, all.length]),
    [['192.0.2.7', ['root'], Date.UTC(2026, 10, 22, 13, 41, 2) / 1000, 2]],
  )
})

test('a killer line is passed over, and what the jail remembers stays', async () => {
  const pool = createPool({
    jails: [],
    engineUrls: [],
    treeJails: [{ jail: 'own', texts, findtimeSeconds: 600 }],
    log: silent,
  })
  const killer = `${date} ${'a'.repeat(60)}?! nobody`
  const bytes = Buffer.from([lines[0], killer, lines[1], killer, lines[0]].map((line) => `${line}\n`).join(''))
  const hits: FilterHit[] = []
  const whole = await pool.scanInParts(chunk(bytes), ({ hits: found = [] }) => hits.push(...found))
  await pool.close()
  assert.equal(
    hits.map(({ rule, lines: [line] }) => [rule, line]),
    [
      [0, lines[0]],
      [1, lines[1]],
      [0, lines[0]],
    ],
  )
  assert.is(whole.skipped, 2)
  assert.is(whole.consumed, bytes.length)
})

test('a line that is stopped and looked at again is one sample', () => {
  const slow = new Set(['b', 'd'])
  let since = 0
  const sightOfDates = { undated: 0, isDateKnown: false }
  const ordered = {
    jail: 'own',
    memory: null,
    sightOfDates,
    look: (line: Buffer) => {
      sightOfDates.undated++
      // For ever at the first look, and at none after it.
      while (slow.delete(String(line)) || since === sightOfDates.undated) since = sightOfDates.undated
      return []
    },
  }
  const scanner = createLogScanner({ jails: [], engines: [], ordered: new Map([['own', ordered]]) })
  const { seen } = scanner.scan(chunk(Buffer.from('a\nb\nc\nd\ne\n')), undefined, 20)
  assert.ok(sightOfDates.undated > 5)
  assert.equal(
    seen?.jails.map(({ jail, sampled, dated }) => [jail, sampled, dated]),
    [['own', 5, 0]],
  )
})

test('control bytes do not get out of a thread', () => {
  const open: FilterTexts = { ...texts, failregex: ['user <F-USER>.*</F-USER> from <HOST>$'] }
  const jail = new JailLines({ jail: 'own', texts: open, findtimeSeconds: 600 })
  const scanner = createLogScanner({ jails: [], engines: [], ordered: new Map([[jail.jail, jail]]) })
  const { hits = [] } = scanner.scan(chunk(Buffer.from(`${date} user a\x1b[2J\x00 from 192.0.2.7\n`)))
  assert.equal(
    hits.map(({ groups }) => groups.user),
    ['a\\x1b[2J\\x00'],
  )
  assert.not.match(JSON.stringify(hits), /\\u00/)
})

/** What the filter finds over every line, one after another. */
function expected(one: FilterTexts, all: readonly string[]): unknown[] {
  const filter = new LineFilter(one)
  return all.flatMap((line) => {
    const text = line.replace(/\r$/, '')
    const blank = text.indexOf(' ')
    const time = one.journal ? Date.parse(text.slice(0, blank)) / 1000 : Number.NaN
    const given = Number.isNaN(time) ? { time: one.journal ? now : null } : { time, dateText: text.slice(0, blank + 1) }
    const moment = { now, inOperation: true, findtime: 600, ...given }
    const { hits } = filter.find(Number.isNaN(time) ? text : text.slice(blank + 1), moment)
    // What leaves a thread is printable.
    return hits.map((hit) => ({
      ...hit,
      groups: Object.fromEntries(Object.entries(hit.groups).map(([name, value]) => [name, printable(String(value))])),
    }))
  })
}

const ignore = (): void => {}
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore }

test.run()
