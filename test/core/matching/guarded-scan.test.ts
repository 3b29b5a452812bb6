import * as assert from 'uvu/assert'
import { scanGuarded, type GuardedScanner } from '../../../core/matching/guarded-scan.ts'
import type { LineGuard } from '../../../core/matching/line-guard.ts'
import type { LineSpan } from '../../../core/matching/messages.ts'
import { suite } from '../../suite.ts'

const test = suite('scanning under a guard')

const lineMs = 4
const lineBytes = 10

/**
 * Ten lines, of which those in `needs` take so many milliseconds, on a machine that gives the thread `share` of its
 * time. Stopped work tells what it had; `found` are the lines whose scan came to its end and was not forgotten.
 */
function play({ needs, share, byFilter = [['one']] }: Played) {
  const jails = byFilter.flat()
  const tried: string[] = []
  const found = new Map(jails.map((jail) => [jail, new Set<number>()]))
  let [at, used]: [LineSpan | null, number] = [null, 0]
  let left = 0
  const spanOf = (start: number) => ({ start, end: start + lineBytes })
  const scanLine = (start: number, jailed: readonly string[]) => {
    at = spanOf(start)
    const need = needs[start / lineBytes] ?? 0
    if (need > left) {
      used = left
      throw new Stopped()
    }
    left -= need
    for (const jail of jailed) found.get(jail)?.add(start / lineBytes)
  }
  const scanner: GuardedScanner = {
    jails,
    byFilter,
    scan: (start, end) => {
      for (let line = start; line < end; line += lineBytes) scanLine(line, jails)
    },
    scanFor: (some, { start }) => {
      tried.push(some.join(' '))
      scanLine(start, some)
    },
    at: () => at && { line: at, used },
    forget: (names, start) => {
      for (const name of names) {
        for (const line of found.get(name) ?? []) if (line * lineBytes >= start) found.get(name)?.delete(line)
      }
    },
    lineAt: spanOf,
  }
  const guard: Pick<LineGuard, 'run'> = {
    run: (work, ms) => {
      at = null
      left = ms * share
      try {
        work()
        return true
      } catch (error) {
        if (error instanceof Stopped) return false
        throw error
      }
    },
  }
  const slow = scanGuarded(scanner, { start: 0, end: 10 * lineBytes }, guard as LineGuard, lineMs)
  return {
    slow: slow.map(({ jail, start }) => `${jail} ${start / lineBytes}`),
    tried: [...new Set(tried)],
    found: Object.fromEntries([...found].map(([jail, lines]) => [jail, [...lines].toSorted((a, b) => a - b)])),
  }
}

interface Played {
  readonly needs: Readonly<Record<number, number>>
  readonly share: number
  readonly byFilter?: readonly (readonly string[])[]
}

class Stopped extends Error {}

const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const but = (...lines: number[]) => all.filter((line) => !lines.includes(line))

test('lines that take for ever are passed over, the others are not', () => {
  assert.equal(play({ needs: { 0: Infinity, 4: Infinity, 5: Infinity, 9: Infinity }, share: 1 }), {
    slow: ['one 0', 'one 4', 'one 5', 'one 9'],
    tried: ['one'],
    found: { one: but(0, 4, 5, 9) },
  })
})

for (const share of [1, 0.5, 0.1, 0.03]) {
  test(`a thread that gets ${share * 100} % of a processor loses no line that needs little of it`, () => {
    const needs = Object.fromEntries(all.map((line) => [line, line === 3 ? Infinity : 0.9]))
    assert.equal(play({ needs, share }), { slow: ['one 3'], tried: ['one'], found: { one: but(3) } })
  })
}

test('each filter is tried for itself, for all its jails at once', () => {
  assert.equal(play({ needs: { 2: Infinity }, share: 0.2, byFilter: [['one', 'more'], ['two']] }), {
    slow: ['one 2', 'more 2', 'two 2'],
    tried: ['one more', 'two'],
    found: { one: but(2), more: but(2), two: but(2) },
  })
})

test.run()
