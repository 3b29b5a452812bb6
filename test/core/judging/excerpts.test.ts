import * as assert from 'uvu/assert'
import { Excerpts } from '../../../core/judging/excerpts.ts'
import { suite } from '../../suite.ts'

const test = suite('excerpts')

test('the last lines of a chain come back, oldest first', () => {
  const excerpts = new Excerpts(64 * 1024)
  let chain = 0
  for (const line of ['one', 'two', 'drei ä', 'four']) chain = excerpts.add(line, chain)
  assert.equal(texts(excerpts, chain, 3), ['two', 'drei ä', 'four'])
  assert.equal(texts(excerpts, chain, 10), ['one', 'two', 'drei ä', 'four'])
  assert.equal(texts(excerpts, 0, 10), [])
})

test('what was overwritten is gone, and what comes back is never another text', () => {
  const excerpts = new Excerpts(16 * 1024)
  const chains = Array.from({ length: 50 }, () => 0)
  for (let i = 0; i < 20_000; i++) {
    const who = (i * 7) % 50
    chains[who] = excerpts.add(`${who}:${i}:${'x'.repeat(i % 700)}`, chains[who] ?? 0)
    for (const line of texts(excerpts, chains[(i * 3) % 50] ?? 0, 5))
      assert.match(line, new RegExp(`^${(i * 3) % 50}:\\d+:x*$`))
  }
  assert.is(excerpts.last(chains[(19_999 * 7) % 50] ?? 0, 1).length, 1)
})

test('a line longer than an entry is cut, not refused', () => {
  const excerpts = new Excerpts(8 * 1024)
  assert.is(excerpts.last(excerpts.add('y'.repeat(5000), 0), 1)[0]?.line.length, 1536)
})

test('while lines are not kept nothing is, and what was kept does not come back', () => {
  const excerpts = new Excerpts(8 * 1024)
  const before = excerpts.add('one', 0)
  excerpts.keep(false)
  assert.equal(excerpts.last(before, 5), [])
  assert.is(excerpts.add('two', before), before)
  excerpts.keep(true)
  assert.equal(excerpts.last(before, 5), [])
  assert.equal(texts(excerpts, excerpts.add('three', before), 5), ['three'])
})

test('each line keeps what found it', () => {
  const excerpts = new Excerpts(8 * 1024)
  const chain = excerpts.add('two', excerpts.add('one', 0, 65_535), 7)
  assert.equal(excerpts.last(chain, 5), [
    { line: 'one', rule: 65_535 },
    { line: 'two', rule: 7 },
  ])
})

test.run()

function texts(excerpts: Excerpts, pointer: number, count: number): string[] {
  return excerpts.last(pointer, count).map(({ line }) => line)
}
