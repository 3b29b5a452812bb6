/** Which variables of the environment a plugin gets, in the agent and while it is tried, and that one is missing. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { packageFolder, packageJson, provided } from '../packages/made-packages.ts'
import { ban, PluginBed, refusal, stopAll } from '../plugin-host/plugin-bed.ts'
import { bailiff, temporaryFolder, writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('variables that plugins get', 'npm')

/** Fails with what it sees of the environment. */
const telling = `export default {
  options: { type: 'object', properties: { tokenFrom: { type: 'string', default: 'EDGE_TOKEN' }, method: { type: 'string' } } },
  ban(ban, { options }) { throw new Error(process.env[options.tokenFrom] + ' ' + process.env.OTHER_TOKEN + ' ' + process.env.HOME) },
  unban() {},
}`
const seen = 'a-secret undefined undefined'
const env = { EDGE_TOKEN: 'a-secret', OTHER_TOKEN: 'another' }

function write(text: string, name = 'edge.mjs'): string {
  const file = join(temporaryFolder(), name)
  writeFileSync(file, text)
  return file
}

test('a file gets the variable that its options name, also by a default, in the agent as in dev', async () => {
  Object.assign(process.env, env)
  const bed = new PluginBed()
  for (const options of [{}, { tokenFrom: 'EDGE_TOKEN' }]) {
    const plugin = await bed.action(telling, undefined, options)
    assert.match(await refusal(plugin.ban(ban('192.0.2.7'), bed.instance(options).host)), seen)
  }
  await bed.hosts.stop()
  for (const name of Object.keys(env)) delete process.env[name]
  for (const mode of ['dev', 'test']) {
    const once = mode === 'dev' ? ['--once'] : []
    const { stdout } = await bailiff(['plugin', mode, write(telling), ...once], '', env)
    assert.match(stdout, seen)
    assert.not.match(stdout, 'another')
  }
})

test('a module of a package is tried with the secrets of its manifest', async () => {
  const folder = packageFolder({
    'package.json': packageJson(
      {},
      { provides: [provided({ options: undefined, capabilities: { secrets: ['EDGE_TOKEN'] } })] },
    ),
    'edge.mjs': telling
      .replace('process.env[options.tokenFrom]', 'process.env.EDGE_TOKEN')
      .replace(/ {2}options:.*\n/, ''),
  })
  for (const what of [folder, join(folder, 'edge.mjs')])
    assert.match((await bailiff(['plugin', 'dev', what, '--once'], '', env)).stdout, seen)
})

test('check says which variable is not set, of which plugin, and where it is named', async () => {
  const { plugin, config, folder } = pluginPlace()
  const made = packageFolder({
    'package.json': packageJson({}, { provides: [provided({ capabilities: { secrets: ['EDGE_TOKEN'] } })] }),
  })
  ok(await plugin('add', made, '--yes'))
  mkdirSync(join(folder, 'own'))
  const own = join(folder, 'own/mine.mjs')
  writeFileSync(own, telling.replace('EDGE_TOKEN', 'MINE_TOKEN'))
  const actions = `[{ edge: { path: /x } }, { ${own}: { method: PUT } }]`
  writeConfig(folder, `jails: { a: { filter: sshd, source: ${folder}/log, actions: ${actions} } }\n`)
  const bare = ok(await bailiff(['check', '--config', config]))
  assert.match(
    bare,
    /bailiff\.yaml:3:.*the variable EDGE_TOKEN, which the plugin edge gets, is not set here\n.*EnvironmentFile/,
  )
  assert.match(bare, /bailiff\.yaml:3:.*the variable MINE_TOKEN, which the plugin mine gets, is not set here/)
  assert.not.match(bare, 'PUT')
  const set = ok(await bailiff(['check', '--config', config], '', { EDGE_TOKEN: 'x', MINE_TOKEN: '' }))
  assert.not.match(set, '_TOKEN')
})

test.after(stopAll)
test.run()
