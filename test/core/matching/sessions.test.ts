import * as assert from 'uvu/assert'
import { parseAddress } from '../../../core/address.ts'
import type { Match } from '../../../core/events.ts'
import { createSessions } from '../../../core/matching/sessions.ts'
import { suite } from '../../suite.ts'

const test = suite('sessions')

test('a once line and the ordinary line after it are one failure', () => {
  const cases: [lines: string, counted: string][] = [
    ['o', 'o'],
    ['x', 'x'],
    ['xx', 'xx'],
    ['ox', 'o'],
    ['oxx', 'ox'],
    ['oo', 'o'],
    ['oxo', 'o'],
    ['oox', 'o'],
    ['ooxx', 'ox'],
    ['xo', 'x'],
    ['xox', 'xx'],
  ]
  for (const [lines, counted] of cases) {
    const merged = createSessions().merge([...lines].map((line) => match({ once: line === 'o' })))
    assert.is(merged.map((one) => (one.once ? 'o' : 'x')).join(''), counted, lines)
  }
})

test('lines of different sessions do not know of each other', () => {
  for (const other of [{ session: 'pid 2' }, { jail: 'b' }, { log: '/b' }, { address: parseAddress('192.0.2.2')! }]) {
    const merged = createSessions().merge([match({ once: true }), match(other), match({ once: true, ...other })])
    assert.is(merged.length, 2, JSON.stringify(other))
  }
})

test('without a session key every line counts', () => {
  const lines = [match({ once: true, session: null }), match({ session: null }), match({ once: true, session: null })]
  assert.equal(createSessions().merge(lines), lines)
})

test('a line that stands for several failures stands for one less behind a once line', () => {
  const sessions = createSessions()
  assert.equal(
    sessions.merge([match({ once: true, attempts: 5 })]).map((one) => one.attempts),
    [1],
  )
  assert.equal(
    sessions.merge([match({ attempts: 3 })]).map((one) => one.attempts),
    [2],
  )
  assert.equal(
    sessions.merge([match({ attempts: 3 })]).map((one) => one.attempts),
    [3],
  )
})

test('the state is kept from call to call, and a session has an end, however busy it is', () => {
  const sessions = createSessions({ lifetimeMs: 1000 })
  assert.is(sessions.merge([match({ once: true, time: 0 })]).length, 1)
  assert.is(sessions.merge([match({ once: true, time: 1000 })]).length, 0)
  assert.is(sessions.merge([match({ once: true, time: 1001 })]).length, 1)
})

test('lines without a time of their own are timed by the clock', () => {
  let clock = 0
  const sessions = createSessions({ lifetimeMs: 1000, now: () => clock })
  assert.is(sessions.merge([match({ once: true, time: null })]).length, 1)
  clock = 2000
  assert.is(sessions.merge([match({ once: true, time: null })]).length, 1)
})

test('the session that was quiet for longest is forgotten when there are too many', () => {
  const sessions = createSessions({ capacity: 2 })
  const of = (session: string) => sessions.merge([match({ once: true, session })]).length
  assert.equal([of('1'), of('2'), of('1'), of('3'), of('1'), of('2')], [1, 1, 0, 1, 0, 1])
})

test.run()

function match(more: Partial<Match>): Match {
  return {
    jail: 'a',
    filter: 'f',
    rule: 0,
    address: parseAddress('192.0.2.1')!,
    time: 0,
    attempts: 1,
    groups: {},
    session: 'pid 1',
    once: false,
    log: '/a',
    offset: 0,
    line: '',
    ...more,
  }
}
