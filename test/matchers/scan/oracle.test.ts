import * as assert from 'uvu/assert'
import regexp from '../../../matchers/regexp/index.ts'
import { compileFrom } from '../../../matchers/scan/late-scanner.ts'
import { suite } from '../../suite.ts'
import { allShipped, countIn, firstDifference, foundIn, linesFor, showBusyLog } from './comparison.ts'

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

test('most lines are found without V8', () => {
  const sshd = shipped.filter(({ name }) => name === 'sshd (normal)')
  for (const one of sshd) {
    const found = foundBySelf(one.samples.map((line) => `Nov 22 13:41:02 h sshd[1]: ${line.replace(/^.*?\]: /, '')}`))
    assert.ok(found.self > 20 && found.self > 9 * found.other, JSON.stringify(found))
  }

  function foundBySelf(lines: readonly string[]): { self: number; other: number } {
    const counts = { self: 0, other: 0 }
    const filters = sshd.map(({ filter }) => filter)
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
