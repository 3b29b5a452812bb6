/** Dates against Debian's fail2ban, running: patterns are read alike, and what it reads by itself is read here, too. */
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { compileDates } from '../../../core/matching/date-pattern.ts'
import { createDateReader } from '../../../core/matching/date-reading.ts'
import { comparedEnvironment, comparedPython } from '../../compared-fail2ban.ts'
import { suite } from '../../suite.ts'
import { moment, patternDates, patternReference, serviceDates } from './date-cases.ts'

const test = suite('dates as fail2ban reads them', 'fail2ban-regex')

/** The pattern (null: those it has by itself) and the line. */
type Trial = readonly [pattern: string | null, line: string]

/** The time in whole seconds and the text of the date; null: there is none. A text: the pattern is refused. */
type Verdict = readonly [seconds: number, text: string] | null | string

/** What is read otherwise here, and why. */
const otherwise: Readonly<Record<string, string>> = {
  '{NONE}': 'no date is one of its own there',
  TAI64N: 'the label is ten seconds ahead of unix time',
  'at {DATE}$': 'seconds since 1970 are among the usual forms',
  'Proxmox, a day that could be a month': 'zones count',
  'PostgreSQL, CET': 'zones count',
  PHP: 'zones count',
  'American, a day that could be a month': 'with PM the month comes first',
  'American halves of the day': 'with PM the month comes first',
  'date(1)': 'zones count',
  'time of day alone': 'it says nothing of the day; {^LN-BEG}%H:%M:%S reads it',
}

test('patterns find the same date, and cut the same out of the line', () => {
  const same = patternDates.filter(([pattern]) => !(pattern in otherwise) && !pattern.includes('\n'))
  const trials = same.map(([pattern, line]): Trial => [pattern.replaceAll(/%%(?=[A-Za-z])/g, '%'), line])
  const theirs = ask(trials)
  trials.forEach(([pattern, line], index) => {
    assert.equal(ours(pattern, line), theirs[index], `${pattern}: ${line}`)
  })
})

test('what it reads by itself is read here, as the same time', () => {
  const cases = serviceDates.filter(([service]) => !(service in otherwise))
  const theirs = ask(cases.map(([, line]): Trial => [null, line]))
  cases.forEach(([service, line], index) => {
    const verdict = theirs[index]
    if (verdict === null || verdict === undefined) return
    assert.is(ours(null, line)?.[0], verdict[0], `${service}: ${line}`)
  })
  assert.ok(theirs.filter((verdict) => verdict !== null).length > 70)
})

test.run()

function ours(pattern: string | null, line: string): readonly [seconds: number, text: string] | null {
  const reader = createDateReader(compileDates(pattern === null ? null : [pattern], '+00:00', 2026))
  reader.reference = patternReference
  const behind = reader.read(line, 0, line.length, !/[^\0-\x7f]/.test(line))
  return behind < 0 ? null : [Math.floor(reader.time / 1000), line.slice(reader.from, reader.to)]
}

function ask(trials: readonly Trial[]): Verdict[] {
  const input = JSON.stringify({ reference: patternReference / 1000, trials })
  const { stdout, stderr } = spawnSync(comparedPython, ['-c', script], {
    input,
    encoding: 'utf8',
    env: { ...comparedEnvironment, TZ: 'UTC' },
  })
  assert.ok(stdout.startsWith('['), stderr)
  assert.ok(moment < patternReference)
  return JSON.parse(stdout) as Verdict[]
}

const script = `
import json, sys, math
from fail2ban.server.datedetector import DateDetector
from fail2ban.server.mytime import MyTime
asked = json.load(sys.stdin)
MyTime.setTime(asked['reference'])
def verdict(pattern, line):
    detector = DateDetector()
    try:
        detector.addDefaultTemplate() if pattern is None else detector.appendTemplate(pattern)
        match = detector.matchTime(line)
        time = detector.getTime(line, match)
    except Exception as error:
        return str(error)
    return time and [math.floor(time[0]), line[match[0].start(1):match[0].end(1)]]
print(json.dumps([verdict(*trial) for trial in asked['trials']]))
`
