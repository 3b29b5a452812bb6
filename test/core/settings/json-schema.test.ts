import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import * as z from 'zod'
import { pluginSchemas } from '../../../core/plugin-schemas.ts'
import { Registry } from '../../../core/registry.ts'
import type { JsonSchema } from '../../../core/settings/option-kinds.ts'
import { configurationSchema, filterFileSchema } from '../../../core/settings/json-schema.ts'
import { isRecord } from '../../../core/settings/sourced.ts'
import { parseYaml } from '../../../core/settings/yaml-file.ts'
import { suite } from '../../suite.ts'

const test = suite('the JSON Schema')
const root = fileURLToPath(new URL('../../../../', import.meta.url))
const plugins = await pluginSchemas(new Registry())
const configuration = configurationSchema(plugins)
// Zod reads the schemas back, as an editor would.
const accepts = (schema: JsonSchema) => {
  const reader = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  return (yaml: string) => reader.safeParse(parseYaml(yaml, 'some.yaml').value).success
}
const acceptsConfiguration = accepts(configuration)
const acceptsFilter = accepts(filterFileSchema(plugins))

test('it accepts the configuration that is shipped, and all filters', () => {
  assert.ok(acceptsConfiguration(readFileSync(`${root}config/bailiff.yaml`, 'utf8')))
  const filters = readdirSync(`${root}config/filters`).filter((name) => name.endsWith('.yaml'))
  assert.ok(filters.length > 50)
  for (const name of filters) assert.ok(acceptsFilter(readFileSync(`${root}config/filters/${name}`, 'utf8')), name)
})

test('it accepts what the README shows', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8')
  const blocks = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text)
  const whole = blocks.filter((block) => !block.includes('…'))
  assert.ok(whole.length > 1)
  for (const block of whole) {
    const top = /^(?:jails|defaults|ignoreip|notifiers|trusted_proxies|state|metrics|observe|firewall):/m.test(block)
    const inJail = `jails:\n  some:\n${indented(indented(block))}`
    const fits = top
      ? acceptsConfiguration(block)
      : acceptsFilter(block) || acceptsConfiguration(inJail) || acceptsConfiguration(`jails:\n${indented(block)}`)
    assert.ok(fits, block)
  }
})

test('it accepts and refuses what the agent does', () => {
  const right = [
    '',
    'jails:\nignoreip:\n',
    'jails: { sshd: on, b: off, c: true }',
    'jails: { a: { source: /var/log/a.log, filter: { name: sshd, mode: aggressive }, ports: all } }',
    'jails: { a: { sources: [journal, { /var/log/a.log: { exclude: x } }, { ./own.mjs: { any: thing } }] } }',
    'jails: { a: { ports: [ssh, 2222, 6000-6010], protocol: udp, findtime: 1h30m, bantime: permanent } }',
    'jails: { a: { filter: { failregex: "x <ADDR>", ports: [ssh] } } }',
    'jails: { recidive: { jails: [sshd], maxretry: 3 } }',
    'defaults: { bantime: { base: 1h, increment: on, factor: 1.5, max: permanent }, actions: firewall }',
    'defaults: { findtime: 600, ignoreip: home.example.net, timezone: Europe/Berlin }',
    'ignoreip: [192.0.2.1, "2001:db8::/48"]',
    'notifiers: [log, { webhook: { url: "https://example.org/" } }]',
    'metrics: 9120',
  ]
  for (const text of right) assert.ok(acceptsConfiguration(text), text)
  const wrong = [
    'jail: { sshd: on }',
    'jails: { sshd: onn }',
    'jails: { sshd: { maxretries: 3 } }',
    'jails: { sshd: { maxretry: 0 } }',
    'jails: { sshd: { mode: watch } }',
    'jails: { sshd: { ports: [70000] } }',
    'jails: { sshd: { filter: { nam: sshd } } }',
    'jails: { sshd: { source: { file: { path: /x, exclud: y } } } }',
    'jails: { sshd: { source: { journal: {}, file: {} } } }',
    'jails: { sshd: { actions: [{ command: { bann: [/bin/true] } }] } }',
    'defaults: { findtime: 10 minutes }',
    'defaults: { bantime: { bas: 1h } }',
    'defaults: { state: /x }',
    'ignoreip: [no name]',
    'observe: perhaps',
    'state: ~/bailiff',
  ]
  for (const text of wrong) assert.not.ok(acceptsConfiguration(text), text)
  for (const text of [
    'failregexp: x',
    'counts: lines',
    'modes: { a: { failregx: x } }',
    'samples: { match: [{ line: x }] }',
  ])
    assert.not.ok(acceptsFilter(text), text)
})

test('every option says what it is', () => {
  for (const schema of [configuration, filterFileSchema(plugins)])
    for (const [path, option] of optionsOf(schema)) assert.ok('description' in option, path)
})

test.run()

/** All options, by their path. */
function* optionsOf(schema: unknown, path = ''): Generator<[string, object]> {
  if (Array.isArray(schema)) for (const one of schema) yield* optionsOf(one, path)
  if (!isRecord(schema)) return
  for (const [key, part] of Object.entries(schema)) {
    // The operators of conditions are told in the manual, as one.
    if (key !== 'properties' || !isRecord(part) || 'contains' in part || path.endsWith('.properties')) {
      if (!['default', 'examples', 'source', 'action', 'notifier'].includes(key))
        yield* optionsOf(part, `${path}.${key}`)
      continue
    }
    for (const [name, option] of Object.entries(part)) {
      if (isRecord(option)) yield [`${path}.${name}`, option]
      yield* optionsOf(option, `${path}.${name}`)
    }
  }
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
