import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cacheFolder, defaultPlaces, packageRoot } from '../../../core/settings/places.ts'
import { suite } from '../../suite.ts'

const test = suite('places')

test('those of root are fixed, whatever the environment says', () => {
  const env = { XDG_CONFIG_HOME: '/tmp/x', XDG_STATE_HOME: '/tmp/x', XDG_RUNTIME_DIR: '/tmp/x', HOME: '/tmp/x' }
  assert.equal(defaultPlaces({ env, uid: 0, home: '/tmp/x' }), {
    configFolders: ['/etc/bailiff'],
    state: '/var/lib/bailiff',
    control: '/run/bailiff/control.sock',
  })
})

test('those of others lie in their own folders', () => {
  assert.equal(defaultPlaces({ env: {}, uid: 1000, home: '/home/u' }), {
    configFolders: ['/etc/bailiff', '/home/u/.config/bailiff'],
    state: '/home/u/.local/state/bailiff',
    control: '/home/u/.local/state/bailiff/control.sock',
  })
  const env = { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/run/user/1000' }
  assert.equal(defaultPlaces({ env, uid: 1000, home: '/home/u' }), {
    configFolders: ['/etc/bailiff', '/c/bailiff'],
    state: '/s/bailiff',
    control: '/run/user/1000/bailiff/control.sock',
  })
})

test('a relative path in a variable counts as unset', () => {
  const env = { XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: '', XDG_RUNTIME_DIR: '../run' }
  assert.equal(defaultPlaces({ env, uid: 1, home: '/h' }), defaultPlaces({ env: {}, uid: 1, home: '/h' }))
})

test('what may be deleted lies in a folder of the user', () => {
  const cases: [env: Record<string, string>, uid: number, folder: string][] = [
    [{ XDG_CACHE_HOME: '/k' }, 0, '/var/cache/bailiff'],
    [{}, 1000, '/home/u/.cache/bailiff'],
    [{ XDG_CACHE_HOME: '/k' }, 1000, '/k/bailiff'],
    [{ XDG_CACHE_HOME: 'k' }, 1000, '/home/u/.cache/bailiff'],
  ]
  for (const [env, uid, folder] of cases) assert.is(cacheFolder({ env, uid, home: '/home/u' }), folder)
})

test('the package is found from its compiled files', () => {
  assert.ok(existsSync(join(packageRoot, 'package.json')))
})

test.run()
