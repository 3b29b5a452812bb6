import * as assert from 'uvu/assert'
import type { Finding } from '../../core/control/api.ts'
import type { Match } from '../../core/events.ts'
import type { LogState } from '../../core/intake/intake.ts'
import type { FilterTexts } from '../../core/fail2ban/lines/filter-texts.ts'
import { JailLines } from '../../core/fail2ban/lines/jail-lines.ts'
import { JailSight } from '../../core/jail-sight.ts'
import { compileFilter } from '../../core/matching/filters.ts'
import { createLogScanner } from '../../core/matching/scan.ts'
import regexp from '../../matchers/regexp/index.ts'
import { suite } from '../suite.ts'

const test = suite('blind and rotten jails')
const start = Date.UTC(2026, 10, 22)
const hour = 3_600_000
const log = '/var/log/auth.log'
const filter = compileFilter({
  name: 'popd',
  programs: ['popd'],
  prefregex: null,
  failregex: ['^login of \\S+ from <ADDR> failed$'],
  ignoreregex: [],
})
const jail = { name: 'popd', filter, sources: [{ name: 'file' }] } as never as Parameters<JailSight['findings']>[0][0]

function state(more: Partial<LogState> = {}): LogState {
  return {
    log,
    pattern: null,
    jails: ['popd'],
    state: 'reading',
    trouble: null,
    behind: 0,
    lines: 0,
    skipped: 0,
    malformed: 0,
    position: 0,
    lastGrowth: null,
    live: true,
    ...more,
  }
}

/** Lets a jail see these lines as a live log brings them, four each minute, and answers what is found. */
function seen(lines: readonly string[], logs = [state()], sight = new JailSight()): readonly Finding[] {
  const scanner = createLogScanner({ jails: [{ jail: 'popd', filter }], engines: [regexp] })
  let arrivedAt = start
  for (let at = 0; at < lines.length; at += 4) {
    arrivedAt += 60_000
    const data = Buffer.from(lines.slice(at, at + 4).join(''))
    const chunk = { log, jails: ['popd'], data, arrivedAt, live: true, undatedAt: arrivedAt, insideLine: false }
    sight.note(chunk, scanner.scan(chunk))
  }
  return sight.findings([jail], logs, arrivedAt)
}

const line = (text: string, program = 'popd') => `Nov 22 13:41:02 host ${program}[7]: ${text}\n`
const failed = line('login of root from 192.0.2.7 failed')
const fine = line('login of alice from 192.0.2.10 succeeded')
const times = (count: number, ...lines: string[]) => Array.from({ length: count }, () => lines).flat()

const texts: FilterTexts = {
  name: 'popd',
  prefregex: null,
  failregex: ['^ \\S+ popd\\[\\d+\\]: login of \\S+ from <HOST> failed$'],
  ignoreregex: [],
  maxlines: 1,
  datepattern: ['^%b %d %H:%M:%S'],
  timezone: 'UTC',
  usedns: 'no',
  encoding: 'auto',
  journal: false,
}
const treeJail = {
  ...jail,
  filter: { ...filter, programs: null },
  fail2ban: { folder: '/etc/fail2ban' },
} as typeof jail

/** As `seen`, of a jail of a Fail2ban tree. */
function seenByTree(lines: readonly string[]): readonly Finding[] {
  const ordered = [new JailLines({ jail: 'popd', texts, findtimeSeconds: 600 })]
  const scanner = createLogScanner({ jails: [], engines: [regexp], ordered })
  const sight = new JailSight()
  let arrivedAt = start
  let memories = {}
  for (let at = 0; at < lines.length; at += 4) {
    arrivedAt += 60_000
    const data = Buffer.from(lines.slice(at, at + 4).join(''))
    const chunk = { log, jails: ['popd'], data, arrivedAt, live: true, undatedAt: arrivedAt, insideLine: false }
    const result = scanner.scan(chunk, undefined, null, memories)
    memories = result.memories ?? {}
    sight.note(chunk, result)
  }
  return sight.findings([treeJail], [state()], arrivedAt)
}

test('a jail of a Fail2ban tree is blind and doubtful like one of ours', () => {
  const changed = line('login of root from 192.0.2.7 was failed')
  const other = line('quota of alice is fine')
  assert.equal(seenByTree(times(100, failed, fine, fine, other)), [])
  assert.equal(
    seenByTree(times(2000, '22nd of November, popd[7]: login of root from 192.0.2.7 failed\n')).map(
      ({ grade, what, mend }) => [grade, what, mend],
    ),
    [
      [
        'blind',
        'none of 2000 lines that were looked at has a date that is understood',
        'bailiff test --fail2ban /etc/fail2ban popd /var/log/auth.log',
      ],
    ],
  )
  const rotten = seenByTree([
    ...times(400, failed, other, other, other),
    ...times(1600, changed, changed, changed, changed),
  ])
  assert.equal(
    rotten.map(({ grade }) => grade),
    ['doubtful'],
  )
  assert.match(rotten[0]?.what ?? '', /^6400 lines with words of failures have come since one matched/)
})

test('a jail that sees what it should is not spoken of, nor one with nothing to see', () => {
  const cases: [what: string, lines: string[]][] = [
    ['nothing at all', []],
    ['a few lines of others', times(500, line('session opened', 'cron'))],
    ['nobody fails', times(3000, fine)],
    ['everybody fails', times(3000, failed)],
    [
      'attackers that have gone',
      [...times(500, failed, failed, failed, fine), ...times(5000, line('x', 'cron'), fine)],
    ],
    ['fewer attackers', [...times(500, failed, fine), ...times(2000, fine, fine, fine, failed)]],
    ['undated lines that match', times(3000, 'login of root from 192.0.2.7 failed\n')],
    ['seldom among others', [...times(3000, line('session opened', 'cron')), fine]],
  ]
  for (const [what, lines] of cases) assert.equal(seen(lines), [], what)
})

test('lines without any date', () => {
  const found = seen(times(1500, '22|11|2026 somebody was here\n'))
  assert.equal(
    found.map(({ grade, mend }) => [grade, mend]),
    [['blind', `bailiff test popd ${log}`]],
  )
  assert.match(found[0]?.what ?? '', 'has a date')
})

test('a log of other services', () => {
  const [found] = seen(times(1500, line('session opened', 'cron')))
  assert.is(found?.grade, 'doubtful')
  assert.match(found?.what ?? '', 'is written by popd')
})

test('failures that another program writes: the service has another name now', () => {
  const others = times(
    500,
    line('login of root from 192.0.2.7 failed', 'popd-session'),
    line('x', 'cron'),
    line('y', 'cron'),
  )
  const [found] = seen(others)
  assert.is(found?.grade, 'blind')
  assert.match(found?.what ?? '', /written by popd-session, but its filter reads only popd/)
})

test('the service changed its messages: what has the words matches no more', () => {
  const changed = line('login of root from 192.0.2.7 port 22 failed for good')
  const before = times(200, failed, failed, failed, fine)
  const [found, ...others] = seen([...before, ...times(100, changed, changed, changed, fine)])
  assert.equal(others, [])
  assert.is(found?.grade, 'doubtful')
  assert.match(found?.what ?? '', /400 lines with words of failures .* the service may have changed its messages/)
  assert.equal(seen([...before, ...times(100, changed, changed, changed, fine), failed]), [])
})

test('a log that cannot be read, with what mends it', () => {
  const bad = state({ state: 'unreadable', trouble: 'permission denied (EACCES)', remedy: 'usermod …' })
  const sight = new JailSight()
  sight.look([jail], [bad], start)
  assert.equal(sight.findings([jail], [bad], start + 1000), [], 'a rotation is over sooner')
  const what = 'the log cannot be read: permission denied (EACCES)'
  const finding = { jail: 'popd', log, grade: 'blind', what, mend: 'usermod …' }
  assert.equal(sight.findings([jail], [bad], start + 6000), [finding])
  // Another log of the jail is read.
  const logs = [bad, state({ log: '/var/log/other' })]
  assert.equal(sight.findings([jail], logs, start + 6000), [{ ...finding, grade: 'doubtful' }])
  sight.look([jail], [state()], start + 7000)
  assert.equal(sight.findings([jail], [state()], start + 9000), [])
})

test('no log at all, for longer than a start takes', () => {
  const sight = new JailSight()
  const other = { ...jail, name: 'other', sources: [{ name: 'journal' }] } as never as typeof jail
  sight.look([jail, other], [], start)
  assert.equal(sight.findings([jail, other], [], start + 4000), [])
  assert.equal(
    sight.findings([jail, other], [], start + 6000).map(({ jail: name, grade, what }) => [name, grade, what]),
    [['popd', 'blind', 'there is no log that it could read']],
  )
  sight.look([jail, other], [state()], start + 7000)
  assert.equal(sight.findings([jail, other], [state()], start + 60_000), [])
})

test('silence is odd where there never was any, and not at night', () => {
  const sight = new JailSight()
  const nothing = { matches: [] as Match[] }
  const at = (arrivedAt: number) => ({ log, arrivedAt, live: true })
  // Busy by day, silent for ten hours each night.
  for (let day = 0; day < 3; day++)
    for (let minute = 0; minute < 14 * 60; minute++) sight.note(at(start + day * 24 * hour + minute * 60_000), nothing)
  const last = start + 2 * 24 * hour + 14 * hour
  assert.equal(sight.findings([jail], [state()], last + 12 * hour), [])
  assert.equal(sight.findings([jail], [state()], last + 70 * hour), [])
  const [found] = sight.findings([jail], [state()], last + 90 * hour)
  assert.match(found?.what ?? '', 'no line has come for 90 h, and before it never was silent for more than 10 h')
  const busy = new JailSight()
  for (let minute = 0; minute < 30 * 60; minute++) busy.note(at(start + minute * 60_000), nothing)
  assert.equal(busy.findings([jail], [state()], start + 35 * hour), [])
  assert.is(busy.findings([jail], [state()], start + 36.5 * hour).length, 1)
})

test.run()
