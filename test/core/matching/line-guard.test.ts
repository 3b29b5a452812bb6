import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { LineGuard } from '../../../core/matching/line-guard.ts'
import { suite } from '../../suite.ts'

const test = suite('line guard')

test('work that is over in time is done, and what it throws is thrown', () => {
  const guard = new LineGuard()
  let done = 0
  assert.is(
    guard.run(() => done++, 1000),
    true,
  )
  assert.is(done, 1)
  assert.throws(() => guard.run(() => JSON.parse('{'), 1000), /JSON/)
})

test('work that never ends is stopped', () => {
  const guard = new LineGuard()
  assert.is(
    guard.run(() => {
      for (;;);
    }, 5),
    false,
  )
  assert.is(
    guard.run(() => {}, 1000),
    true,
  )
})

test('what Node loads at its first use is loaded before anything can be stopped half way', () => {
  const script = `
import { LineGuard } from ${JSON.stringify(new URL('../../../core/matching/line-guard.js', import.meta.url).href)}
const loaded = () => process.moduleLoadList.includes('NativeModule perf_hooks')
const before = loaded()
new LineGuard()
console.log(before, loaded())`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.match(stdout, /^\w+ true\n$/, stderr)
})

test.run()
