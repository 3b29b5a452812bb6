/** Debian's fail2ban, running: its DateDetector over sequences of lines, with a clock and a zone that are given. */
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { comparedEnvironment, comparedPython } from '../../../compared-fail2ban.ts'

/** One detector and the lines that it sees, in order. */
export interface Trial {
  readonly patterns: readonly string[] | null
  readonly timezone: string | null
  /** As the variable TZ has it. */
  readonly hostZone: string
  readonly lines: readonly (readonly [line: string, now: number])[]
}

/** What became of a line; null: no date. Places count characters. */
export type Verdict = {
  /** 'fails': an error that Fail2ban does not catch. */
  readonly time: number | null | 'fails'
  /** Of what is cut out; of an error: null. */
  readonly span: readonly [start: number, end: number] | null
  /** The places that the templates had at first, in the order after this line; null: as after the line before. */
  readonly order: readonly number[] | null
} | null

/** What became of a trial. `error`: the patterns or the zone are refused (an error when they are first used, too). */
export interface Outcome {
  readonly error: string | null
  readonly verdicts: readonly Verdict[]
  /** In the order of the end. */
  readonly hits: readonly (readonly [name: string, hits: number, expression: string])[]
}

/** Runs all trials, each with a fresh detector that knows nothing of those before. */
export function runDetectors(trials: readonly Trial[]): Outcome[] {
  const { stdout, stderr } = spawnSync(comparedPython, ['-c', script], {
    input: JSON.stringify(trials),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...comparedEnvironment, TZ: 'UTC', PYTHONIOENCODING: 'utf-8', LC_ALL: 'C.UTF-8' },
  })
  assert.ok(stdout.startsWith('['), stderr)
  return JSON.parse(stdout) as Outcome[]
}

const script = String.raw`
import json, os, sys, time, types
from fail2ban.server import datedetector
from fail2ban.server.datedetector import DateDetector, DateDetectorCache
from fail2ban.server.mytime import MyTime
from fail2ban.server.utils import Utils

clock = types.SimpleNamespace(now=0)
datedetector.time = types.SimpleNamespace(time=lambda: clock.now)
defaults = list(DateDetectorCache.DEFAULT_TEMPLATES)

def zone(name):
    os.environ['TZ'] = name
    time.tzset()

def fresh(name):
    datedetector.DD_patternCache = Utils.Cache(maxCount=1000, maxTime=60*60)
    DateDetectorCache.DEFAULT_TEMPLATES = list(defaults)
    DateDetector._defCache = DateDetectorCache()
    # mktime begins at the offset that it found last.
    zone('UTC')
    time.mktime((2020, 1, 1, 0, 0, 0, 0, 1, -1))
    zone(name)

def decide(detector, line):
    match, template = detector.matchTime(line)
    if match is None: return None
    start, end = match.span(1)
    text = line[start:end]
    result = {'span': [start, end] if start >= 0 else [0, 0], 'time': None}
    if text:
        try:
            date = detector.getTime(text, (match, template))
            result['time'] = None if date is None else date[0]
        except Exception as error:
            result = {'span': None, 'time': 'fails'}
    return result

def run(trial):
    fresh(trial['hostZone'])
    detector = DateDetector()
    verdicts = []
    try:
        if trial['timezone'] is not None: detector.default_tz = trial['timezone']
        for pattern in trial['patterns'] or []: detector.appendTemplate(pattern)
        if not len(detector.templates): detector.addDefaultTemplate()
        for used in detector.templates:
            used.template._compileRegex()
            used.template._cRegex.groups
            if used.template._cRegex.groups < 1: raise ValueError('no group')
    except Exception as error:
        return {'error': type(error).__name__ + ': ' + str(error), 'verdicts': [], 'hits': []}
    first = {id(used): place for place, used in enumerate(detector.templates)}
    order = list(range(len(detector.templates)))
    for line, now in trial['lines']:
        clock.now = now
        MyTime.setTime(now)
        try:
            verdict = decide(detector, line)
        except Exception as error:
            verdict = {'span': None, 'time': 'fails'}
        if verdict is not None:
            after = [first[id(used)] for used in detector.templates]
            verdict['order'] = None if after == order else after
            order = after
        verdicts.append(verdict)
    # Which word it has for these depends on the order of a set, which differs from run to run.
    plain = lambda name: name.replace('Ex%k', '%Exk').replace('Ex%l', '%Exl')
    hits = [[plain(used.name), used.hits, used.template.regex] for used in detector.templates]
    return {'error': None, 'verdicts': verdicts, 'hits': hits}

print(json.dumps([run(trial) for trial in json.load(sys.stdin)]))
`
