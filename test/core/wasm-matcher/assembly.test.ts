/** `bailiff/assembly`, held against the same in JavaScript on lines of chance. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { BailiffError } from '../../../core/errors.ts'
import { field } from '../../../core/wasm-matcher/abi.ts'
import { compileMatcher } from '../../../core/wasm-matcher/compile-matcher.ts'
import { loadModule } from '../../../core/wasm-matcher/load-module.ts'
import { ModuleInstance } from '../../../core/wasm-matcher/module-instance.ts'
import { temporaryFolder } from '../cli/agent-process.ts'
import { suite } from '../../suite.ts'

const test = suite('bailiff/assembly')
const folder = temporaryFolder()

const source = (literals: string) => `
import { Found, Text, unixMs } from 'bailiff/assembly'
${literals}
export const rules = ['a', 'b', 'c']
export function match(line: Text, found: Found): bool {
  if (!line.contains('ip=') && !line.endsWith('LAST')) return false
  found.address = line.after('ip=').before(' ')
  found.user = line.field(',', 1).trim()
  found.session = line.afterLast('/').slice(0, 3)
  found.rule = line.startsWith('B') ? 1 : line.is('ip=x') ? 2 : 0
  const second = line.field(':', 1).number()
  if (second >= 0) found.time = unixMs(2026, 11, 22, 13, 41, second)
  // Texts of the language are cleared away after some lines.
  return line.toString().length >= 0
}
`

const words = [
  'ip=',
  'LAST',
  'B',
  ' ',
  ',',
  '/',
  ':',
  '7',
  '59',
  '60',
  '61',
  'x',
  'é',
  '\0',
  '\r',
  '192.0.2.7',
  'ip',
  'LAS',
]
const lines = fc.array(
  fc.array(fc.constantFrom(...words), { maxLength: 9 }).map((parts) => parts.join('')),
  {
    maxLength: 40,
  },
)

for (const [name, literals] of [
  ['all lines', ''],
  ['lines with one of some texts', `export const literals = ['ip=', 'LAST']`],
] as const)
  test(`${name} are found as JavaScript finds them, however many there are`, async () => {
    const instance = await built(source(literals))
    fc.assert(
      fc.property(lines, fc.constantFrom(1, 1, 1, 90), (some, times) => {
        const all = Array.from({ length: times }, () => some).flat()
        assert.equal(foundBy(instance, all), all.flatMap(foundPlainly))
      }),
      { numRuns: 300 },
    )
    const many = Array.from({ length: 20_000 }, (_, index) => (index % 3 === 0 ? 'none' : `,u${index},ip=192.0.2.7`))
    assert.is(foundBy(instance, many).length, 13_333)
  })

test('what cannot be compiled is said with the place, and what is no matcher as well', async () => {
  for (const [text, says] of [
    [`import { Found } from 'bailiff/assembly'\nexport const rules = ['a']`, 'a matcher exports a function match'],
    [source('const x: nothing = 1'), 'the compiler of AssemblyScript refuses the matcher'],
  ] as const) {
    const heard: string[] = []
    try {
      await compileMatcher(written(text), (said) => heard.push(said))
      assert.unreachable('it was compiled')
    } catch (error) {
      assert.instance(error, BailiffError)
      assert.is((error as BailiffError).message, says)
    }
    if (says.includes('refuses')) assert.match(heard.join(''), 'nothing')
  }
})

test.run()

async function built(text: string): Promise<ModuleInstance> {
  const file = written(text)
  const wasm = file.replace('.ts', '.wasm')
  writeFileSync(wasm, await compileMatcher(file, (said) => process.stderr.write(said)))
  const module = loadModule({ name: 'a', file: wasm, options: {} })
  assert.equal(module.rules, ['a', 'b', 'c'])
  return new ModuleInstance(module)
}

function written(text: string): string {
  const file = join(folder, 'a.ts')
  writeFileSync(file, text)
  return file
}

type Line = [line: string, address: string, user: string, session: string, rule: number, time: number | null]

function foundBy(instance: ModuleInstance, all: readonly string[]): Line[] {
  const bytes = Buffer.from(all.map((one) => `${one}\n`).join(''))
  const { count, words: records, times } = instance.scan(bytes)
  return Array.from({ length: count }, (_, index) => {
    const at = index * 16
    const text = (start: number) => bytes.toString('utf8', records[at + start], records[at + start + 1])
    const time = times[index * 8] ?? Number.NaN
    const parts = [field.lineStart, field.addressStart, field.userStart, field.sessionStart].map(text)
    const [line = '', address = '', user = '', session = ''] = parts
    return [line, address, user, session, records[at + field.rule] ?? 0, Number.isNaN(time) ? null : time]
  })
}

/** Bytes, as the library sees them. */
function foundPlainly(given: string): Line[] {
  const line = Buffer.from(given.replace(/\r$/, '')).toString('latin1')
  if (!line.includes('ip=') && !line.endsWith('LAST')) return []
  const after = line.includes('ip=') ? line.slice(line.indexOf('ip=') + 3) : ''
  const address = after.split(' ')[0] ?? ''
  if (address === '') return []
  const user = (line.split(',')[1] ?? '').replace(/^[ \t]+|[ \t]+$/g, '')
  const session = line.includes('/') ? line.slice(line.lastIndexOf('/') + 1).slice(0, 3) : ''
  const second = line.split(':')[1] ?? ''
  const time = /^\d{1,18}$/.test(second) && Number(second) <= 60 ? Date.UTC(2026, 10, 22, 13, 41, Number(second)) : null
  const text = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')
  const rule = line.startsWith('B') ? 1 : line === 'ip=x' ? 2 : 0
  return [[given, text(address), text(user), text(session), rule, time]]
}
