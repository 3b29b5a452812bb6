import { cpSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { offline, ok } from '../core/cli/plugin-bed.ts'
import { install, root, run } from '../plugins/created-project.ts'
import { suite } from '../suite.ts'
import { followGuide } from './followed-guide.ts'

const test = suite('docs/using-plugins.md', 'bash', 'npm')

test('whoever follows the guide has examples of the checkout packed and installed', async () => {
  const checkout = join(temporaryFolder(), 'bailiff')
  const isOwn = (path: string) => !/node_modules|\.wasm$/.test(path)
  cpSync(join(root, 'plugins'), join(checkout, 'plugins'), { recursive: true, filter: isOwn })
  for (const name of ['core', 'config', 'dist', 'matchers']) symlinkSync(join(root, name), join(checkout, name))
  const described = readFileSync(join(root, 'package.json'), 'utf8')
  // It is built, and others run with it: npx would build it anew.
  writeFileSync(join(checkout, 'package.json'), described.replace(/^ +"prepare": .*\n/m, ''))
  install(checkout)
  // What `npm ci` does when all is built.
  ok(await run(['npm', 'run', 'link'], checkout, offline))
  assert.is(readlinkSync(join(checkout, 'node_modules/bailiff')), '..')
  const guide = readFileSync(join(root, 'docs/using-plugins.md'), 'utf8')
  const [example = ''] = /^### An example[^]*?(?=^##)/m.exec(guide) ?? []
  assert.ok((await followGuide(example, { folder: checkout })) > 6)
  ok(await run(['npm', 'test'], join(checkout, 'plugins/examples/homelab'), offline))
})

test.run()
