/**
 * Lines of chance made of the stock samples (in any order, with other dates, cut, joined, with strange bytes) through
 * stock filters as a server runs them: at start and in operation, first match wins, against the running program.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { LogBlock } from '../../../../core/fail2ban/lines/block-lines.ts'
import { JailFilter } from '../../../../core/fail2ban/lines/jail-filter.ts'
import type { FilterTexts } from '../../../../core/fail2ban/lines/filter-texts.ts'
import { JailLines } from '../../../../core/fail2ban/lines/jail-lines.ts'
import type { Moment } from '../../../../core/fail2ban/lines/moment.ts'
import type { RawFailure } from '../../../../core/fail2ban/lines/raw-failure.ts'
import { suite } from '../../../suite.ts'
import { RunningFail2ban, type RunningLine } from './running-filter.ts'
import { differences, wholeTexts, zone } from './same-verdicts.ts'
import { sampleRuns, type SampleRun } from './stock-samples.ts'

const test = suite('changed lines of stock filters', 'python3', 'fail2ban-regex')
const seed = Number(process.env.SEED ?? 20_261_122)
const rounds = Number(process.env.RUNS ?? 60)
const now = 1_763_817_600

interface Trial {
  /** The place of the filter among all runs. */
  readonly at: number
  readonly lines: readonly RunningLine[]
  readonly options: { readonly all: boolean; readonly raw: boolean; readonly pending: boolean }
  readonly usedns: FilterTexts['usedns']
}

test('the same failures of the same lines', async () => {
  const running = new RunningFail2ban(zone)
  const texts = new Map<SampleRun, FilterTexts>()
  const runs = sampleRuns().filter(({ lines }) => lines.length > 0)
  try {
    await fc.assert(
      fc.asyncProperty(trial(runs), async ({ at, lines, options, usedns }) => {
        const run = runs[at] as SampleRun
        const known = texts.get(run) ?? wholeTexts(run.filter, await running.texts(run.folder, run.filter, run.options))
        texts.set(run, known)
        assert.equal(await differences(running, { ...known, usedns }, lines, options), [])
      }),
      { seed, numRuns: rounds },
    )
  } finally {
    running.end()
  }
})

test('a filter that goes on from what another remembers finds the same, with and without passing lines over', () => {
  const runs = sampleRuns().filter(({ lines }) => lines.length > 0)
  const texts: FilterTexts = {
    name: 'own',
    prefregex: '^<F-MLFID>\\w+\\[\\d+\\]</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$',
    failregex: [
      '^bad <F-USER>\\S+</F-USER> from <HOST>$',
      '^<F-NOFAIL>user <F-USER>\\S+</F-USER> came</F-NOFAIL>',
      '^<F-MLFGAINED>let in</F-MLFGAINED>',
      '^<F-MLFFORGET>gone</F-MLFFORGET> <ADDR>$',
      '^bad <F-USER>\\S+</F-USER>$',
    ],
    ignoreregex: ['from 192\\.0\\.2\\.9$'],
    maxlines: 1,
    datepattern: null,
    timezone: null,
    usedns: 'warn',
    encoding: 'auto',
    journal: false,
  }
  const line = fc
    .tuple(fc.constantFrom(...messages), fc.integer({ min: 1, max: 3 }), fc.constantFrom(...dates))
    .map(([message, pid, date]) => `${date}p[${pid}]: ${message}`)
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const moment = { now, time: null, inOperation: false, findtime: 600 }
      const [whole, plain] = [new JailFilter(texts), new JailFilter(texts, { prefiltered: true })]
      let last = new JailFilter(texts).lines
      for (const text of lines) {
        const next = new JailFilter(texts).lines
        next.memory = structuredClone(last.memory)
        last = next
        const { hits, failures } = whole.examine(text, moment)
        assert.equal(next.find(text, moment).hits, hits)
        assert.equal(plain.process(text, moment), failures)
      }
    }),
    { seed, numRuns: rounds * 2 },
  )
  assert.ok(runs.length > 50)
})

test('lines that are looked through as blocks have the same failures as one by one, and leave the same behind', async () => {
  const running = new RunningFail2ban(zone)
  const runs = sampleRuns().filter(({ lines }) => lines.length > 0)
  const texts = new Map<SampleRun, FilterTexts>()
  try {
    await fc.assert(
      fc.asyncProperty(blocks(runs), async ({ at, blocks: all, live, findtime, usedns }) => {
        const run = runs[at] as SampleRun
        const known = texts.get(run) ?? wholeTexts(run.filter, await running.texts(run.folder, run.filter, run.options))
        texts.set(run, known)
        const moment = { now, time: null, inOperation: live, findtime }
        compareFilters({ ...known, usedns }, all, moment)
        if (findtime !== null) compareJails({ ...known, usedns, journal: run.journal }, all, { ...moment, findtime })
      }),
      { seed, numRuns: rounds * 3 },
    )
  } finally {
    running.end()
  }
})

interface BlocksTrial {
  readonly at: number
  readonly blocks: readonly (readonly string[])[]
  readonly live: boolean
  readonly findtime: number | null
  readonly usedns: FilterTexts['usedns']
}

/** Blocks of lines as a file has them, in the encoding that files have. */
function blocks(runs: readonly SampleRun[]): fc.Arbitrary<BlocksTrial> {
  return fc.nat(runs.length - 1).chain((at) => {
    const lines = runs[at]?.lines ?? ['']
    const line = fc.oneof(
      { weight: 8, arbitrary: changed(lines) },
      { weight: 2, arbitrary: fc.constantFrom(...lines).map((text) => `${text}\r`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', '#', '# x', '\r', '\r\r', ' ', 'Nov 22 14:19:30', 'Nov 22 14:19:30 ', '\uFFFD'),
      },
    )
    return fc.record({
      at: fc.constant(at),
      blocks: fc.array(fc.array(line, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      live: fc.boolean(),
      findtime: fc.constantFrom(null, 600, 1e9),
      usedns: fc.constantFrom('yes', 'warn', 'no', 'raw'),
    })
  })
}

const utf8 = (bytes: Buffer) => bytes.toString('utf8')

function blockOf(lines: readonly string[]): LogBlock {
  const bytes = Buffer.from(lines.map((line) => `${line.replaceAll('\n', '')}\n`).join(''))
  return { bytes, text: bytes.toString('latin1'), start: 0, end: bytes.length }
}

function compareFilters(texts: FilterTexts, all: readonly (readonly string[])[], moment: Moment): void {
  const whole = new JailFilter(texts, { hostZone: zone, pending: true })
  const quick = new JailFilter(texts, { hostZone: zone, pending: true, prefiltered: true, largeBlock: 0 })
  for (const lines of all) {
    const looked = lines
      .map((line) => line.replaceAll('\n', '').replace(/\r+$/, ''))
      .filter((line) => !/^(?:#|$)/.test(line))
    const failures = looked.map((line) => whole.process(line, moment)).filter((found) => found.length > 0)
    const found = new Map<number, RawFailure[]>()
    const count = quick.scan(blockOf(lines), moment, utf8, (failure, start) =>
      found.set(start, [...(found.get(start) ?? []), failure]),
    )
    assert.equal([count, ...found.values()], [looked.length, ...failures])
    assert.equal(quick.lines.memory, whole.lines.memory)
  }
}

function compareJails(
  texts: FilterTexts,
  all: readonly (readonly string[])[],
  moment: Moment & { findtime: number },
): void {
  const make = (prefiltered: boolean) =>
    new JailLines({ jail: 'own', texts, findtimeSeconds: moment.findtime }, undefined, prefiltered)
  const [whole, quick] = [make(false), make(true)]
  for (const lines of all) {
    const block = blockOf(lines)
    const chunk = {
      log: 'x',
      jails: [],
      data: block.bytes,
      arrivedAt: now * 1000,
      live: moment.inOperation,
      undatedAt: 0,
      insideLine: false,
    }
    const [expected, found]: [unknown[], unknown[]] = [[], []]
    let start = 0
    for (const line of lines.map((text) => Buffer.from(text.replaceAll('\n', '')))) {
      for (const hit of whole.look(line, line.toString('latin1'), chunk)) expected.push([start, hit])
      start += line.length + 1
    }
    const failed = (error: unknown) => {
      throw error
    }
    quick.scan(block, chunk, { begins: () => {}, found: (hit, at) => found.push([at, hit]), failed })
    assert.equal(found, expected)
    assert.equal(quick.memory, whole.memory)
  }
}

const dates = ['2025-11-22T13:15:00Z ', 'Nov 22 14:16:01 ', '1763817500 ', '', 'Nov 22 14:19:59 2025 ']
const messages = [
  'bad root from 192.0.2.7',
  'bad root from 192.0.2.9',
  'bad admin',
  'user root came',
  'user admin came',
  'let in',
  'gone 192.0.2.8',
  'nothing',
]

function trial(runs: readonly SampleRun[]): fc.Arbitrary<Trial> {
  return fc.nat(runs.length - 1).chain((at) =>
    fc.record({
      at: fc.constant(at),
      options: fc.record({ all: fc.boolean(), raw: fc.boolean(), pending: fc.boolean() }),
      usedns: fc.constantFrom('yes', 'warn', 'no', 'raw'),
      lines: fc.array(changed(runs[at]?.lines ?? ['']), { minLength: 1, maxLength: 25 }).chain(timed),
    }),
  )
}

/** A line, or what may become of it. */
function changed(lines: readonly string[]): fc.Arbitrary<string> {
  const one = fc.constantFrom(...lines)
  const piece = fc.constantFrom(
    ' ',
    'from ',
    '192.0.2.7',
    '::ffff:192.0.2.9',
    'a.example',
    'ü',
    '\u{1f600}',
    '\t',
    'root',
    '0',
  )
  return fc.oneof(
    { weight: 5, arbitrary: one },
    { weight: 2, arbitrary: one.map(dated) },
    { weight: 1, arbitrary: fc.tuple(one, piece, fc.nat(400)).map(([text, more, at]) => insert(text, more, at)) },
    { weight: 1, arbitrary: fc.tuple(one, fc.nat(200), fc.nat(12)).map(([text, at, count]) => cut(text, at, count)) },
    { weight: 1, arbitrary: fc.tuple(one, one).map(([a, b]) => a + b.slice(10)) },
  )
}

/** Dates of the present, in the form that most samples have. */
function dated(text: string): string {
  return text
    .replace(/^[A-Z][a-z]{2} [ \d]\d /, 'Nov 22 ')
    .replace(/^\d{4}-\d\d-\d\d/, '2025-11-22')
    .replace(/\d\d:\d\d:\d\d/, '14:19:30')
}

function insert(text: string, more: string, at: number): string {
  return text.slice(0, at % (text.length + 1)) + more + text.slice(at % (text.length + 1))
}

function cut(text: string, at: number, count: number): string {
  return text.slice(0, at % (text.length + 1)) + text.slice((at % (text.length + 1)) + count)
}

/** Lines as a server comes to them. */
function timed(texts: readonly string[]): fc.Arbitrary<readonly RunningLine[]> {
  const moment = fc.record({
    pause: fc.constantFrom(0, 0, 0, 1, 30, 70, 301),
    given: fc.constantFrom(null, null, null, null, -5, 100),
  })
  return fc
    .record({
      moments: fc.array(moment, { minLength: texts.length, maxLength: texts.length }),
      operation: fc.nat(30),
      findtime: fc.constantFrom(null, 600, 86_400, 1e9),
    })
    .map(({ moments, operation, findtime }) => {
      let at = now
      return texts.map((text, index) => {
        const { pause = 0, given = null } = moments[index] ?? {}
        at += pause
        const time = given === null ? null : at + given
        return { text, now: at, time, dateText: time === null ? '' : 'x ', inOperation: index >= operation, findtime }
      })
    })
}

test.run()
