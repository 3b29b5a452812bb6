import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { compileFailregex, type Failregex, type FailregexOptions } from '../../../../core/fail2ban/regex/failregex.ts'
import { linearForm } from '../../../../core/fail2ban/regex/linear-form.ts'
import { compilePython } from '../../../../core/fail2ban/regex/python-pattern.ts'
import { expandTags } from '../../../../core/fail2ban/regex/tags.ts'
import { emitPattern, pythonClasses } from '../../../../core/matching/pattern-emitter.ts'
import { PatternError } from '../../../../core/matching/pattern-error.ts'
import { useOfGroups } from '../../../../core/matching/pattern-groups.ts'
import { parsePattern, pythonSyntax } from '../../../../core/matching/pattern-parser.ts'
import { comparedIs, comparedTests } from '../../../compared-fail2ban.ts'
import { suite } from '../../../suite.ts'
import { seededDice, type Dice } from './chance-expressions.ts'
import { judgedByFail2ban, stockPatterns, type StockPattern, type TagTrial, type TagVerdict } from './real-fail2ban.ts'
import { bentText, textOf } from './texts-of-patterns.ts'

const plain = suite('failregexes')
const real = suite('failregexes as Fail2ban reads them', 'python3', 'fail2ban-regex')
const place = { list: 'failregex', index: 0 } as const
const usual: FailregexOptions = { usedns: 'warn', multiline: false, kind: 'failregex' }

plain('a failregex says who failed, and what else its tags hold', () => {
  const failregex = compileFailregex('^login of <F-USER>\\S+</F-USER> from <HOST> failed$', usual)
  const found = failregex.search('login of root from ::ffff:192.0.2.7 failed\n')
  assert.equal({ ...found?.groups }, { user: 'root', ip4: '192.0.2.7', ip6: undefined, dns: undefined })
  assert.equal([found?.start, found?.end], [0, 42])
  assert.equal(failregex.literals, ['login of '])
  assert.is(failregex.backtracking, null)
  assert.equal(failregex.names, ['user', 'ip4', 'ip6', 'dns'])
  assert.is(failregex.search('login of  from 192.0.2.7 failed\n'), null)
})

plain('a colon alone may stand in front of an IPv6 address, as since Fail2ban 1.1', () => {
  const failregex = compileFailregex('^from <ADDR>$', usual)
  const found: [line: string, ip6: string | undefined][] = [
    ['from 2001:db8::7\n', '2001:db8::7'],
    ['from [::1]\n', '::1'],
    ['from :1\n', ':1'],
    ['from :\n', undefined],
    ['from ::\n', '::'],
  ]
  for (const [line, ip6] of found) assert.is(failregex.search(line)?.groups.ip6, ip6, line)
})

plain('alternatives fill what is empty, and tuples add up', () => {
  const text =
    '^(?:<F-ALT_USER>a</F-ALT_USER>|<F-USER>b</F-USER>)?<F-ALT_USER_2>x?</F-ALT_USER_2><F-ID/>-<F-TUPLE_ID>\\d</F-TUPLE_ID>(?:<F-TUPLE_ID_2>z</F-TUPLE_ID_2>)?'
  const failregex = compileFailregex(text, usual)
  const merged = (line: string) => failregex.search(line)?.merged
  assert.equal([merged('axq-1')?.user, merged('axq-1')?.fid], ['a', ['q', '1', undefined]])
  assert.equal([merged('bxq-1z')?.user, merged('bxq-1z')?.fid], ['b', ['q', '1', 'z']])
  assert.equal(merged('xq-1')?.user, 'x')
  assert.equal(failregex.search('xq-1')?.groups.fid, 'q')
})

plain('what is wrong is named', () => {
  const wrong: [text: string, character: number, message: string][] = [
    ['^no address$', 1, 'no group says who failed'],
    [' \t', 1, 'empty'],
    ['<HOST> (', 8, 'not closed'],
    ['<HOST> <HOST>', 8, 'two groups ip4'],
    ['<F-a-b>x</F-a-b><HOST>(?P<x-y>)', 27, 'name of a group'],
    ['^((?i)a) <F-USER>a</F-USER> <HOST> a**', 38, 'repeats what is repeated'],
  ]
  for (const [text, character, message] of wrong) {
    try {
      compileFailregex(text, { ...usual, index: 4 })
      assert.unreachable(text)
    } catch (error) {
      assert.instance(error, PatternError)
      assert.match((error as PatternError).message, message)
      assert.match((error as PatternError).message, `failregex 5, character ${character}:`)
    }
  }
  compileFailregex('^no address$', { ...usual, kind: 'ignoreregex' })
  const prefregex = compileFailregex('^<F-MLFID>\\d+</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$', {
    ...usual,
    kind: 'prefregex',
  })
  compileFailregex('^no address$', { ...usual, prefregex })
})

plain('flags behind an opening bracket become those of the bracket', () => {
  assert.is(expandTags('((?i)a)(?:(?im)b)\\((?i)c', true).text, '(?i:a)(?im:b)\\((?i)c')
})

real('every stock pattern expands, matches and captures as in the program, on its samples and on made-up lines', () => {
  const dice = seededDice(2026)
  const stock = stockPatterns()
  assert.ok(stock.length > 250, `${stock.length} patterns`)
  let found = 0
  compareTags(
    stock.map((pattern) => ({ ...pattern, usedns: 'warn', texts: linesFor(pattern, dice) })),
    (matches) => (found += matches),
  )
  assert.ok(found > 3000, `${found} found`)
})

real('tags of every kind, and the groups that are missing', () => {
  const dice = seededDice(7)
  const trials = Array.from({ length: 600 }, () => tagTrial(dice))
  let found = 0
  compareTags(trials, (matches) => (found += matches))
  assert.ok(found > 300, `${found} found`)
})

real(
  'nearly nine of ten stock failregexes are truly regular, and V8 takes them so; none of them is searched for without V8',
  () => {
    const stock = stockPatterns().filter(({ kind }) => kind === 'failregex')
    const patterns = stock.map((one) => ({ one, failregex: compiled({ ...one, usedns: 'warn', texts: [] }) }))
    const regular = patterns.filter(({ failregex }) => failregex.backtracking === null)
    // Newer filters look ahead more.
    assert.ok(
      regular.length / stock.length > (comparedIs('1.1.0') ? 0.8 : 0.88),
      `${regular.length} of ${stock.length}`,
    )
    const sources = regular.map(({ one, failregex }) => sourceOf(failregex.expanded, one.multiline))
    const taken = takenByLinearEngine(sources)
    const refused = sources.filter((_, index) => !taken[index])
    assert.equal(refused, [])
    assert.ok(patterns.every(({ failregex }) => failregex.literals !== null))
  },
)

plain.run()
real.run()

function compareTags(trials: readonly TagTrial[], count: (found: number) => void): void {
  const verdicts = judgedByFail2ban(trials)
  trials.forEach((trial, index) => compareTag(trial, verdicts[index] ?? { refused: 'nothing' }, count))
}

function compareTag(trial: TagTrial, verdict: TagVerdict, count: (found: number) => void): void {
  let failregex: Failregex
  try {
    failregex = compiled(trial)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    assert.ok('refused' in verdict, `Fail2ban takes ${trial.text}: ${error.message}`)
    return
  }
  if ('refused' in verdict) return assert.unreachable(`Fail2ban refuses ${trial.text}: ${verdict.refused}`)
  assert.is(failregex.expanded, verdict.expanded)
  const multiline = trial.multiline && trial.kind === 'failregex'
  const all = compilePython(failregex.expanded, { place, multiline, allGroups: true })
  trial.texts.forEach((text, index) => {
    const theirs = verdict.found[index] ?? null
    const told = `${trial.text} in ${JSON.stringify(text)}`
    const ours = failregex.search(text)
    assert.equal(ours && JSON.parse(JSON.stringify(ours.merged, missingAsNull)), theirs && theirs.groups, told)
    assert.equal(ours && [ours.start, ours.end], theirs && theirs.spans[0], told)
    assert.equal(all.spans(text), theirs && theirs.spans, told)
    if (theirs) count(1)
  })
}

function missingAsNull(_: string, value: unknown): unknown {
  return value === undefined ? null : value
}

function compiled({ text, kind, multiline, usedns, prefregex }: TagTrial): Failregex {
  const options = { ...usual, usedns: usedns as FailregexOptions['usedns'], multiline }
  const before = prefregex === null ? null : compileFailregex(prefregex, { ...options, kind: 'prefregex' })
  return compileFailregex(text, { ...options, kind, prefregex: before })
}

/** Lines made from the pattern, the samples of its filter, and all of them bent. */
function linesFor({ filter, text, kind, multiline }: StockPattern, dice: Dice): string[] {
  const tree = parsePattern(expandTags(text, true).text, place, {
    ...pythonSyntax,
    multiline: multiline && kind === 'failregex',
  })
  const made = Array.from({ length: 24 }, () => `${textOf(tree, dice)}${dice(3) === 0 ? '\n' : ''}`)
  const log = join(comparedTests, 'files/logs', filter)
  const written = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  const samples = written.filter((line) => line !== '' && !line.startsWith('#'))
  const undated = samples.map((line) => line.replace(/^(?:\S+ +){3}/, ''))
  const all = [...made, ...[...samples, ...undated].map((line) => `${line}\n`)]
  return [...all, ...all.map((line) => bentText(line, dice))]
}

const pieces = String.raw`
  <HOST> <ADDR> <IP4> <IP6> <DNS> <CIDR> <SUBNET> <F-ID/> <F-PORT/> <F-IP4/> <F-SUBNET/> <SKIPLINES> <F-ID>\d+</F-ID>
  <F-PORT>\d+</F-PORT> <F-USER>\S*</F-USER> <F-ALT_USER>a</F-ALT_USER> <F-ALT_USER_1>b</F-ALT_USER_1>
  (?:<F-TUPLE_ID>c</F-TUPLE_ID>)? <F-MLFID>\w</F-MLFID> <F-X-Y>a</F-X-Y> </F-USER> <F-user> <host> <F-NOFAIL/> <unknown/>
  ((?i)A) (?:(?im)b) <é> (?P<alt_id>x) : / ^ $ .* \s* (?i)`
  .trim()
  .split(/\s+/)
const words = ['192.0.2.7', '2001:db8::7', '::ffff:192.0.2.7', '[::1]', 'host.example.net', ...'abcx7/ :-\né']

function tagTrial(dice: Dice): TagTrial {
  const pick = <T>(from: readonly T[]): T => from[dice(from.length)] as T
  const some = (from: readonly string[], most: number) =>
    Array.from({ length: 1 + dice(most) }, () => pick(from)).join('')
  const before = ['^<F-CONTENT>.+</F-CONTENT>$', '^<F-MLFID>\\w+</F-MLFID> <F-CONTENT>.+</F-CONTENT>$']
  return {
    text: some([...pieces, ' ', ' '], 5),
    kind: pick(['failregex', 'failregex', 'ignoreregex', 'prefregex']),
    multiline: dice(3) === 0,
    usedns: pick(['yes', 'warn', 'no', 'raw']),
    prefregex: dice(4) === 0 ? pick(before) : null,
    texts: Array.from({ length: 6 }, () => some([...words, '<F-user>', '</F-USER>', '<host>', '/24'], 6)),
  }
}

function sourceOf(expanded: string, multiline: boolean): string {
  const tree = parsePattern(expanded, place, { ...pythonSyntax, multiline })
  let use
  try {
    use = useOfGroups(tree, expanded, place)
  } catch {
    use = { capturing: new Set<number>(), tested: new Set<number>() }
  }
  return emitPattern(linearForm(tree, use), use, new Map(), 'ascii', pythonClasses).source
}

/** Asks V8 in a process of its own: the flag changes what it does for the whole process. */
function takenByLinearEngine(sources: readonly string[]): boolean[] {
  const script = `
    const taken = (source) => { try { new RegExp(source, 'l'); return true } catch { return false } }
    console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).map(taken)))`
  const words = ['--enable-experimental-regexp-engine', '-e', script]
  return JSON.parse(
    execFileSync(process.execPath, words, { input: JSON.stringify(sources), encoding: 'utf8', maxBuffer: 1 << 28 }),
  ) as boolean[]
}
