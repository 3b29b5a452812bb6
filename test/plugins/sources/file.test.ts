import * as assert from 'uvu/assert'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceHost, SourcePlugin, StandardSchema } from '../../../core/plugin.ts'
import file from '../../../plugins/sources/file.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import { keepsContract, suite } from '../../suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'bailiff-source-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const log = join(folder, 'some.log')
writeFileSync(log, '')
keepsContract(
  'source file',
  sourceChecks(file as SourcePlugin, {
    options: { path: log },
    resumes: true,
    write: (text) => appendFileSync(log, text),
  }),
)

const test = suite('file source')

test('it follows each path and brings no bytes itself', async () => {
  for (const path of ['/var/log/auth.log', ['/var/log/auth.log', '/var/log/mail.log']]) {
    const followed: string[] = []
    const host = { options: { path }, follow: (each: string) => followed.push(each) } as unknown as SourceHost<{
      path: string | string[]
    }>
    await file.start(() => Promise.reject(new Error('not to be called')), host)
    assert.equal(followed, [path].flat())
  }
})

test('options are an absolute path or some, and nothing else', async () => {
  const cases: [options: unknown, fine: boolean][] = [
    [{ path: '/var/log/auth.log' }, true],
    [{ path: ['/a', '/b'] }, true],
    [{ path: 'auth.log' }, false],
    [{ path: ['/a', 'b'] }, false],
    [{ path: [] }, false],
    [{ path: '' }, false],
    [{ path: 7 }, false],
    [{}, false],
    [{ path: '/a', from: 'end' }, false],
  ]
  const schema = file.options as StandardSchema<unknown>
  for (const [options, fine] of cases) {
    const { issues } = await schema['~standard'].validate(options)
    assert.is(issues === undefined, fine, JSON.stringify(options))
  }
  const { issues } = await schema['~standard'].validate({ path: 'auth.log' })
  assert.match(issues?.[0]?.message ?? '', 'expected an absolute path')
})

test.run()
