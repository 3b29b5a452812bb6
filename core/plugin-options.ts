/** Checks options of plugins against what the plugin declares: a JSON Schema, or any Standard Schema. */
import * as z from 'zod'
import { BailiffError, type Where } from './errors.ts'
import { isStandard } from './options-schema.ts'
import type { OptionsSchema, StandardResult, StandardSchema } from './plugin.ts'
import { toJsonSchema, unknownOption } from './settings/option-kinds.ts'
import type { PluginUse } from './settings/plugin-use.ts'

/** What is mostly wrong with a JSON Schema that cannot be read. */
export const schemaTypes = 'a type of a JSON Schema is string, number, integer, boolean, object, array or null'

/**
 * What the schema of a plugin makes of the options of a use; without a schema the options as they
 * stand. Throws a BailiffError that names all options that are not accepted, at the place of the first that is there.
 */
export async function checkOptions(
  schema: OptionsSchema<unknown> | undefined,
  use: Omit<PluginUse, 'kind'>,
  name: string,
): Promise<unknown> {
  if (schema === undefined) return use.options
  const standard = asStandard(schema, name, use.where)
  const result = await validated(standard, use, name)
  if (result.issues === undefined) return result.value
  const issues = result.issues.flatMap((issue) => explain(issue, standard))
  // One that is missing has no place, and is often the one that is misspelt.
  const at = issues.map(({ path }) => placeOf(path, use)).find((where) => where !== undefined)
  throw new BailiffError(
    'config',
    `${name} does not accept its options: ${issues.map(({ message, path, says = path }) => (says === '' ? message : `${says}: ${message}`)).join('; ')}`,
    { where: at ?? use.where },
  )
}

/** Said of options that are declared by a validator of others, of which only its manifest can tell. */
export const untold = 'they are of'

/** The JSON Schema of what a plugin declares, as a manifest can have it. Throws a BailiffError where there is none. */
export function declaredSchema(options: OptionsSchema<unknown>): unknown {
  if (!isStandard(options)) return options
  const { vendor } = options['~standard']
  try {
    if (vendor === 'zod') return toJsonSchema(options as unknown as z.ZodType)
  } catch (cause) {
    throw undeclared(cause instanceof Error ? cause.message : String(cause))
  }
  throw undeclared(`${untold} ${vendor}`)
}

function undeclared(why: string): BailiffError {
  return new BailiffError('data', `its options cannot be written as a JSON Schema: ${why}`, {
    hint: 'write their JSON Schema into the manifest: "options": { "type": "object", "properties": { … } }',
  })
}

/** A schema that goes round in circles throws what names nobody. */
async function validated(
  standard: StandardSchema<unknown>,
  { options, where }: Omit<PluginUse, 'kind'>,
  name: string,
): Promise<StandardResult<unknown>> {
  try {
    return await standard['~standard'].validate(options)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BailiffError('config', `the options of ${name} cannot be checked by its schema: ${why}`, { where, cause })
  }
}

type Issue = NonNullable<StandardResult<unknown>['issues']>[number]

/** What is wrong and where. `says` is the part of the path that is told, where the message names the rest. */
interface Flaw {
  readonly message: string
  readonly path: string
  readonly says?: string
}

/** One sentence for each thing that is wrong; of keys that there are not, one each with what was meant. */
function explain(issue: Issue, schema: StandardSchema<unknown>): Flaw[] {
  const keys = (issue.path ?? []).map((key) => String(typeof key === 'object' ? key.key : key))
  const path = keys.join('.')
  const unknown = unknownKeys(issue)
  const allowed = unknown.length === 0 ? [] : optionNames(schema, keys)
  if (allowed.length > 0)
    return unknown.map((key) => ({
      message: unknownOption(key, allowed),
      path: [...keys, key].join('.'),
      says: path,
    }))
  if (unknown.length > 0 && keys.length === 0) return [{ message: 'it has no options', path }]
  const names = keys.length === 0 ? optionNames(schema, keys) : []
  const known = /expected object/.test(issue.message) && names.length > 0 ? `; there are ${names.join(', ')}` : ''
  return [{ message: inWords(issue.message) + known, path }]
}

/** What zod says, in the words that the rest of the configuration is refused with. */
function inWords(message: string): string {
  const [, wanted = '', got = ''] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? []
  if (got === 'undefined') return 'is missing'
  if (wanted !== '') return `must be ${kinds[wanted] ?? wanted}, but is ${kinds[got] ?? got}`
  const [, of = '', sign = '', bound = ''] =
    /^Too (?:small|big): expected (\w+) to (?:be|have) ([<>]=?)(\d+)/.exec(message) ?? []
  if (of === 'number') return `must be ${bounds[sign] ?? sign} ${bound}`
  if (bound === '1' && sign === '>=') return of === 'string' ? 'must not be empty' : 'is an empty list'
  if (bound !== '') return `must have ${bounds[sign] ?? sign} ${bound} ${of === 'string' ? 'characters' : 'elements'}`
  const [, choices = ''] = /^Invalid option: expected one of (.+)$/s.exec(message) ?? []
  return choices === '' ? message : `must be one of ${choices.replaceAll('"', '').replaceAll('|', ', ')}`
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  tuple: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
}

const bounds: Readonly<Record<string, string>> = {
  '>=': 'at least',
  '>': 'more than',
  '<=': 'at most',
  '<': 'less than',
}

/** The keys that zod has found and does not know; other validators tell them in words only. */
function unknownKeys(issue: Issue): readonly string[] {
  const { code, keys } = issue as { readonly code?: unknown; readonly keys?: unknown }
  return code === 'unrecognized_keys' && Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : []
}

/** The names of the options at a path, as far as zod can say them. */
function optionNames(schema: StandardSchema<unknown>, path: readonly string[]): readonly string[] {
  try {
    let part = z.toJSONSchema(schema as unknown as z.ZodType, { io: 'input', unrepresentable: 'any' }) as JsonPart
    for (const key of path) part = part.properties?.[key] ?? part.items ?? {}
    return Object.keys(part.properties ?? {})
  } catch {
    return []
  }
}

interface JsonPart {
  readonly properties?: Readonly<Record<string, JsonPart>>
  readonly items?: JsonPart
}

/** The place of an option, or of the nearest one around it. */
function placeOf(path: string, use: Omit<PluginUse, 'kind'>): Where | undefined {
  for (let part = path; part !== ''; part = part.replace(/\.?[^.]*$/, ''))
    if (Object.hasOwn(use.optionsAt, part)) return use.optionsAt[part]
  return undefined
}

function asStandard(schema: OptionsSchema<unknown>, name: string, where: Where): StandardSchema<unknown> {
  if (isStandard(schema)) return schema
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]) as StandardSchema<unknown>
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BailiffError(
      'config',
      `the options of ${name} are declared by a JSON Schema that cannot be read: ${why}`,
      {
        where,
        hint: schemaTypes,
        cause: error,
      },
    )
  }
}
