import * as assert from 'uvu/assert'
import {
  addElements,
  addRule,
  addSet,
  addTable,
  and,
  counter,
  deleteElements,
  drop,
  inSet,
  isName,
  match,
  payload,
  timed,
} from '../../../../core/firewall/nftables-json/index.ts'
import { suite } from '../../../suite.ts'

const test = suite('nftables-json commands')
const set = { family: 'inet', table: 't', name: 's', type: 'ipv4_addr', flags: ['timeout'], size: 9 } as const

test('commands have the form of libnftables-json(5)', () => {
  assert.equal(addTable({ family: 'inet', name: 't' }), { add: { table: { family: 'inet', name: 't' } } })
  assert.equal(addSet(set), { add: { set } })
  assert.equal(addElements(set, ['192.0.2.1', timed('192.0.2.2', 60)]), {
    add: {
      element: {
        family: 'inet',
        table: 't',
        name: 's',
        elem: ['192.0.2.1', { elem: { val: '192.0.2.2', timeout: 60 } }],
      },
    },
  })
  assert.equal(deleteElements(set, ['192.0.2.1']), {
    delete: { element: { family: 'inet', table: 't', name: 's', elem: ['192.0.2.1'] } },
  })
  const source = and(payload('ip6', 'saddr'), 'ffff:ffff:ffff:ffff::')
  const expr = [match(payload('tcp', 'dport'), { set: [80, 443] }), match(source, inSet('s')), counter, drop]
  assert.equal(addRule({ family: 'inet', table: 't', chain: 'c', expr }), {
    add: {
      rule: {
        family: 'inet',
        table: 't',
        chain: 'c',
        expr: [
          {
            match: {
              op: '==',
              left: { payload: { protocol: 'tcp', field: 'dport' } },
              right: { set: [80, 443] },
            },
          },
          {
            match: {
              op: '==',
              left: { '&': [{ payload: { protocol: 'ip6', field: 'saddr' } }, 'ffff:ffff:ffff:ffff::'] },
              right: '@s',
            },
          },
          { counter: null },
          { drop: null },
        ],
      },
    },
  })
})

test('what nft would take for something else is refused', () => {
  const cases: [what: string, make: () => unknown][] = [
    ['an empty name', () => addSet({ ...set, name: '' })],
    ['a name with a space', () => addSet({ ...set, name: 'a b' })],
    ['a name that begins with a digit', () => addSet({ ...set, name: '2fa' })],
    ['a name that is too long', () => addSet({ ...set, name: 'a'.repeat(256) })],
    ['a reference to such a name', () => inSet('a; drop')],
    ['no elements', () => addElements(set, [])],
    ['nothing to delete', () => deleteElements(set, [])],
    ['no time', () => timed('192.0.2.1', 0)],
    ['half a second', () => timed('192.0.2.1', 0.5)],
  ]
  for (const [what, make] of cases) assert.throws(make, (error: unknown) => error instanceof TypeError, what)
  assert.ok(isName('a'.repeat(255)))
})

test.run()
