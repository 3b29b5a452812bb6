/** What the sample logs of Fail2ban say of their lines (`failJSON`) holds here: without asking the program. */
import * as assert from 'uvu/assert'
import { parseAddress } from '../../../../core/address.ts'
import { JailFilter } from '../../../../core/fail2ban/lines/jail-filter.ts'
import type { RawFailure } from '../../../../core/fail2ban/lines/raw-failure.ts'
import { readTreeFilter } from '../../../../core/fail2ban/tree/filter-reading.ts'
import { suite } from '../../../suite.ts'
import { zone } from './same-verdicts.ts'
import { sampleRuns, type SampleFact, type SampleRun } from './stock-samples.ts'

const test = suite('what sample logs say of their lines', 'fail2ban-regex')
/** The time at which the samples are read. */
const now = 1_124_013_600
process.env.TZ = zone

test('every failure of the samples, by host, time, user and number of lines, and no other', () => {
  const wrong: unknown[] = []
  let failures = 0
  for (const run of sampleRuns())
    for (const [index, failed] of found(run).entries()) {
      const fact = run.facts[index] ?? null
      const differs = difference(failed, fact, run.journal)
      failures += failed.length
      if (differs !== null) wrong.push({ filter: run.filter, options: run.options, line: run.lines[index], differs })
    }
  assert.equal(wrong, [])
  assert.ok(failures > 800, `only ${failures} failures`)
})

test.run()

/** The failures that each line completes. */
function found({ folder, filter, options, lines, journal }: SampleRun): RawFailure[][] {
  const given = Object.entries(options).map(([name, value]) => `${name}="${value}"`)
  const read = readTreeFilter(folder, `${filter}[${given.join(',')}]`, journal ? 'journal' : 'file')
  if (read === null) throw new Error(`there is no filter ${filter}`)
  const jail = new JailFilter(read.texts, { all: true, raw: true, hostZone: zone })
  const moment = { now, dateText: '', inOperation: true, findtime: null, time: journal ? now : null }
  return lines.map((line) => jail.process(line, moment).filter(({ id, nofail }) => id !== null && !nofail))
}

function difference(failed: readonly RawFailure[], fact: SampleFact | null, journal: boolean): unknown {
  const [failure] = failed
  if (failure === undefined || fact?.match !== true)
    return (failure !== undefined) === (fact?.match === true) ? null : { failed, fact }
  const said = Object.keys(fact).filter((name) => !['match', 'desc', 'constraint'].includes(name))
  const values = said.map((name) => [name, valueOf(failure, name)])
  const expected = said.map((name) => [name, factOf(fact, name, journal)])
  const same = failed.length === 1 && JSON.stringify(values) === JSON.stringify(expected)
  return same ? null : { count: failed.length, values, expected }
}

function factOf(fact: SampleFact, name: string, journal: boolean): unknown {
  if (name === 'time') return seconds(String(fact.time), journal)
  // Addresses are the same in every spelling.
  if (name === 'host') return parseAddress(fact.host ?? '') ?? fact.host
  return name === 'users' ? fact.users?.toSorted() : fact[name]
}

function valueOf({ id, time, groups, users, lines }: RawFailure, name: string): unknown {
  if (name === 'time') return time
  if (name === 'users') return users.toSorted()
  if (name === 'attempts') return lines.length
  return groups[name] ?? (name === 'host' ? id : undefined)
}

/** Some samples leave leading zeros out. */
function seconds(shown: string, journal: boolean): number {
  const [year = 0, month = 1, day, hour, minute, second = 0] = shown.split(/[-T:]/).map(Number)
  return journal ? now : new Date(year, month - 1, day, hour, minute, 0).getTime() / 1000 + second
}
