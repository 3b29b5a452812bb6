import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import * as assert from 'uvu/assert'
import { matcherFiles } from '../../core/built-in.ts'
import { BailiffError, describeError } from '../../core/errors.ts'
import { createHost } from '../../core/host.ts'
import { PluginHosts } from '../../core/plugin-host/plugin-hosts.ts'
import { RetryLater, type ActionHost } from '../../core/plugin.ts'
import { Registry } from '../../core/registry.ts'
import type { PluginKind, PluginUse } from '../../core/settings/plugin-use.ts'
import { suite } from '../suite.ts'

const test = suite('registry')
const where = { file: '/etc/bailiff/bailiff.yaml', line: 7, column: 3, option: 'jails.x.actions[0]' }
const folder = mkdtempSync(join(tmpdir(), 'bailiff-registry-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

function use(
  kind: PluginKind,
  plugin: string,
  options: unknown = {},
  optionsAt: PluginUse['optionsAt'] = {},
): PluginUse {
  return { kind, plugin, options, where, optionsAt }
}

async function refusal(wanted: PluginUse, registry = new Registry()): Promise<BailiffError> {
  try {
    await registry.loadPlugin(wanted.kind, wanted)
  } catch (error) {
    assert.instance(error, BailiffError, String(error))
    return error as BailiffError
  }
  throw new Error('nothing was refused')
}

const action = 'ban() {}, unban() {}'
const tellsOptions = 'ban(ban, host) { throw new Error(JSON.stringify(host.options)) }, unban() {}'
const hosts = new PluginHosts({ folder: join(folder, 'state') })

function hostOf(options: unknown): ActionHost {
  const log = pino({ enabled: false })
  return createHost({ name: 'own', options, folder: join(folder, 'state'), log, firewall: null }).host
}

/** The options that an action sees which throws them. */
async function optionsSeen(file: string, options: unknown): Promise<string> {
  const loaded = await new Registry(undefined, hosts).loadPlugin('action', use('action', file, options))
  return Promise.resolve(loaded.plugin.ban({} as never, hostOf(loaded.options))).then(
    () => 'nothing',
    (error: Error) => error.message,
  )
}

/** A made-up package: what is in the folders is there, nothing else. */
function madeUp(): Registry {
  const file = (path: string, text: string) => write(`package/${path}`, text)
  file('package.json', '{"type": "module"}')
  file('plugins/actions/firewall.js', `export default { ${action} }`)
  file('plugins/actions/command.js', `export default { ${action}, options: { type: 'object', required: ['ban'] } }`)
  file('plugins/actions/command.d.ts', '')
  file('plugins/notifiers/log.js', 'export default { notify() {} }')
  file('plugins/sources/file.js', 'export default { start() {} }')
  for (const name of ['zeta', 'regexp', 'alpha', 'scan']) file(`matchers/${name}/index.js`, '')
  return new Registry(join(folder, 'package'))
}

test('what comes with the package is found by where it stands', async () => {
  const registry = madeUp()
  assert.equal(registry.pluginNames('action'), ['command', 'firewall'])
  assert.equal(registry.pluginNames('notifier'), ['log'])
  assert.equal(
    matcherFiles(join(folder, 'package')).map((file) => file.slice(folder.length)),
    ['scan', 'regexp', 'alpha', 'zeta'].map((name) => `/package/matchers/${name}/index.js`),
  )
  const loaded = await registry.loadPlugin('action', use('action', 'firewall', { any: 1 }))
  assert.equal([loaded.kind, loaded.name, loaded.options], ['action', 'firewall', { any: 1 }])
  assert.type(loaded.plugin.ban, 'function')
})

test('every plugin of this package loads, or asks for options', async () => {
  const registry = new Registry()
  for (const kind of ['source', 'action', 'notifier'] as const) {
    for (const name of registry.pluginNames(kind)) {
      const result = await registry.loadPlugin(kind, use(kind, name)).catch((error: unknown) => error)
      if (result instanceof Error) assert.match(result.message, 'does not accept its options', name)
      else assert.is((result as { name: string }).name, name)
    }
  }
})

test('an unknown name tells what there is', async () => {
  const registry = madeUp()
  const near = await refusal(use('action', 'firewal'), registry)
  assert.equal(near.where, where)
  assert.is(near.message, 'there is no action "firewal"; did you mean firewall?')
  const far = await refusal(use('notifier', 'carrier-pigeon'), registry)
  assert.is(far.message, 'there is no notifier "carrier-pigeon"; there are log')
  assert.match(far.hint ?? '', './carrier-pigeon.mjs')
  assert.is((await refusal(use('action', 'log'), registry)).message, 'there is no action "log"; it is a notifier')
  for (const name of ['../actions/firewall', 'firewall.js', '__proto__', 'constructor', ''])
    assert.match((await refusal(use('action', name), registry)).message, /there is no action/)
})

test('a plugin of the machine is a file anywhere', async () => {
  const registry = new Registry()
  const files = [
    write('own/a.mjs', `export default { ${action} }`),
    write('own/b.js', `export default { ${action} }`),
    write('own/c.js', `module.exports = { ${action} }`),
    write('own/with blank #? é.mjs', `export default { ${action} }`),
  ]
  for (const file of files) {
    const loaded = await registry.loadPlugin('action', use('action', file, { x: 1 }))
    assert.equal([loaded.file, loaded.options], [file, { x: 1 }])
  }
})

test('a plugin knows the same contracts as the agent, wherever it lies', async () => {
  const file = write(
    'own/retry.mjs',
    `import { RetryLater, defineAction } from 'bailiff/plugin'
    export default defineAction({ ban() { throw new RetryLater(5000) }, unban() {} })`,
  )
  const { plugin } = await new Registry(undefined, hosts).loadPlugin('action', use('action', file))
  try {
    await plugin.ban({} as never, hostOf({}))
    assert.unreachable()
  } catch (error) {
    assert.instance(error, RetryLater, String(error))
    assert.is((error as RetryLater).afterMs, 5000)
  }
})

test('a mended plugin is loaded anew', async () => {
  const registry = new Registry()
  const file = write('own/mended.mjs', 'export default {')
  await refusal(use('action', file), registry)
  writeFileSync(file, `export default { ${action} }`)
  utimesSync(file, new Date(), new Date(Date.now() + 5000))
  assert.is((await registry.loadPlugin('action', use('action', file))).name, 'mended')
})

test('a file that is no plugin says what was found and what is expected', async () => {
  const cases: [text: string, kind: PluginKind, message: RegExp][] = [
    ['', 'action', /no action: it has no default export/],
    ['export const ban = 1', 'action', /it has no default export/],
    ['export default null', 'action', /must be an object, but is null/],
    ['export default 5', 'action', /must be an object, but is a number/],
    ['export default class { ban() {} }', 'action', /must be an object, but is a function/],
    ['export default {}', 'action', /has no function ban\(\); it has nothing/],
    ['export default { ban() {} }', 'action', /has no function unban\(\); it has ban/],
    ['export default { ban: 5, unban() {} }', 'action', /has no function ban\(\)/],
    ['export default { notify() {} }', 'action', /has no function ban\(\); it looks like a notifier/],
    [`export default { ${action} }`, 'notifier', /has no function notify\(\); it looks like an action/],
    ['export default { start() {} }', 'notifier', /it looks like a source/],
    [`export default { ${action}, sync: true }`, 'action', /sync must be a function/],
    [`export default { ${action}, options: 5 }`, 'action', /options must be a JSON Schema or a validator/],
    [`export default { ${action}, options: { url: 'x' } }`, 'action', /options must be a JSON Schema or a validator/],
  ]
  for (const [index, [text, kind, message]] of cases.entries()) {
    const file = write(`bad/shape-${index}.mjs`, text)
    const error = await refusal(use(kind, file))
    assert.match(error.message, message, text)
    assert.equal(error.where, { file })
    assert.match(error.hint ?? '', /export default \{ .*\(\) .*named in \/etc\/bailiff\/bailiff\.yaml:7/)
  }
})

test('a plugin that does not load names its own line, and no stack', async () => {
  const cases: [text: string, line: number | undefined, message: RegExp][] = [
    ['export default {\n  ban( {\n}\n', 3, /does not load: /],
    ['const a = 1\nnope()\n', 2, /nope is not defined/],
    ['import x from "zod-of-nobody"\n', undefined, /Cannot find package 'zod-of-nobody'/],
    ['\n\nimport { nonono } from "node:fs"\n', 3, /does not provide an export named 'nonono'/],
    ['import "./missing.mjs"\n', undefined, /Cannot find module/],
    ['throw "a text"\n', undefined, /a text/],
    ['throw new Error("a\\nb\\u001b[31m")\n', 1, /: a; b/],
  ]
  for (const [index, [text, line, message]] of cases.entries()) {
    const file = write(`bad/load-${index}.mjs`, text)
    const error = await refusal(use('action', file))
    assert.match(error.message, message, text)
    assert.is(error.where?.file, file)
    if (line !== undefined) assert.ok(Math.abs((error.where?.line ?? 0) - line) <= 1, `${text}: ${error.where?.line}`)
    assert.not.match(describeError(error), /\n +at |\?version=/)
    assert.not.ok(describeError(error).includes('\u001b'))
    assert.is(error.hint, 'it is named in /etc/bailiff/bailiff.yaml:7')
  }
})

test('a file that is missing, of another kind or open to anybody is not loaded', async () => {
  const ran = join(folder, 'ran')
  const text = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(ran)}, ''); export default { ${action} }`
  assert.match((await refusal(use('action', join(folder, 'none.mjs')))).message, /there is no file/)
  assert.match(
    (await refusal(use('action', write('bad/x.py', text)))).message,
    /module of JavaScript \(\.mjs or \.js\)/,
  )
  mkdirSync(join(folder, 'bad/folder.mjs'))
  assert.match((await refusal(use('action', join(folder, 'bad/folder.mjs')))).message, /there is no file/)
  const open = write('bad/open.mjs', text)
  chmodSync(open, 0o666)
  const error = await refusal(use('action', open))
  assert.match(error.message, /anybody may change the plugin/)
  assert.equal(error.where, where)
  assert.not(readdirSync(folder).includes('ran'))
})

const urlAt = { ...where, line: 9, option: 'jails.x.actions[0].edge.url' }
const optionsAt = { url: urlAt }

test('options are checked by JSON Schema', async () => {
  const file = write(
    'own/json.mjs',
    `export default { ${tellsOptions}, options: {
    type: 'object', additionalProperties: false, required: ['url'],
    properties: { url: { type: 'string', format: 'uri' }, port: { type: 'integer', minimum: 1, default: 5 } } } }`,
  )
  assert.is(await optionsSeen(file, { url: 'https://example.org' }), '{"url":"https://example.org","port":5}')
  const wrong = await refusal(use('action', file, { url: 'nope' }, optionsAt))
  assert.match(wrong.message, /^json does not accept its options: url: /)
  assert.equal(wrong.where, urlAt)
  const missing = await refusal(use('action', file, {}))
  assert.equal([missing.where, /url: /.test(missing.message)], [where, true])
  assert.match((await refusal(use('action', file, { url: 'https://x.y', prt: 1 }))).message, /prt/)
  assert.match((await refusal(use('action', file, 'text'))).message, /does not accept/)
})

test('an unknown option is told with what was meant, at its place', async () => {
  const keyAt = { ...where, line: 9 }
  const cases: [plugin: string, options: object, said: string][] = [
    ['webhook', { urll: 'https://example.org' }, 'unknown option "urll"; did you mean url?'],
    [
      'webhook',
      { url: 'https://example.org', urll: 1, hedaers: {} },
      'unknown option "hedaers"; did you mean headers?',
    ],
    ['webhook', { url: 'https://example.org', xyzzy: 1 }, 'unknown option "xyzzy"; there are url, '],
    [
      write(
        'own/nested.mjs',
        `export default { notify() {}, options: { type: 'object', properties: {
          tls: { type: 'object', additionalProperties: false, properties: { cafile: { type: 'string' } } } } } }`,
      ),
      { tls: { cafiel: 'x' } },
      'tls: unknown option "cafiel"; did you mean cafile?',
    ],
  ]
  for (const [plugin, options, said] of cases) {
    const at = { urll: keyAt, xyzzy: keyAt, 'tls.cafiel': keyAt }
    const error = await refusal(use('notifier', plugin, options, at))
    assert.match(error.message, said)
    assert.equal(error.where, keyAt)
  }
})

test('options are checked by any Standard Schema', async () => {
  const file = write(
    'own/standard.mjs',
    `export default { ${tellsOptions}, options: { '~standard': { version: 1, vendor: 'own',
    async validate(value) { return value.url === 'right' ? { value: { checked: true } }
      : { issues: [{ message: 'is not right', path: [{ key: 'url' }, 0] }, { message: 'as a whole' }] } } } } }`,
  )
  assert.is(await optionsSeen(file, { url: 'right' }), '{"checked":true}')
  const wrong = await refusal(use('action', file, { url: 'x' }, optionsAt))
  assert.is(wrong.message, 'standard does not accept its options: url.0: is not right; as a whole')
  assert.equal(wrong.where, urlAt)
})

test.after(() => hosts.stop())

test.run()
