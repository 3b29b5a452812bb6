import { spawnSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { temporaryFolder } from '../cli/agent-process.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import { keepsContract, suite } from '../../suite.ts'
import { tailSource } from './tail-source.ts'

const path = join(temporaryFolder(), 'some.log')
writeFileSync(path, 'before the start\n')
keepsContract(
  'source that emits',
  sourceChecks(tailSource, {
    options: { path },
    resumes: true,
    write: (text) => appendFileSync(path, text),
  }),
)

const test = suite('contract of sources')

test('a source that breaks it fails the suite, and the process ends by itself', () => {
  const module = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
  const script = `
    import { appendFileSync } from 'node:fs'
    import test from 'node:test'
    import { registerChecks, sourceChecks } from ${module('../../../core/testing/index.js')}
    import { tailSource } from ${module('./tail-source.js')}
    const path = ${JSON.stringify(path)}
    const twice = (emit) => async (bytes) => { await emit(bytes); await emit(bytes) }
    const plugin = { ...tailSource, start: (emit, host) => tailSource.start(twice(emit), host) }
    registerChecks(sourceChecks(plugin, { options: { path }, write: (text) => appendFileSync(path, text) }), test)`
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 100_000,
  })
  assert.equal([ended.signal, ended.status], [null, 1], ended.stdout + ended.stderr)
  assert.match(ended.stdout, /^# fail 2$/m)
  assert.match(ended.stdout, 'lines arrive once, in order, whole')
})

test.run()
