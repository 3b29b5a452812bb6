import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { install, root } from '../plugins/created-project.ts'
import { suite } from '../suite.ts'
import { followGuide } from './followed-guide.ts'

const test = suite('docs/wasm-matchers.md', 'bash', 'npm', 'clang', 'wasm-ld')

test('the matcher in C is built as it is written there, and keeps its contract', async () => {
  const folder = temporaryFolder()
  install(folder)
  assert.is(await followGuide(readFileSync(join(root, 'docs/wasm-matchers.md'), 'utf8'), { folder }), 4)
})

test.run()
