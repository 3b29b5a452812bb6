import * as assert from 'uvu/assert'
import { logRows, namesOfLogs } from '../../../core/cli/log-rows.ts'
import type { LogReport } from '../../../core/control/api.ts'
import { suite } from '../../suite.ts'

const test = suite('rows of logs')

const log = (name: string, pattern: string | null, state = 'reading'): LogReport => ({
  log: name,
  pattern,
  state,
  bytesBehind: 2,
  lines: 10,
  skipped: 1,
  malformed: 0,
})

test('few logs have a row each', () => {
  const logs = [
    log('/a', null),
    log('/v/1', '/v/*'),
    log('/v/2', '/v/*'),
    log('/w/*', '/w/*', 'no file matches it yet'),
  ]
  assert.equal(logRows(logs), [
    ['/a', 10, 1, 2, 'reading'],
    ['/v/1', 10, 1, 2, 'reading'],
    ['/v/2', 10, 1, 2, 'reading'],
    ['/w/*', 10, 1, 2, 'no file matches it yet'],
  ])
})

test('many logs of a pattern share one, and those that are not read are named', () => {
  const logs = Array.from({ length: 300 }, (_, i) => log(`/v/${i}`, '/v/*', i < 10 ? 'permission denied' : 'reading'))
  const rows = logRows([log('/a', null), ...logs])
  assert.equal(rows.slice(0, 3), [
    ['/a', 10, 1, 2, 'reading'],
    ['/v/* (300 files)', 3000, 300, 600, '10 not read'],
    ['  /v/0', 10, 1, 2, 'permission denied'],
  ])
  assert.is(rows.length, 2 + 8 + 1)
  assert.equal(rows.at(-1), ['  … and 2 more', '', '', '', ''])
})

test('a name without end is shown by its begin and its end', () => {
  const [[name] = []] = logRows([log(`/v/${'x'.repeat(3000)}.log`, null)])
  assert.is(String(name).length, 201)
  assert.match(String(name), /^\/v\/x+…x+\.log$/)
})

test('names of logs are few', () => {
  assert.is(namesOfLogs([]), 'none')
  assert.is(namesOfLogs(['/a', '/b']), '/a, /b')
  const many = Array.from({ length: 20 }, (_, i) => `/${i}`)
  assert.match(namesOfLogs(many), /^\/0, .*, … and 12 more$/)
})

test.run()
