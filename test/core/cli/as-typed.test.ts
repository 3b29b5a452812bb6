import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { asTyped } from '../../../core/cli/as-typed.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from './agent-process.ts'

const test = suite('commands as they have to be typed')

test('through npx every command of ours begins with npx, and nothing else does', () => {
  const env = { npm_command: 'exec', PATH: '/nowhere:/nowhere/node_modules/.bin' }
  for (const [text, typed] of [
    ['bailiff run', 'npx bailiff run'],
    ['start one with "bailiff run", or (bailiff status)', 'start one with "npx bailiff run", or (npx bailiff status)'],
    ['→ bailiff doctor --config x', '→ npx bailiff doctor --config x'],
    ['sudo bailiff doctor', 'sudo npx bailiff doctor'],
    ['npm i bailiff; /etc/bailiff run', 'npm i bailiff; /etc/bailiff run'],
    ['the user bailiff may', 'the user bailiff may'],
    ['systemctl enable --now bailiff', 'systemctl enable --now bailiff'],
    ['bailiff runs', 'bailiff runs'],
  ] as const)
    assert.is(asTyped(text, env), typed)
})

test('where a shell finds it, or npx is not at work, it has its own name', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'bailiff'), '')
  chmodSync(join(folder, 'bailiff'), 0o755)
  for (const env of [
    { PATH: '/nowhere' },
    { npm_command: 'run-script', PATH: '/nowhere' },
    { npm_command: 'exec', PATH: `/nowhere:${folder}` },
  ])
    assert.is(asTyped('bailiff run', env), 'bailiff run')
})

test.run()
