import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { BlockList, lastAddress } from '../../../core/firewall/block-list.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall block list')

test('the last address of a block', () => {
  const cases: [address: string, length: number, last: string][] = [
    ['c0000200', 32, 'c0000200'],
    ['c0000200', 31, 'c0000201'],
    ['c0000200', 24, 'c00002ff'],
    ['c0000000', 3, 'dfffffff'],
    ['00000000', 0, 'ffffffff'],
    [`20010db8${'0'.repeat(24)}`, 32, `20010db8${'f'.repeat(24)}`],
    ['0'.repeat(32), 127, `${'0'.repeat(31)}1`],
  ]
  for (const [address, length, last] of cases) assert.is(lastAddress(address, length), last, `${address}/${length}`)
})

test('of blocks that hold the same address the first gives the reason', () => {
  const list = new BlockList([
    { address: 'c0000201', length: 32, reason: 'one' },
    { address: 'c0000200', length: 24, reason: 'many' },
  ])
  assert.is(list.touching('c0000201', 32), 'one')
  assert.is(list.touching('c0000202', 32), 'many')
  assert.is(list.touching('c0000000', 8), 'one')
  assert.is(list.touching('c0000300', 24), null)
})

test('it answers what comparing bit by bit with each block answers', () => {
  // Few bits differ, so that blocks meet.
  const digits = (count: number) =>
    fc.stringMatching(/^[0-3]{4}$/).map((head) => `${head}${'0'.repeat(count - 8)}${head.slice(0, 4)}`)
  const blockOf = (count: number) =>
    fc.record({ address: digits(count), length: fc.integer({ min: 0, max: count * 4 }) }).map(masked)
  const block = fc.oneof(blockOf(8), blockOf(32))
  const property = fc.property(fc.array(block, { maxLength: 12 }), block, (blocks, asked) => {
    const list = new BlockList(blocks.map((each, place) => ({ ...each, reason: `${place}` })))
    const place = blocks.findIndex((each) => overlap(each, asked))
    assert.is(list.touching(asked.address, asked.length), place < 0 ? null : `${place}`)
  })
  fc.assert(property, { numRuns: 5000 })
})

test.run()

interface Plain {
  readonly address: string
  readonly length: number
}

const bits = ({ address }: Plain) =>
  [...address].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))

function masked({ address, length }: Plain): Plain {
  const kept = bits({ address, length })
    .join('')
    .slice(0, length)
    .padEnd(address.length * 4, '0')
  return { length, address: BigInt(`0b${kept}`).toString(16).padStart(address.length, '0') }
}

function overlap(one: Plain, other: Plain): boolean {
  const length = Math.min(one.length, other.length)
  const head = (plain: Plain) => bits(plain).join('').slice(0, length)
  return one.address.length === other.address.length && head(one) === head(other)
}
