import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { Offences } from '../../../core/judging/offences.ts'
import { suite } from '../../suite.ts'

const test = suite('offences')
const prefix = (number: number) => parsePrefix(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`)!

test('agree with a map, and what is known is never made less', () => {
  const step = fc.record({
    who: fc.nat(40),
    jail: fc.constantFrom('a', 'b'),
    noted: fc.option(fc.integer({ min: 1, max: 9 })),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const offences = new Offences([])
      const model = new Map<string, number>()
      for (const { who, jail, noted } of steps) {
        const key = `${who} ${jail}`
        const before = model.get(key) ?? 0
        model.set(key, noted === null ? before + 1 : Math.max(before, noted))
        if (noted === null) assert.is(offences.add(prefix(who), jail), model.get(key))
        else offences.note({ prefix: prefix(who), jail, count: noted })
        assert.is(offences.count(prefix(who), jail), model.get(key))
      }
      for (let who = 0; who <= 40; who++) assert.is(offences.count(prefix(who), 'b'), model.get(`${who} b`) ?? 0)
    }),
  )
})

test('of too many those that were banned longest ago are forgotten, one that goes on is not', () => {
  const offences = new Offences([], 1000)
  for (let i = 0; i < 20_000; i++) {
    offences.add(prefix(i), 'sshd')
    if (i % 100 === 0) offences.add(prefix(0), 'sshd')
  }
  assert.is(offences.count(prefix(19_999), 'sshd'), 1)
  assert.is(offences.count(prefix(1), 'sshd'), 0)
  assert.is(offences.count(prefix(0), 'sshd'), 201)
})

test.run()
