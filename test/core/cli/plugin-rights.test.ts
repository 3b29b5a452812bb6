import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { packageFolder } from '../packages/made-packages.ts'
import { makeUser, OpenDoors } from '../rights/system-user.ts'
import { writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff check of plugins as root', 'npm', 'root', 'setpriv')
const checkout = fileURLToPath(new URL('../../../../', import.meta.url))

test('a plugin is tried as the user of the agent, whose folders nobody else may enter', async () => {
  const { plugin, folder } = pluginPlace()
  ok(await plugin('add', packageFolder(), '--yes'))
  chmodSync(folder, 0o755)
  const user = makeUser('check')
  const doors = new OpenDoors(folder)
  try {
    const state = join(folder, 'state')
    chownSync(state, user.uid, user.gid)
    chmodSync(state, 0o700)
    const jail = `{ filter: sshd, source: ${folder}/log, actions: [{ edge: { path: /x } }] }`
    const config = writeConfig(folder, `user: ${user.name}\njails: { a: ${jail} }\n`)
    const node = join(doors.to(dirname(process.execPath)), 'node')
    const main = join(doors.to(checkout), 'dist/core/cli/main.js')
    const { status, stdout } = spawnSync(node, [main, 'check', '--config', config], { encoding: 'utf8' })
    assert.is(status, 0, stdout)
  } finally {
    doors.close()
    user.remove()
  }
})

test.run()
