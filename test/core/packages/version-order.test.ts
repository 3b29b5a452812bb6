import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { compareVersions } from '../../../core/packages/version-order.ts'
import { suite } from '../../suite.ts'

const test = suite('order of versions')

/** As section 11 of semver has them, and some more. */
const inOrder = [
  '0.9.9',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.2',
  '1.0.10',
  '1.2.0',
  '1.10.0',
  '2.0.0',
]

test('versions are in the order of semver', () => {
  for (const [at, version] of inOrder.entries())
    for (const [other, second] of inOrder.entries())
      assert.is(Math.sign(compareVersions(version, second)), Math.sign(at - other), `${version} ${second}`)
  assert.is(compareVersions('1.0.0+a', '1.0.0+b'), 0)
})

const version = fc
  .tuple(fc.nat(20), fc.nat(20), fc.nat(20), fc.option(fc.stringMatching(/^[0-9a-z]{1,3}(?:\.[0-9a-z]{1,3}){0,2}$/)))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre === null ? '' : `-${pre}`}`)

test('the order is the same from both sides', () => {
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.is(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a)), 0)
    }),
  )
})

test.run()
