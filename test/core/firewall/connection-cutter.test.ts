import * as assert from 'uvu/assert'
import type { Entry } from '../../../core/firewall/admission.ts'
import type { BannedSources, Connection } from '../../../core/firewall/banned-sources.ts'
import { ConnectionCutter, trackedConnections } from '../../../core/firewall/connection-cutter.ts'
import { suite } from '../../suite.ts'
import { eventually } from './namespace.ts'

const test = suite('firewall connection cutter')

const entry = (n: number): Entry => ({
  ports: { protocol: 'all', ports: [] },
  family: 4,
  length: 32,
  address: n.toString(16).padStart(8, '0'),
  endsAt: null,
})
const from = (n: number): Connection => ({ source: entry(n).address, protocol: 6, port: 22 })

/** A table that says which of a hundred sources it was asked to forget, look by look. */
function asked(answer: () => Promise<number>) {
  const looks: number[][] = []
  const table = {
    forget(banned: BannedSources) {
      looks.push(Array.from({ length: 100 }, (_, n) => n).filter((n) => banned.has(from(n))))
      return answer()
    },
  }
  return { table, looks }
}

test('bans that come together are one look, those that come during it the next', async () => {
  let finish: (count: number) => void = () => {}
  const { table, looks } = asked(() => new Promise((resolve) => (finish = resolve)))
  const warnings: string[] = []
  const cutter = new ConnectionCutter(
    table,
    (message) => warnings.push(message),
    () => 5,
  )
  cutter.cut([entry(1), entry(2)])
  cutter.cut([entry(3)])
  assert.is(looks.length, 0)
  assert.ok(await eventually(() => looks.length === 1))
  cutter.cut([entry(4)])
  cutter.cut([])
  assert.is(looks.length, 1)
  finish(2)
  assert.ok(await eventually(() => looks.length === 2))
  assert.equal(looks, [[1, 2, 3], [4]])
  assert.equal(warnings, [])
})

test('a look that fails is told once and harms nothing', async () => {
  const { table, looks } = asked(() => Promise.reject(new Error('no such program')))
  const warnings: string[] = []
  const cutter = new ConnectionCutter(
    table,
    (message) => warnings.push(message),
    () => 5,
  )
  for (const n of [1, 2, 3]) {
    cutter.cut([entry(n)])
    assert.ok(await eventually(() => looks.length === n))
  }
  assert.equal(warnings, ['what banned addresses have open is not cut: no such program'])
})

test('where nothing is tracked there is nothing to look at', async () => {
  const { table, looks } = asked(() => Promise.resolve(0))
  let times = 0
  const cutter = new ConnectionCutter(table, assert.unreachable, () => (times++ < 1 ? 0 : 1))
  cutter.cut([entry(1)])
  assert.ok(await eventually(() => times === 1))
  assert.is(looks.length, 0)
  cutter.cut([entry(2)])
  assert.ok(await eventually(() => looks.length === 1))
  assert.equal(looks, [[2]])
})

test('so many bans wait and no more, and that is told', async () => {
  const { table, looks } = asked(() => Promise.resolve(0))
  const warnings: string[] = []
  const cutter = new ConnectionCutter(
    table,
    (message) => warnings.push(message),
    () => 5,
  )
  cutter.cut(Array.from({ length: 50_001 }, (_, n) => entry(50_000 - n)))
  assert.is(warnings.length, 1)
  assert.match(warnings[0] ?? '', 'more than 50000 bans at once')
  assert.ok(await eventually(() => looks.length === 1))
  assert.is(looks[0]?.length, 99)
})

test('the number of tracked connections is a number', () => {
  assert.ok(Number.isSafeInteger(trackedConnections()))
})

test.run()
