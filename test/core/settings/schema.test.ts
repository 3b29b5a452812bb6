import * as assert from 'uvu/assert'
import * as z from 'zod'
import { fileSchema, filterSchema, jailSchema } from '../../../core/settings/schema.ts'
import { suite } from '../../suite.ts'

const test = suite('schema')

interface Schema {
  readonly description?: string
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
}

/** Options without a sentence about them, and maps that take any option. */
function flaws(schema: Schema, path: string): string[] {
  const own = schema.properties !== undefined && schema.additionalProperties !== false ? [`${path} is open`] : []
  return [
    ...own,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, option]) => [
      ...(option.description === undefined ? [`${path}.${name} says nothing`] : []),
      ...flaws(option, `${path}.${name}`),
    ]),
  ]
}

for (const [name, schema] of Object.entries({ fileSchema, jailSchema, filterSchema })) {
  test(`${name} is a JSON Schema in which every option says what it is`, () => {
    const json = z.toJSONSchema(schema, { io: 'input' }) as Schema
    assert.ok(Object.keys(json.properties ?? {}).length > 5)
    assert.equal(flaws(json, name), [])
  })
}

test.run()
