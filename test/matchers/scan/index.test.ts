import * as assert from 'uvu/assert'
import { compileFilter, type FilterSource } from '../../../core/matching/filters.ts'
import { LineReader } from '../../../core/matching/lines.ts'
import type { CompiledFilter, Scanner } from '../../../core/plugin.ts'
import regexp from '../../../matchers/regexp/index.ts'
import scan from '../../../matchers/scan/index.ts'
import { compileFrom } from '../../../matchers/scan/late-scanner.ts'
import { matcherChecks } from '../../../core/testing/matcher-checks.ts'
import { keepsContract, suite } from '../../suite.ts'
import { firstDifference, foundIn } from './comparison.ts'

/** Tables take their time, and the contract asks for the same scanner 2000 times. */
const scanners = new Map<readonly CompiledFilter[], Scanner>()

keepsContract('matcher scan, before it has tables', matcherChecks(scan))
keepsContract('matcher scan', matcherChecks({ compile: withTables }))

const test = suite('the matcher scan')
const syslog = 'Nov 22 13:41:02 h app[7]: '
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

test('what it leaves to others it says why', () => {
  const patterns = [{ type: 'default', text: '{DEFAULT}' }] as const
  const filters = [filter({}), { ...filter({}), dates: { patterns, timezone: null } }]
  assert.equal(scan.compile(filters).took, [0])
  assert.equal(scan.compile(filters).left, [{ filter: 1, reason: 'its dates are read by datepattern' }])
  const large = filter({ failregex: ['^(?:a{0,150}b{0,150}){0,150}<ADDR>$'] })
  assert.equal(scan.compile([large]).took, [0])
  assert.equal(scan.compile([large]).byRegexp?.(), [{ filter: 0, reason: 'its patterns need more states than fit' }])
  assert.is(difference(large, ['aab192.0.2.1', `${syslog}aab192.0.2.1`]), null)
})

test('the time of each line, where clocks are turned and where years change', () => {
  const plain = filter({ programs: ['app'], failregex: ['^x <ADDR>$'] })
  const turned: readonly (readonly [zone: string, around: string])[] = [
    ['Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2025-10-26T01:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ['Asia/Gaza', '2026-03-28T00:00:00Z'],
    ['America/St_Johns', '2010-11-07T02:31:00Z'],
    ['UTC', '2026-01-01T00:00:00Z'],
  ]
  const hour = 3_600_000
  for (const [zone, around] of turned) {
    const middle = Date.parse(around)
    for (const age of [0, 1, 23, 24, 25, 48, 24 * 200, 24 * 359, 24 * 364, 24 * 365, 24 * 366]) {
      const lines: string[] = []
      // Each date once more behind later ones: what was learnt of these is held against it.
      for (let time = middle - 5 * hour; time < middle + 15 * hour; time += 170_000)
        for (const at of [time, time - 170_000, time - 425_000]) {
          const shown = new Date(at).toISOString().slice(0, 19)
          const [, month, day, clock] = /^\d+-(\d+)-(\d+)T(.*)/.exec(shown) ?? []
          const bsd = `${months[Number(month) - 1]} ${String(Number(day)).padStart(2)} ${clock}`
          for (const date of [bsd, shown, `${shown}+05:30`]) lines.push(`${date} h app[7]: x 192.0.2.1`)
        }
      const reader = () => {
        const made = new LineReader({ patterns: null, timezone: zone })
        made.reference = middle + age * hour + 440_000
        return made
      }
      assert.is(foundIn(regexp.compile([plain]), lines, reader()).length, lines.length)
      assert.is(
        firstDifference(compileFrom([plain], 0), regexp.compile([plain]), lines, reader),
        null,
        `${zone} ${age}`,
      )
    }
  }
})

test('first of the ways in which a pattern matches, as V8 has them', () => {
  const texts = ['', 'a', 'ab', 'aab', 'b', 'abab', 'aaaa', ' a b ', 'ba', 'cab', 'abc', 'x', 'aXb', 'é', 'ab\r']
  const patterns = [
    '^<F-X>a*</F-X><F-Y>a*b?</F-Y> <ADDR>$',
    '^<F-X>a*?</F-X><F-Y>[ab]*</F-Y> <ADDR>$',
    '<F-X>a|ab</F-X><F-Y>b?</F-Y>.* <ADDR>',
    '<F-X>(?:a|b)+?</F-X>.*? <ADDR>',
    '^(?:<F-X>a</F-X>)?b* <ADDR>$',
    '^(?:a?)* <F-X>b?</F-X><ADDR>',
    '^<F-X>a{1,2}</F-X><F-Y>\\w{0,3}</F-Y> <ADDR>',
    '\\b<F-X>a</F-X>b?\\b.* <ADDR>',
    '^(?=a)<F-X>.*</F-X> <ADDR>',
    '^<F-X>.*</F-X><F-Y>.*</F-Y> <ADDR>',
    '(?i)^<F-X>A*</F-X>.* <ADDR>',
    '^<F-X>a{0,300}</F-X>.* <ADDR>',
    '<ADDR>',
    '^.*?<F-X>.?</F-X> <ADDR> ?$',
    '^(?:a<F-X>b*</F-X>|<F-X>b*</F-X>a?) <ADDR>$',
  ]
  for (const pattern of patterns) {
    const lines = texts.flatMap((text) => [
      `${syslog}${text} 192.0.2.1`,
      `${syslog}${text} 2001:db8::1 `,
      `${text} 192.0.2.1`,
      `${syslog}${text.repeat(120)} 192.0.2.1`,
    ])
    for (const programs of [null, ['app']])
      assert.is(difference(filter({ programs, failregex: [pattern] }), lines), null, pattern)
  }
})

test('a process id is a word of at most 31 characters', () => {
  const lines = [1, 30, 31, 32, 33, 64].flatMap((length) =>
    ['Nov 22 13:41:02', '2026-11-22T13:41:02Z'].map((date) => `${date} h app[${'7'.repeat(length)}]: no 192.0.2.1`),
  )
  for (const programs of [null, ['app']])
    assert.is(difference(filter({ programs, failregex: ['^no <ADDR>$'] }), lines), null)
  assert.is(foundIn(regexp.compile([filter({ programs: ['app'], failregex: ['^no <ADDR>$'] })]), lines).length, 6)
})

test('prefregex and ignoreregex', () => {
  const filters = [
    filter({ prefregex: '^<F-A>\\w+</F-A>: <F-CONTENT>.*</F-CONTENT>$', failregex: ['^no <F-B>\\w*</F-B> <ADDR>$'] }),
    filter({ prefregex: '^\\w+: <F-CONTENT>.*</F-CONTENT> from <ADDR>$', failregex: ['^no', 'yes$'] }),
    filter({
      prefregex: '^(?:a: <F-CONTENT>\\w*</F-CONTENT>.*<F-CONTENT>\\S+</F-CONTENT>|b: <F-CONTENT>.*</F-CONTENT>)$',
      failregex: ['^no.*<ADDR>$', '<ADDR>'],
    }),
    filter({ prefregex: '^\\w+: <ADDR>', failregex: ['^a', 'b.*$'] }),
    filter({ failregex: ['^\\w+: no .*<ADDR>'], ignoreregex: [' ok ', '\\bfine\\b'] }),
    filter({ prefregex: '^\\w+: (?:<F-CONTENT>no.*</F-CONTENT>|.*)$', failregex: ['<ADDR>$'] }),
  ]
  const bodies = ['no x 192.0.2.1', 'no 192.0.2.1', 'no ok 192.0.2.1', 'no fine 192.0.2.1', 'yes from 192.0.2.1']
  const lines = bodies.flatMap((text) => [`${syslog}a: ${text}`, `${syslog}b: ${text}`, `a: ${text}`, text])
  for (const one of filters) assert.is(difference(one, lines), null, one.failregex[0]?.text ?? '')
  assert.is(firstDifference(compileFrom(filters, 0), regexp.compile(filters), lines), null)
})

test('an automaton whose states never fit goes to V8 and finds the same', () => {
  // What is read backwards remembers each of the last sixteen bytes.
  const one = filter({ programs: ['app'], failregex: ['^<ADDR> [ab]*a[ab]{16}$'] })
  const scanner = compileFrom([one], 0)
  const lines = Array.from({ length: 2000 }, (_, number) => {
    const bits = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(2).replaceAll('0', 'a').replaceAll('1', 'b')
    return `${syslog}192.0.2.1 ${bits}${bits}`
  })
  for (let times = 0; times < 3; times++) assert.is(firstDifference(scanner, regexp.compile([one]), lines), null)
})

test('where lines stand, in blocks larger than its room too', () => {
  const one = filter({ programs: ['app'], failregex: ['^<ADDR>$'] })
  const line = `${syslog}192.0.2.1`
  const found = foundIn(
    compileFrom([one], 0),
    Array.from({ length: 50_000 }, () => line),
  )
  assert.is(found.length, 50_000)
  for (const [index, { start, end }] of found.entries())
    if (start !== index * (line.length + 1) || end !== start + line.length) assert.unreachable(`line ${index}`)
})

test('lines are counted, unless one is longer than that', () => {
  const scanner = compileFrom([filter({})], 0)
  // Its tables, and so its room, come with the first lines.
  foundIn(scanner, ['one'])
  const room = scanner.room?.(1000)
  if (!room) return assert.unreachable('there is room')
  const count = (text: string, longest: number) => {
    room.set(Buffer.from(text))
    return scanner.countLines?.(room.subarray(0, text.length), longest)
  }
  assert.is(count(`${'a'.repeat(50)}\n`.repeat(7), 50), 7)
  assert.is(count(`${'a'.repeat(50)}\n`.repeat(7), 49), null)
  assert.is(count(`a\n${'a'.repeat(50)}\n\n\n`, 49), null)
  assert.is(count('\n'.repeat(999), 0), 999)
  assert.is(count('', 0), 0)
})

test.run()

function withTables(filters: readonly CompiledFilter[]): Scanner {
  const known = scanners.get(filters) ?? compileFrom(filters, 0)
  scanners.set(filters, known)
  return known
}

function filter(source: Partial<FilterSource>): CompiledFilter {
  const failregex = ['^<ADDR>$']
  return compileFilter({ name: 'test', programs: null, prefregex: null, failregex, ignoreregex: [], ...source })
}

function difference(one: CompiledFilter, lines: readonly string[]): string | null {
  return firstDifference(compileFrom([one], 0), regexp.compile([one]), lines)
}
