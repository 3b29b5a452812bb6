/** The JSON Schema of the configuration, for editors and for `bailiff config explain`. */
import { toggle, toJsonSchema, type JsonSchema } from './option-kinds.ts'
import { fileSchema, filterChoice, filterSchema, jailSchema } from './schema.ts'
import { isRecord } from './sourced.ts'
import { usuallyInWords, usualValues } from './usual-values.ts'

/** The options of the built-in plugins of each kind, by name. */
export type PluginOptions = Readonly<Record<'source' | 'action' | 'notifier', Readonly<Record<string, JsonSchema>>>>

const dialect = 'https://json-schema.org/draft/2020-12/schema'

/** The schema of `bailiff.yaml` and `conf.d/*.yaml`: what it refuses, the agent refuses too. */
export function configurationSchema(plugins: PluginOptions): JsonSchema {
  const file = toJsonSchema(fileSchema)
  return {
    $schema: dialect,
    title: 'bailiff.yaml',
    description: 'the configuration of Bailiff; the same for conf.d/*.yaml',
    ...file,
    properties: mapValues(withDefaults(propertiesOf(file), 'top'), orEmpty),
    $defs: {
      jail: {
        description: 'a jail: on, off, or its options',
        anyOf: [toJsonSchema(toggle), { $ref: '#/$defs/jailOptions' }],
      },
      jailOptions: jailOptions(),
      ...definitions(plugins),
    },
  }
}

/** The schema of `filters/*.yaml`. */
export function filterFileSchema(plugins: PluginOptions): JsonSchema {
  return {
    $schema: dialect,
    title: 'filter',
    description: 'a filter of Bailiff: filters/NAME.yaml beside bailiff.yaml',
    ...toJsonSchema(filterSchema),
    $defs: { source: definitions(plugins).source },
  }
}

function definitions(plugins: PluginOptions) {
  return {
    filter: { description: 'a filter, written into its jail', ...toJsonSchema(filterSchema) },
    filterChoice: { description: 'a filter by name, with its mode', minProperties: 1, ...toJsonSchema(filterChoice) },
    source: { description: 'where lines come from: the path of a log, or a source', ...pluginUse(plugins.source) },
    action: { description: 'what carries out bans', ...pluginUse(plugins.action) },
    notifier: { description: 'who is told', ...pluginUse(plugins.notifier) },
  }
}

function jailOptions(): JsonSchema {
  const jail = toJsonSchema(jailSchema)
  return { ...jail, properties: withDefaults(propertiesOf(jail), 'jail') }
}

/** A name or path alone, or with its options. A plugin of the machine is a path, and its options are its own. */
function pluginUse(options: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const names = Object.keys(options)
  const properties = mapValues(options, (schema) => ({ anyOf: [schema, { type: 'null' }] }))
  return {
    anyOf: [
      { type: 'string', minLength: 1, examples: names },
      { type: 'object', minProperties: 1, maxProperties: 1, properties },
    ],
  }
}

function withDefaults(properties: Readonly<Record<string, JsonSchema>>, kind: 'top' | 'jail') {
  const values: Readonly<Record<string, unknown>> = usualValues[kind]
  const words: Readonly<Record<string, string>> = usuallyInWords[kind]
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      if (Object.hasOwn(values, name)) return [name, { ...schema, default: values[name] }]
      const unlessSaid = words[name]
      return [name, unlessSaid === undefined ? schema : { ...schema, 'x-default': unlessSaid }]
    }),
  )
}

/** A key of the top whose lines are all commented out is as if it were not there. */
function orEmpty({ description, default: usual, 'x-default': words, ...schema }: JsonSchema): JsonSchema {
  const given = Object.entries({ description, default: usual, 'x-default': words }).filter(
    ([, one]) => one !== undefined,
  )
  return { ...Object.fromEntries(given), anyOf: [schema, { type: 'null' }] }
}

/** The schemas of the options of a map. */
export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return isRecord(schema.properties) ? (schema.properties as Record<string, JsonSchema>) : {}
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
