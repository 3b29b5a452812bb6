/** Dates against Debian's fail2ban, running: the same date, time and template in every line, and the same order after it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { DateDetector } from '../../../../core/fail2ban/dates/date-detector.ts'
import { DateForms } from '../../../../core/fail2ban/dates/date-forms.ts'
import { columnOf } from '../../../../core/fail2ban/dates/last-date.ts'
import { BailiffError } from '../../../../core/errors.ts'
import { comparedIs, comparedTests, comparedTree } from '../../../compared-fail2ban.ts'
import { suite } from '../../../suite.ts'
import { Choices, lineOf, somePattern, usualForms } from './date-lines.ts'
import { runDetectors, type Outcome, type Trial, type Verdict } from './running-detector.ts'

const test = suite('dates as fail2ban chooses them', 'fail2ban-regex')

const forms = new DateForms()
const now = Date.UTC(2026, 10, 22, 13, 41, 2) / 1000
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
]

test('the default list over mixed lines', () => {
  const trials = Array.from({ length: 30 }, (_, index): Trial => {
    const choices = new Choices(1000 + index)
    const forms = Array.from({ length: 1 + choices.below(6) }, () => choices.of(usualForms))
    let time = now + choices.below(86_400 * 400)
    const lines = Array.from({ length: 300 }, (): readonly [string, number] => {
      time += choices.of([0, 0, 1, 2, 60, 301, 4000])
      return [lineOf(choices.once(20) ? choices.of(usualForms) : choices.of(forms), time, choices), time]
    })
    return {
      patterns: null,
      timezone: choices.of([null, null, 'UTC', 'CET', '-0530']),
      hostZone: choices.of(zones),
      lines,
    }
  })
  compare(trials)
})

test('datepatterns of all kinds', () => {
  const trials = Array.from({ length: 450 }, (_, index): Trial => {
    const choices = new Choices(50_000 + index)
    const chosen = Array.from({ length: choices.once(4) ? 2 + choices.below(3) : 1 }, () => somePattern(choices))
    const forms = chosen.map(({ form }) => form)
    let time = now + choices.below(86_400 * 400)
    const lines = Array.from({ length: 25 }, (): readonly [string, number] => {
      time += choices.of([0, 0, 1, 2, 60, 301, 4000])
      return [lineOf(choices.once(10) ? choices.of(usualForms) : choices.of(forms), time, choices), time]
    })
    const patterns = chosen.map(({ pattern }) => pattern)
    return { patterns, timezone: choices.of([null, null, 'UTC', 'CET', '-0530']), hostZone: choices.of(zones), lines }
  })
  // Before 1.1 a group of a pattern with seconds in it was not what is cut out.
  const isMended = (pattern: string) => /\{L?EPOCH\}/.test(pattern) && /(?<!\\)\((?!\?)/.test(pattern)
  compare(comparedIs('1.1.0') ? trials : trials.filter(({ patterns }) => !patterns?.some(isMended)))
})

test('the lines of all stock filters, by their own datepatterns and by the default list', () => {
  const trials = stockFilters().flatMap(({ lines, patterns }): Trial[] => {
    const timed = lines.map((line, at): readonly [string, number] => [line, now + at])
    const trial = { timezone: null, hostZone: 'Europe/Zurich', lines: timed }
    return [{ ...trial, patterns: null }, ...patterns.map((pattern) => ({ ...trial, patterns: [pattern] }))]
  })
  assert.ok(trials.length > 100)
  const mixed = trials.flatMap(({ patterns, lines }) => (patterns === null ? lines : []))
  compare([...trials, { patterns: null, timezone: null, hostZone: 'Europe/Zurich', lines: mixed }])
})

test.run()

/** Each stock filter's sample lines, and its datepatterns as the option's value is: a percent sign is single there. */
function stockFilters(): { readonly lines: readonly string[]; readonly patterns: readonly string[] }[] {
  const samples = join(comparedTests, 'files/logs')
  const files = readdirSync(samples, { withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ name }) => {
    const filter = `${comparedTree}/filter.d/${name}.conf`
    const written = existsSync(filter) ? readFileSync(filter, 'utf8').matchAll(/^datepattern *= *(.*\S)/gm) : []
    return {
      lines: readFileSync(`${samples}/${name}`, 'utf8').split('\n').filter(Boolean),
      patterns: Array.from(written, ([, pattern = '']) => pattern.replaceAll('%%', '%')).filter(
        (one) => !/^%\(|^<\w/.test(one),
      ),
    }
  })
}

/** Fails at the first line that is read otherwise. */
function compare(trials: readonly Trial[]): void {
  const theirs = runDetectors(trials)
  trials.forEach((trial, index) => {
    const expected = theirs[index]
    const name = `trial ${index} ${JSON.stringify({ ...trial, lines: trial.lines.length })}`
    const actual = runOurs(trial)
    assert.is(
      actual.error === null,
      expected?.error === null,
      `${name}: ${actual.error ?? 'taken'}, there ${expected?.error ?? 'taken'}`,
    )
    if (actual.error !== null) return
    for (const [place, [line, at]] of trial.lines.entries())
      assert.equal(
        actual.verdicts[place],
        expected?.verdicts[place],
        `${name}: line ${place} at ${at}: ${JSON.stringify(line)}`,
      )
    assert.equal(actual.hits, expected?.hits, name)
  })
}

function runOurs({ patterns, timezone, hostZone, lines }: Trial): Outcome {
  let detector: DateDetector
  try {
    detector = new DateDetector({ patterns, timezone, hostZone }, forms)
  } catch (error) {
    if (error instanceof BailiffError) return { error: error.message, verdicts: [], hits: [] }
    throw error
  }
  const first = new Map(detector.templates.map((template, place) => [template, place]))
  let order = [...first.values()]
  const verdicts = lines.map(([line, at]): Verdict => {
    const found = detector.find(line, at)
    if (found === null) return null
    const after = detector.templates.map((template) => first.get(template) ?? -1)
    const same = after.every((place, index) => place === order[index])
    order = after
    const span = found.fails ? null : ([columnOf(line, found.start), columnOf(line, found.end)] as const)
    return { span, time: found.fails ? 'fails' : found.time, order: same ? null : after }
  })
  return {
    error: null,
    verdicts,
    hits: detector.templates.map(({ name, hits, expression }) => [name, hits, expression]),
  }
}
