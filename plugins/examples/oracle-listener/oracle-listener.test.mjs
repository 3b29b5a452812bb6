import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { findByModule, moduleChecks, registerChecks } from 'bailiff/testing'

const file = new URL('oracle-listener.wasm', import.meta.url).pathname
const lines = readFileSync(new URL('sample.log', import.meta.url), 'utf8')
  .split('\n')
  .filter(Boolean)

// The suite of every matcher, with lines of this format and what is made of them.
registerChecks(moduleChecks({ file, lines }), test)

test('the address is the one that the listener wrote', () => {
  const addresses = findByModule({ file, lines }).map((found) => found?.address ?? null)
  assert.deepEqual(addresses, ['192.0.2.7', '2001:db8::7', '192.0.2.7', null, null, null, '192.0.2.7'])
})

test('broken requests count unless the configuration says otherwise', () => {
  const [, , status] = findByModule({ file, lines, options: { broken_requests: false } })
  assert.equal(status, null)
})

test('an option that there is not is refused', () => {
  assert.throws(() => findByModule({ file, lines, options: { broken: true } }), /there is no option broken/)
})
