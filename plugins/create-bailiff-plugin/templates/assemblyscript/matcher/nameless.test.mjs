import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findByModule, moduleChecks, registerChecks } from 'bailiff/testing'

const file = new URL('nameless.wasm', import.meta.url).pathname
const lines = readFileSync(new URL('sample.log', import.meta.url), 'utf8')
  .split('\n')
  .filter(Boolean)

// What every matcher keeps, with these lines and what is made of them.
registerChecks(moduleChecks({ file, lines }), test)

test('it finds whom each line tells of', () => {
  const found = findByModule({ file, lines }).map((one) => one && [one.address, one.user, one.rule])
  assert.deepEqual(found, [['192.0.2.7', 'root', 0], null, ['2001:db8::7', 'joe', 1], null])
})
