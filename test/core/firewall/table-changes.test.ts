import * as assert from 'uvu/assert'
import { transactions, type Change } from '../../../core/firewall/table-changes.ts'
import { suite } from '../../suite.ts'

const test = suite('changes of the table')

const elements = (count: number) =>
  Array.from({ length: count }, (_, place) => ({ address: String(place), endsAt: null }))
const create = (count: number): Change => ({ do: 'create', name: 'a', elements: elements(count) })
const renew = (count: number): Change => ({ do: 'renew', name: 'a', elements: elements(count) })
const remove = (count: number): Change => {
  return { do: 'remove', name: 'a', addresses: elements(count).map(({ address }) => address) }
}
const step: Change = { do: 'add-table' }

/** What a change is and how many elements it names. */
function sizes(parts: readonly Change[][]): string[][] {
  return parts.map((part) =>
    part.map((change) => {
      const count = 'elements' in change ? change.elements.length : 'addresses' in change ? change.addresses.length : 0
      return `${change.do} ${count}`
    }),
  )
}

test('changes are in order, as few transactions as there can be, none too large', () => {
  const cases: [changes: Change[], parts: string[][]][] = [
    [[], []],
    [[step], [['add-table 0']]],
    [[step, create(4), remove(6)], [['add-table 0', 'create 4', 'remove 6']]],
    [[create(11)], [['create 10'], ['create 1']]],
    // A renewal deletes and adds.
    [[renew(6)], [['renew 5'], ['renew 1']]],
    [
      [step, remove(7), create(25), step],
      [['add-table 0', 'remove 7'], ['create 10'], ['create 10'], ['create 5', 'add-table 0']],
    ],
  ]
  for (const [changes, parts] of cases) assert.equal(sizes(transactions(changes, 10)), parts)
})

test('nothing is lost and nothing comes twice', () => {
  const parts = transactions([create(35), step, remove(13)], 10).flat()
  const created = parts.flatMap((change) => (change.do === 'create' ? change.elements : []))
  assert.equal(created, elements(35))
  assert.is(parts.flatMap((change) => (change.do === 'remove' ? change.addresses : [])).length, 13)
})

test.run()
