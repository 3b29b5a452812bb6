import * as assert from 'uvu/assert'
import { describeError, BailiffError } from '../../../core/errors.ts'
import { checkOptions } from '../../../core/plugin-options.ts'
import type { JsonSchema } from '../../../core/plugin.ts'
import { checkStrangeOptions } from '../../../core/strange-options.ts'
import { readPackage } from '../../../core/packages/read-package.ts'
import type { PluginUse } from '../../../core/settings/plugin-use.ts'
import { suite } from '../../suite.ts'
import { packageJson, provided } from './made-packages.ts'

const test = suite('hostile manifests')
const control = 'x\u001b[2J\u009b31m\u202e\ny'
const use = (options: unknown): PluginUse => ({
  kind: 'action',
  plugin: 'edge',
  options,
  where: { file: 'bailiff.yaml', line: 3 },
  optionsAt: {},
})

/** What is said of a `package.json`; empty where it is read. */
function said(text: string): string {
  try {
    readPackage(text, 'package.json')
    return ''
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    const problems = (error as { problems?: readonly BailiffError[] }).problems ?? [error]
    return problems.map(describeError).join('\n')
  }
}

const withOptions = (options: unknown) => packageJson({}, { provides: [provided({ options })] })

test('no control byte of any field reaches an output', () => {
  const manifests = [
    packageJson({ name: control }),
    packageJson({ version: control }),
    packageJson({ keywords: [control] }),
    packageJson({ dependencies: { [control]: '1', other: control } }),
    packageJson({}, { provides: [provided({ name: control })] }),
    packageJson({}, { provides: [provided({ module: control })] }),
    packageJson({}, { provides: [provided({ kind: control })] }),
    packageJson({}, { provides: [provided({ [control]: 1 })] }),
    packageJson({}, { [control]: 1, filters: control, jails: control }),
    packageJson({}, { api: control }),
    ...['hosts', 'programs', 'secrets'].map((one) =>
      packageJson({}, { provides: [provided({ capabilities: { [one]: [control] } })] }),
    ),
    packageJson({}, { provides: [provided({ capabilities: { files: { read: [control] } } })] }),
    withOptions({ type: 'object', properties: { a: { type: control } } }),
    withOptions({ type: 'object', properties: { a: { type: 'string', pattern: `(${control}` } } }),
    withOptions({ type: 'object', properties: { a: { $ref: control } } }),
  ]
  for (const text of manifests) {
    const message = said(text)
    assert.is.not(message, '', text)
    assert.not.match(message, /[^\n\P{Cc}]|\p{Bidi_Control}/u, text)
  }
})

test('a schema pollutes nothing, and one without end is refused or read', () => {
  const deep = (levels: number): object =>
    levels === 0 ? { type: 'string' } : { type: 'object', properties: { a: deep(levels - 1) } }
  const texts = [
    withOptions(JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string","default":"x"}}}')),
    withOptions(JSON.parse('{"type":"object","__proto__":{"polluted":1}}')),
    withOptions(JSON.parse('{"type":"object","properties":{"constructor":{"properties":{"prototype":{}}}}}')),
    withOptions({ type: 'object', properties: { a: { $ref: '#' } } }),
    withOptions({ type: 'object', properties: { a: { $ref: '#/properties/a' } } }),
    withOptions({ type: 'object', allOf: [{ $ref: '#' }] }),
    withOptions(deep(500)),
    withOptions({ type: 'object', properties: { a: { enum: 'x'.repeat(70_000) } } }),
    `{"name":"bailiff-plugin-x","version":"1.0.0","bailiff":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    packageJson().replace('{', '{"__proto__":{"bailiff":{"api":1}},'),
  ]
  for (const text of texts) {
    said(text)
    assert.is(({} as { polluted?: unknown }).polluted, undefined)
    assert.is(({} as { bailiff?: unknown }).bailiff, undefined)
  }
})

test('options go through no pattern without end', async () => {
  const schema = { type: 'object', properties: { url: { type: 'string', pattern: '^(\\w+\\s?)*$' } } } as const
  const url = `${'aaaaaaaaaa '.repeat(6)}!`
  try {
    await checkStrangeOptions({ schema, use: use({ url }), name: 'edge' }, 300)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /the options of edge take too long to check/)
  }
  assert.equal(await checkStrangeOptions({ schema, use: use({ url: 'a b' }), name: 'edge' }), { url: 'a b' })
  try {
    await checkStrangeOptions({ schema, use: use({ url: '!' }), name: 'edge' })
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /edge does not accept its options: url/)
  }
})

test('while options are checked by a schema that may take long, all else goes on', async () => {
  const schema = { type: 'object', properties: { url: { type: 'string', pattern: '(a+)+$' } } } as const
  let turns = 0
  const turning = setInterval(() => turns++, 5)
  try {
    await checkStrangeOptions({ schema, use: use({ url: `${'a'.repeat(40)}!` }), name: 'edge' }, 500)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /the options of edge take too long to check/)
  }
  clearInterval(turning)
  assert.ok(turns > 5, `${turns} turns`)
})

test('a schema without end names its plugin', async () => {
  const around = { type: 'object', properties: { a: { $ref: '#/$defs/b' } }, $defs: { b: { $ref: '#/$defs/b' } } }
  try {
    await checkStrangeOptions({ schema: around as JsonSchema, use: use({ a: 1 }), name: 'edge' })
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /the options of edge/)
  }
})

test('options of the configuration pollute nothing', async () => {
  const schema = { type: 'object', additionalProperties: true } as const
  const checked = await checkOptions(schema, use(JSON.parse('{"__proto__":{"polluted":1},"a":1}')), 'edge')
  assert.is(({} as { polluted?: unknown }).polluted, undefined)
  assert.is((checked as { polluted?: unknown }).polluted, undefined)
})

test.run()
