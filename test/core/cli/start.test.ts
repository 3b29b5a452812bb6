import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'
import { largePackages, modulesOf } from './loaded-modules.ts'

const test = suite('start')
const socket = ['--socket', join(temporaryFolder(), 'none.sock')]

const cases: readonly { readonly words: readonly string[]; readonly never: readonly string[] }[] = [
  { words: ['--help'], never: [...largePackages, 'core/agent', 'core/matching/', 'core/control/server.js'] },
  { words: ['status', '--help'], never: [...largePackages, 'core/matching/', 'core/cli/test.js', 'core/cli/ban.js'] },
  { words: ['status', ...socket], never: [...largePackages, 'core/matching/', 'core/settings/load-settings.js'] },
  {
    words: ['ban', '192.0.2.7', ...socket],
    never: [...largePackages, 'core/matching/', 'core/settings/load-settings.js'],
  },
  { words: ['unban', '192.0.2.7', ...socket], never: [...largePackages, 'core/matching/'] },
  { words: ['reload', ...socket], never: [...largePackages, 'core/matching/', 'core/cli/table.js'] },
  { words: ['completion', 'bash'], never: [...largePackages, 'core/matching/'] },
]

for (const { words, never } of cases)
  test(`bailiff ${words.filter((word) => !word.startsWith('/')).join(' ')} loads what it needs`, () => {
    const loaded = modulesOf(words)
    assert.ok(loaded.includes('core/cli/main.js'))
    assert.equal(
      loaded.filter((file) => never.some((part) => file.startsWith(part))),
      [],
    )
  })

test('a command that is not known, and a name of every object, are told as what they are', async () => {
  for (const name of ['nope', 'constructor', '__proto__']) {
    const { code, stderr } = await bailiff([name])
    assert.is(code, 64)
    assert.match(stderr, `unknown command '${name}'`)
  }
})

test.run()
