import * as assert from 'uvu/assert'
import regexp from '../../../matchers/regexp/index.ts'
import { compileFrom } from '../../../matchers/scan/late-scanner.ts'
import { suite } from '../../suite.ts'
import { compileFilter } from '../../../core/matching/filters.ts'
import type { CompiledFilter } from '../../../core/plugin.ts'
import { allShipped, countIn, firstDifference, foundIn, linesFor, showBusyLog } from './comparison.ts'
import { Seeded } from './seeded.ts'
import { linesOf } from './written-lines.ts'
import { writtenFilter } from './written-patterns.ts'

const test = suite('the matcher scan against plain expressions')

/** Lines of each filter in each mode: samples, and lines made of its patterns, all more or less spoiled. */
const linesEach = 250
const seed = 6

const shipped = await allShipped()

test('each shipped filter finds what plain expressions find, line by line, with all that is said of it', () => {
  let found = 0
  for (const one of shipped) {
    const lines = linesFor(one, linesEach, seed)
    const [plain, scanner] = [regexp.compile([one.filter]), compileFrom([one.filter], 0)]
    assert.is(firstDifference(scanner, plain, lines), null, one.name)
    const count = foundIn(plain, lines).length
    assert.is(countIn(scanner, lines), count, one.name)
    showBusyLog(scanner, plain, lines)
    assert.is(firstDifference(scanner, plain, lines), null, `${one.name}, line by line`)
    assert.is(countIn(scanner, lines), count, `${one.name}, line by line`)
    found += count
  }
  // The lines would say nothing if hardly one of them were found.
  assert.ok(found > (shipped.length * linesEach) / 10, `${found} lines found`)
})

test('all shipped filters in one scanner find what they find alone', () => {
  const filters = shipped.map(({ filter }) => filter)
  const lines = shipped.flatMap((one) => linesFor(one, 20, seed + 1))
  assert.is(firstDifference(compileFrom(filters, 0), regexp.compile(filters), lines), null)
})

test('so do made-up patterns, with all kinds of looks and boundaries', () => {
  let found = 0
  for (let one = 0; one < 300; one++) {
    const random = new Seeded(seed + one)
    const filter = writtenFilter(random)
    const lines = linesOf(filter, 40, random)
    const [plain, scanner] = [regexp.compile([filter]), compileFrom([filter], 0)]
    const texts = filter.failregex.map(({ text }) => text).join('\n')
    assert.is(firstDifference(scanner, plain, lines), null, texts)
    showBusyLog(scanner, plain, lines)
    assert.is(firstDifference(scanner, plain, lines), null, `${texts}, line by line`)
    found += foundIn(plain, lines).length
  }
  assert.ok(found > 1000, `${found} lines found`)
})

test('what stands behind an address is decided without V8', () => {
  const line = 'Nov 22 13:41:02 h sshd[1]: Failed password for root from 192.0.2.7'
  for (const [behind, end] of [
    ['', ''],
    ['', ' port 22 ssh2'],
    ['\\s*$', ''],
    ['(?: (?:port \\d+|on \\S+)){0,2}(?: ssh\\d*)?(?: |.*$)', ' port 22 ssh2'],
    ['(?! port)', ' ssh2'],
    ['.*ssh2\\b', ' port 22 ssh2: x'],
    ['(?=.*(?!ssh3)ssh\\d$)', ' port 22 ssh2'],
  ] as const) {
    const text = `^Failed password for .* from <ADDR>${behind}`
    assert.equal(foundBySelf([sshdFilter(text)], [line + end]), { self: 1, other: 0 }, text)
  }
})

test('a look that counts to hundreds is not taken for one that counts to any number', () => {
  for (const [look, message] of [
    ['(?!.{0,250}x)', `${'c'.repeat(300)}x`],
    ['(?=b(?!.{3,200}x))', `${'c'.repeat(300)}x`],
    ['(?=b.{0,250}x)', `${'c'.repeat(300)}x`],
  ] as const)
    sameAsPlain(`^a${look}b.* <ADDR>$`, [message, message.slice(200)])
})

test('of many looks in one expression some are left to V8', () => {
  const looks = (count: number) => Array.from({ length: count }, (_, index) => `(?!.*<${index}>)`)
  const behind = ['', '<1>', '<99>', '<1> <99>', 'c']
  for (const text of [looks(100).join(''), `(?!(?!.*(?:${looks(100).join('')}c))d)`, `(?:${looks(50).join('|')})`])
    sameAsPlain(`^a${text}b.* <ADDR>$`, behind)
  const line = 'Nov 22 13:41:02 h sshd[1]: ab 192.0.2.7'
  assert.equal(foundBySelf([sshdFilter(`^a${looks(50).join('')}b.* <ADDR>$`)], [line]), { self: 1, other: 0 })
  assert.equal(foundBySelf([sshdFilter(`^a${looks(100).join('')}b.* <ADDR>$`)], [line]), { self: 0, other: 1 })
})

test('an automaton whose states take long to make is left to V8 for the rest of a block', () => {
  const words = Array.from({ length: 1000 }, (_, index) => index.toString(26).padStart(3, '0'))
  const filter = sshdFilter(`^.*(?!${words.join('|')})\\w+.*(?:${words.join('|')}).* from <ADDR>$`)
  const random = new Seeded(seed)
  const word = () => random.of(words) ?? ''
  const lines = Array.from({ length: 100 }, () => {
    const message = Array.from({ length: 20 }, word).join(random.of(['', ' ']))
    return `Nov 22 13:41:02 h sshd[1]: ${message} from 192.0.2.7`
  })
  assert.is(firstDifference(compileFrom([filter], 0), regexp.compile([filter]), lines), null)
  const { self, other } = foundBySelf([filter], lines)
  assert.ok(self > 0 && other > 0, JSON.stringify({ self, other }))
})

test('most lines are found without V8', () => {
  const sshd = shipped.filter(({ name }) => name === 'sshd (normal)')
  for (const one of sshd) {
    const found = foundBySelf(
      [one.filter],
      one.samples.map((line) => `Nov 22 13:41:02 h sshd[1]: ${line.replace(/^.*?\]: /, '')}`),
    )
    assert.ok(found.self > 20 && found.self > 9 * found.other, JSON.stringify(found))
  }
})

test('a scanner goes on after one of its lines made somebody throw, or was stopped', () => {
  const [one] = shipped.filter(({ name }) => name === 'sshd (normal)')
  if (one === undefined) return assert.unreachable('there is sshd')
  const scanner = compileFrom([one.filter], 0)
  const lines = linesFor(one, 200, seed + 2)
  let told = 0
  const throwing = {
    ...scanner,
    scan: (...[block]: Parameters<typeof scanner.scan>) =>
      scanner.scan(block, () => {
        if (++told === 3) throw new Error('stopped')
      }),
  }
  assert.throws(() => foundIn(throwing, lines), 'stopped')
  assert.is(firstDifference(scanner, regexp.compile([one.filter]), lines), null)
})

test.run()

function sshdFilter(text: string): CompiledFilter {
  return compileFilter({ name: 'x', programs: ['sshd'], prefregex: null, failregex: [text], ignoreregex: [] })
}

/** Both matchers must find the same with this failregex in `ab`, these texts, and an address. */
function sameAsPlain(text: string, behind: readonly string[]): void {
  const filter = sshdFilter(text)
  const lines = behind.map((one) => `Nov 22 13:41:02 h sshd[1]: ab${one} 192.0.2.7`)
  assert.is(firstDifference(compileFrom([filter], 0), regexp.compile([filter]), lines), null, text)
}

/** How many lines the tables find, and how many V8 has to. */
function foundBySelf(filters: readonly CompiledFilter[], lines: readonly string[]): { self: number; other: number } {
  const counts = { self: 0, other: 0 }
  const scanner = compileFrom(filters, 0)
  const counting = {
    ...scanner,
    scan: (...[block, tell]: Parameters<typeof scanner.scan>) =>
      scanner.scan(block, (line) => {
        counts[line.timeMs === undefined ? 'other' : 'self']++
        tell(line)
      }),
  }
  foundIn(counting, lines)
  return counts
}
