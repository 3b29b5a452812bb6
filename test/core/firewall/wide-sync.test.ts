/** What a sync that ends in the middle may leave: never old wide prefixes beside new ones. */
import * as assert from 'uvu/assert'
import type { Entry } from '../../../core/firewall/admission.ts'
import type { Backend } from '../../../core/firewall/backend.ts'
import { News } from '../../../core/firewall/news.ts'
import { TableBackend, type TableTool } from '../../../core/firewall/table-backend.ts'
import { byAddress, transactions, type Change, type Elements } from '../../../core/firewall/table-changes.ts'
import { byName } from '../../../core/firewall/table-layout.ts'
import { setName } from '../../../core/firewall/set-names.ts'
import { Upkeep } from '../../../core/firewall/upkeep.ts'
import { suite } from '../../suite.ts'
import { all, entry, ssh } from './entry.ts'

const test = suite('firewall wide sync')

/** A table that holds these entries, and counts each set as so large; what is applied is kept. */
function tableOf(held: readonly Entry[], count: number, applied: Change[]): TableTool {
  const sets = byName(held)
  const elements = new Map<string, Elements>()
  for (const name of sets.keys()) elements.set(name, byAddress(held.filter((each) => setName(each) === name)))
  const found = { sound: true, sets, nameless: [], ruled: true }
  return {
    renewsInPlace: true,
    look: async () => found,
    hold: async (_, asked) => ({
      ...found,
      elements: new Map([...elements].filter(([name]) => asked(name, count))),
      toleranceMs: 1000,
    }),
    apply: async (changes) => void applied.push(...changes),
  }
}

test('wide prefixes of before go before new ones come, whatever the order of the sets and however large they are', async () => {
  const before = [entry('9.0.0.0/8'), entry('11.0.0.0/9'), entry('198.51.100.1'), entry('12.0.0.0/8', ssh)]
  const after = [
    entry('13.0.0.0/8', ssh),
    entry('14.0.0.0/9'),
    entry('198.51.100.2'),
    entry('15.0.0.0/8'),
    entry('11.0.0.0/9'),
  ]
  for (const count of [1, 1_000_000]) {
    for (const wanted of [after, after.toReversed()]) {
      const applied: Change[] = []
      await new TableBackend(tableOf(before, count, applied)).sync(wanted, [all, ssh])
      const inForce = new Set(before.filter(({ length }) => length < 32).map((each) => each.address))
      const wide = new Set(wanted.filter(({ length }) => length < 32).map((each) => each.address))
      // Each transaction may be the last one.
      for (const change of transactions(applied, 1).flat()) {
        if (change.do === 'remove') for (const address of change.addresses) inForce.delete(address)
        if ('elements' in change) {
          const isNew = change.elements.some(({ address }) => wide.has(address) && !inForce.has(address))
          if (isNew)
            assert.ok(
              [...inForce].every((address) => wide.has(address)),
              change.name,
            )
          for (const { address } of change.elements) if (wide.has(address)) inForce.add(address)
        }
      }
      assert.ok([...wide].every((address) => inForce.has(address)))
      assert.not(inForce.has('09000000') || inForce.has('0c000000'))
    }
  }
})

test('after a sync that failed nothing wide is wanted until one succeeds', async () => {
  let fails = true
  const nothing = async () => {}
  const backend: Backend = {
    declare: nothing,
    add: nothing,
    del: nothing,
    list: async () => [],
    sync: async () => {
      if (fails) throw new Error('no')
    },
  }
  const upkeep = new Upkeep(backend, new News(), { mendSoon: () => {}, compareSoon: () => {} })
  const entries = [entry('9.0.0.0/8'), entry('198.51.100.1'), entry('2001:db8::/48'), entry('2001:db8:1::/64')]
  const wanted = () => [...upkeep.desired.stretches(100)].flat().map(({ length }) => length)
  await upkeep.sync(entries).catch(() => {})
  assert.equal(wanted().toSorted(), [32, 64])
  fails = false
  await upkeep.sync(entries)
  assert.equal(wanted().toSorted(), [32, 48, 64, 8])
})

test.run()
