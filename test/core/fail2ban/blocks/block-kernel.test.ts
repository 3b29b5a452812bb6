/**
 * Blocks that the kernel goes over against the same lines one by one: the same failures, and the same is remembered. Lines are
 * written here so that they are often of one session, of days on which clocks are turned, or not what they seem.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { LogBlock } from '../../../../core/fail2ban/lines/block-lines.ts'
import type { FilterTexts } from '../../../../core/fail2ban/lines/filter-texts.ts'
import { JailFilter } from '../../../../core/fail2ban/lines/jail-filter.ts'
import type { Moment } from '../../../../core/fail2ban/lines/moment.ts'
import type { RawFailure } from '../../../../core/fail2ban/lines/raw-failure.ts'
import { suite } from '../../../suite.ts'

const test = suite('the kernel of blocks of a Fail2ban tree')
const root = fileURLToPath(new URL('../../../../../', import.meta.url))
const seed = Number(process.env.SEED ?? 20_261_123)
const numRuns = Number(process.env.RUNS ?? 150)
const now = 1_763_817_600

test('it is what its source says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-kernel-'))
  try {
    const file = join(folder, 'line-kernel.wasm')
    const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js')
    const source = 'core/fail2ban/blocks/assembly'
    const words = [`${source}/index.ts`, '--config', `${source}/asconfig.json`, '-o', file]
    const { status, stderr } = spawnSync(process.execPath, [compiler, ...words], { cwd: root, encoding: 'utf8' })
    assert.is(status, 0, stderr)
    assert.ok(readFileSync(file).equals(readFileSync(join(root, source, '../line-kernel.wasm'))), 'npm run build:wasm')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const plain: FilterTexts = {
  name: 'own',
  prefregex: '^<F-MLFID>\\s*(?:\\S+\\s+)?door(?:\\[\\d+\\])?:\\s+</F-MLFID>(?:alarm: )?<F-CONTENT>.+</F-CONTENT>$',
  failregex: [
    '^wrong key of <F-USER>\\S+</F-USER> at <HOST>$',
    '^<F-NOFAIL>knock</F-NOFAIL> at <HOST>',
    '^<F-NOFAIL>came <F-MLFFORGET>late</F-MLFFORGET></F-NOFAIL> at <HOST>: ok',
    '^came <F-MLFFORGET>late</F-MLFFORGET> at <HOST>: .*broken',
    '^<F-MLFFORGET><F-MLFGAINED>let in</F-MLFGAINED></F-MLFFORGET> <F-USER>\\S+</F-USER> at <HOST>',
    '^<F-NOFAIL>left</F-NOFAIL>(?: <F-MLFFORGET>for ever</F-MLFFORGET>)? at <HOST>',
    '^lock of <F-USER>\\S+</F-USER> is broken',
  ],
  ignoreregex: [],
  maxlines: 1,
  datepattern: ['{^LN-BEG}'],
  timezone: null,
  usedns: 'warn',
  encoding: 'auto',
  journal: false,
}

/** The same filter in other shapes, each of which goes another way through the tables. */
const filters: readonly FilterTexts[] = [
  plain,
  { ...plain, timezone: 'UTC+0200' },
  { ...plain, ignoreregex: ['at 192\\.0\\.2\\.9$'] },
  { ...plain, failregex: [...plain.failregex, '^any <F-MLFID>\\d+</F-MLFID> <HOST>'] },
  // Look-around, which tables do not hold.
  { ...plain, prefregex: '^(?!bad)<F-MLFID>.*?door\\[\\d+\\]: </F-MLFID><F-CONTENT>.+</F-CONTENT>$' },
  // Ends behind the content.
  { ...plain, prefregex: '^<F-MLFID>.*?door\\[\\d+\\]: </F-MLFID><F-CONTENT>.+?</F-CONTENT>(?: $|$)' },
  { ...plain, prefregex: null, failregex: ['door\\S+ wrong key of \\S+ at <HOST>$', '^ \\S+ door.* let in .* <HOST>'] },
  { ...plain, prefregex: null, failregex: ['^ \\S+ <HOST> \\w+'] },
  { ...plain, maxlines: 3 },
]

const hosts = fc.constantFrom('192.0.2.7', '192.0.2.9', '2001:db8::7', 'a.example', '')
const messages = fc
  .tuple(
    fc.constantFrom(
      'wrong key of root at %',
      'wrong key of toor at %',
      'alarm: wrong key of root at %',
      'knock at %',
      'came late at %: ok',
      'came late at %: all broken',
      'came late at %: broke',
      'let in root at %',
      'lock of root is broken',
      'left at %',
      'left for ever at %',
      'any 7 %',
      'nothing at %',
      '',
    ),
    hosts,
  )
  .map(([message, host]) => message.replace('%', host))
const heads = fc
  .tuple(
    fc.constantFrom(' host ', '  ', ' ', ' a b ', ' hüst '),
    fc.constantFrom('door', 'window', 'Door'),
    fc.nat(130),
  )
  .map(([host, program, pid]) => `${host}${program}${pid > 5 ? '' : `[${pid}]`}: `)
const days = [
  'Nov 22',
  'Nov 21',
  'Nov  2',
  'Oct 26',
  'Mar 30',
  'Feb 30',
  'Nov 23',
  '2025-11-22',
  '2025-10-26',
  '2025-02-30',
]
const datesOf = (some: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...some),
      fc.integer({ min: -1, max: 24 }),
      fc.integer({ min: 0, max: 61 }),
      fc.constantFrom('', '', '+01:00', '-23:00', '.5', '.123456', ',123456+02:00', 'Z', ' 2025', '!'),
    )
    .map(([day, hour, minute, more]) => {
      const clock = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:0${minute % 7}`
      return day.startsWith('2') ? `${day}T${clock}${more}` : `${day} ${clock}${more.length < 5 ? '' : more}`
    })

/** Some lines under each date of a day or two, as a log has them, and some that are odd. */
const texts = fc.subarray(days, { minLength: 1, maxLength: 2 }).chain((some) =>
  fc
    .array(
      fc.tuple(
        datesOf(some),
        fc.array(
          fc.oneof(
            {
              weight: 12,
              arbitrary: fc.tuple(heads, messages).map(
                ([head, message]) =>
                  (date: string) =>
                    `${date}${head}${message}`,
              ),
            },
            { weight: 1, arbitrary: messages.map((message) => (date: string) => `${date} door[1]: ${message}\r\r`) },
            {
              weight: 1,
              arbitrary: fc.constantFrom('', '#', '# x', '\r', 'x', 'at 192.0.2.7').map((line) => () => line),
            },
            { weight: 1, arbitrary: messages.map((message) => (date: string) => `${date}`.slice(0, 9) + message) },
          ),
          { maxLength: 12 },
        ),
      ),
      { maxLength: 12 },
    )
    .map((groups) => groups.flatMap(([date, lines]) => lines.map((line) => line(date)))),
)

const moments = fc
  .tuple(fc.boolean(), fc.constantFrom(null, 600, 86_400, 1e9), fc.constantFrom(now, now - 20_000.25, now + 30))
  .map(([inOperation, findtime, at]): Moment => ({ now: at, time: null, inOperation, findtime }))

test('all is as if the lines were looked at one by one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...filters),
      fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'),
      fc.array(fc.tuple(texts, moments), { maxLength: 3 }),
      (filter, hostZone, blocks) => compare(filter, hostZone, blocks),
    ),
    { seed, numRuns },
  )
})

test('more sessions than are remembered', () => {
  const line = fc
    .tuple(fc.nat(160), fc.constantFrom('knock at 192.0.2.7', 'lock of root is broken', 'came late at 192.0.2.7: ok'))
    .map(([pid, message]) => `Nov 22 12:00:00 host door[${pid}]: ${message}`)
  fc.assert(
    fc.property(
      fc.array(fc.array(line, { minLength: 150, maxLength: 600 }), { minLength: 1, maxLength: 2 }),
      (blocks) => {
        const moment: Moment = { now, time: null, inOperation: false, findtime: null }
        compare(
          plain,
          'UTC',
          blocks.map((lines) => [lines, moment]),
        )
      },
    ),
    { seed, numRuns: Math.ceil(numRuns / 5) },
  )
})

test('a front whose steps do not fit is searched instead, and lines longer than the room for them are looked at', () => {
  const pid = (index: number) => `${index.toString(36)}-${(index * 7919).toString(36)}`
  const lines = Array.from(
    { length: 3000 },
    (_, index) => `Nov 22 12:00:00 ${pid(index).repeat(8)} door[1]: wrong key of root at 192.0.2.7`,
  )
  const long = `Nov 22 12:00:01 ${'x'.repeat(300_000)} door[1]: wrong key of root at 192.0.2.8`
  const all = [...lines, long, ...lines, long]
  // Every letter is told apart.
  const prefregex = `^<F-MLFID>(?:${[...'abcdefghijklmnopqrstuvwxyz0123456789'].map((letter) => `(?:${letter}!)?`).join('')}\\S*\\s*\\S+ door\\[\\d+\\]: )</F-MLFID><F-CONTENT>.+</F-CONTENT>$`
  compare({ ...plain, prefregex }, 'UTC', [[all, { now, time: null, inOperation: false, findtime: null }]])
})

test('blocks of one line are looked at as well', () => {
  const found = failuresOf(
    new JailFilter(plain, { prefiltered: true, largeBlock: 0, hostZone: 'UTC' }),
    ['Nov 22 12:00:00 host door[1]: wrong key of root at 192.0.2.7'],
    { now, time: null, inOperation: false, findtime: null },
  )
  assert.equal(
    found.failures.map(({ id, time }) => [id, time]),
    [['192.0.2.7', Date.UTC(2025, 10, 22, 12) / 1000]],
  )
})

test.run()

function compare(
  filter: FilterTexts,
  hostZone: string,
  blocks: readonly (readonly [readonly string[], Moment])[],
): void {
  const fast = new JailFilter(filter, { hostZone, pending: true, prefiltered: true, largeBlock: 0 })
  const slow = new JailFilter(filter, { hostZone, pending: true, prefiltered: true, largeBlock: Infinity })
  const each = new JailFilter(filter, { hostZone, pending: true })
  for (const [lines, moment] of blocks) {
    const looked = lines.map((line) => line.replace(/\r+$/, '')).filter((line) => !/^(?:#|$)/.test(line))
    const expected = looked.flatMap((line) => each.process(line, moment))
    for (const one of [fast, slow]) {
      const { count, failures } = failuresOf(one, lines, moment)
      assert.equal(failures, expected)
      assert.is(count, looked.length)
      assert.equal(one.lines.memory, each.lines.memory)
    }
    assert.equal(oddOf(fast), oddOf(slow))
  }
}

function oddOf({ lines }: JailFilter) {
  return lines.odd.take().toSorted((one, other) => (one.trouble < other.trouble ? -1 : 1))
}

function failuresOf(filter: JailFilter, lines: readonly string[], moment: Moment) {
  const failures: RawFailure[] = []
  const count = filter.scan(
    blockOf(lines),
    moment,
    (bytes) => bytes.toString('utf8'),
    (failure) => failures.push(failure),
  )
  return { count, failures }
}

function blockOf(lines: readonly string[]): LogBlock {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  return { bytes, text: bytes.toString('latin1'), start: 0, end: bytes.length }
}
