/** Local times of every zone of the system, and of POSIX rules, as Python's `mktime` and `localtime` have them. */
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { LocalTime } from '../../../../core/fail2ban/dates/local-time.ts'
import { suite } from '../../../suite.ts'
import { Choices } from './date-lines.ts'

const test = suite('local times', 'python3')

/** Rules that are no files, and texts that are neither. */
const rules = [
  '',
  'UTC0',
  'CET-1CEST,M3.5.0,M10.5.0/3',
  'NZST-12NZDT,M9.5.0,M4.1.0/3',
  'EST5EDT4,0/0,J365/25',
  'EST5EDT,M3.2.0',
  'AAA-1BBB-3,J60/0,J300/25',
  'AAA3BBB,59/-1,299/30',
  'IST-1GMT0,M10.5.0,M3.5.0/1',
  'WGT3WGST,M3.5.0/-2,M10.5.0/-1',
  '<+0330>-3:30',
  'XYZ3',
  'AAA-25',
  'A1B',
  'Nowhere/Land',
  ':Europe/Paris',
]

/** What clocks show, as unix seconds as if it were UTC; a time. */
type Question = readonly [shown: number, time: number]
/** The time at which they show it, null: an error; what they show at the time. */
type Answer = readonly [time: number | null, shown: number]

test('all zones', () => {
  const choices = new Choices(20_261_122)
  const asked = [...zoneNames(), ...rules].map((zone): readonly [string, Question[]] => [
    zone,
    Array.from({ length: 60 }, () => [someTime(choices), someTime(choices)]),
  ])
  const answers = ask(asked)
  for (const [index, [zone, questions]] of asked.entries()) {
    const local = new LocalTime(zone)
    const ours = questions.map(([shown, time]): Answer => [local.timeOf(shown), local.shownAt(time)])
    assert.equal(ours, answers[index], zone)
  }
})

test('each minute around the turns of clocks, after dates in summer and in winter', () => {
  const turns = [
    ['Europe/Berlin', Date.UTC(2026, 2, 29, 1)],
    ['Europe/Berlin', Date.UTC(2026, 9, 25, 1)],
    ['America/New_York', Date.UTC(2026, 2, 8, 2)],
    ['America/New_York', Date.UTC(2026, 10, 1, 1)],
    ['Europe/Dublin', Date.UTC(2026, 2, 29, 1)],
    ['Australia/Lord_Howe', Date.UTC(2026, 3, 5, 2)],
    ['Australia/Lord_Howe', Date.UTC(2026, 9, 4, 2)],
    ['Pacific/Apia', Date.UTC(2011, 11, 30, 0)],
    ['Africa/Casablanca', Date.UTC(2026, 1, 15, 3)],
  ] as const
  const asked = turns.flatMap(([zone, turn]) =>
    [0, 5, 11].map((month): readonly [string, Question[]] => [
      zone,
      [
        [Date.UTC(2026, month, 10) / 1000, 0],
        ...Array.from({ length: 300 }, (_, at): Question => [turn / 1000 + (at - 150) * 60, 0]),
      ],
    ]),
  )
  const answers = ask(asked)
  for (const [index, [zone, questions]] of asked.entries()) {
    const local = new LocalTime(zone)
    assert.equal(
      questions.map(([shown]) => local.timeOf(shown)),
      answers[index]?.map(([time]) => time),
      zone,
    )
  }
})

test.run()

/** None on a machine without the files of the zones; then only the rules are tried. */
function zoneNames(): string[] {
  const { stdout } = spawnSync('find', ['/usr/share/zoneinfo', '-type', 'f', '-size', '-100k', '-printf', '%P\\n'], {
    encoding: 'utf8',
  })
  return stdout
    .split('\n')
    .filter((name) => /^[A-Z]/.test(name) && !name.includes('.'))
    .toSorted()
}

/** Of these years mostly, and of all that the calendar has. */
function someTime(choices: Choices): number {
  const year = choices.once(10)
    ? choices.of([1, 1850, 1900, 1945, 1968, 1970, 2100, 3000, 9998])
    : 1971 + choices.below(70)
  const date = new Date(0)
  date.setUTCFullYear(year, choices.of([0, 1, 2, 2, 3, 8, 9, 9, 10, 11]), 1 + choices.below(31))
  return date.getTime() / 1000 + choices.of([0, 1, 2, 3, 12, 23]) * 3600 + choices.below(3600)
}

function ask(zones: readonly (readonly [string, Question[]])[]): Answer[][] {
  const { stdout, stderr } = spawnSync('python3', ['-c', script], {
    input: JSON.stringify(zones),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  assert.ok(stdout.startsWith('['), stderr)
  return JSON.parse(stdout) as Answer[][]
}

const script = `
import calendar, json, os, sys, time

def zone(name):
    os.environ['TZ'] = name
    time.tzset()

def made(shown):
    year, month, day, hour, minute, second = time.gmtime(shown)[:6]
    try: return time.mktime((year, month, day, hour, minute, second, 0, 1, -1))
    except OverflowError: return None

answers = []
for name, questions in json.load(sys.stdin):
    # mktime begins at the offset that it found last.
    zone('UTC')
    time.mktime((2020, 1, 1, 0, 0, 0, 0, 1, -1))
    zone(name)
    answers.append([[made(shown), calendar.timegm(time.localtime(moment))] for shown, moment in questions])
print(json.dumps(answers))
`
