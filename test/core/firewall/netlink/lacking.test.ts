import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import type { Entry } from '../../../../core/firewall/admission.ts'
import { suite } from '../../../suite.ts'
import { startBackend, type BackendProcess } from '../backend-process.ts'
import { all, entry, ssh } from '../entry.ts'
import { makeNamespace, type Namespace } from '../namespace.ts'

const test = suite('asking for elements', 'root', 'nft', 'ip', 'perl')

let space: Namespace
let firewall: BackendProcess

test.before(() => {
  space = makeNamespace()
  firewall = startBackend(space)
})
test.before.each(() => void space.run('nft', 'flush', 'ruleset'))
test.after(async () => {
  await firewall.stop()
  space.remove()
})

const lacking = async (entries: readonly Entry[]) => ((await firewall.lacking?.(entries)) ?? []).map(keyOf)
const keyOf = ({ ports, address, length }: Entry) => `${ports.protocol} ${address}/${length}`

test('of any entries exactly those are lacking that the kernel does not hold', async () => {
  const several = Array.from({ length: 1200 }, (_, place) => {
    if (place % 4 === 0) return entry(`2001:db8::${place.toString(16)}`, ssh, null)
    return entry(`198.51.${100 + (place >> 8)}.${place & 255}`, place % 4 === 1 ? ssh : all)
  })
  const drawn = fc.tuple(
    fc.constantFrom(1, 15, 16, 17, 511, 513, 1200),
    fc.infiniteStream(fc.constantFrom(true, true, true, false)),
    fc.boolean(),
  )
  await fc.assert(
    fc.asyncProperty(drawn, async ([count, stream, most]) => {
      const asked = several.slice(0, count)
      const held = asked.filter(() => stream.next().value === most)
      await firewall.sync(held)
      const expected = asked.filter((each) => !held.includes(each)).map(keyOf)
      assert.equal((await lacking(asked)).toSorted(), expected.toSorted())
    }),
    { numRuns: 25 },
  )
})

test('an entry with another end is lacking, one that is some seconds off is not', async () => {
  await firewall.sync([
    entry('198.51.100.1', all, 600),
    entry('198.51.100.2', all, 600),
    entry('198.51.100.3', all, 600),
    entry('198.51.100.4', all, 600),
    entry('198.51.100.5', all, null),
    entry('198.51.100.6', all, null),
  ])
  const asked = [
    entry('198.51.100.1', all, 601),
    entry('198.51.100.2', all, 700),
    entry('198.51.100.3', all, 500),
    entry('198.51.100.4', all, null),
    entry('198.51.100.5', all, null),
    entry('198.51.100.6', all, 600),
  ]
  assert.equal(
    await lacking(asked),
    [asked[1], asked[2], asked[3], asked[5]].flatMap((each) => (each === undefined ? [] : keyOf(each))),
  )
})

test('all are lacking where there is no table and no set; nothing is made by asking', async () => {
  const asked = [entry('198.51.100.1'), entry('2001:db8::/64', ssh)]
  assert.equal(await lacking(asked), asked.map(keyOf))
  assert.is(space.run('nft', 'list', 'ruleset'), '')
  await firewall.declare([all])
  assert.equal(await lacking(asked), asked.map(keyOf))
  assert.equal(await lacking([]), [])
})

test('what is over is lacking', async () => {
  await firewall.sync([entry('198.51.100.1', all, 1)])
  await new Promise((resolve) => setTimeout(resolve, 2100))
  assert.is((await lacking([entry('198.51.100.1', all, 1)])).length, 1)
})

test.run()
