/** Checks options of plugins against what the plugin declares: a JSON Schema, or any Standard Schema. */
import * as z from 'zod'
import { BailiffError, type Where } from './errors.ts'
import type { OptionsSchema, StandardSchema } from './plugin.ts'
import type { PluginUse } from './settings/plugin-use.ts'

/**
 * What the schema of a plugin makes of the options of a use; without a schema the options as they
 * stand. Throws a BailiffError at the place of the first option that is not accepted, naming all.
 */
export async function checkOptions(
  schema: OptionsSchema<unknown> | undefined,
  use: PluginUse,
  name: string,
): Promise<unknown> {
  if (schema === undefined) return use.options
  const result = await asStandard(schema, name, use.where)['~standard'].validate(use.options)
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(({ message, path = [] }) => ({
    message: message.replace(/^Invalid input: expected \w+, received undefined$/, 'is missing'),
    path: path.map((key) => String(typeof key === 'object' ? key.key : key)).join('.'),
  }))
  const [first] = issues
  const at = first === undefined ? undefined : placeOf(first.path, use)
  throw new BailiffError(
    'config',
    `${name} does not accept its options: ${issues.map(({ message, path }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`,
    { where: at ?? use.where },
  )
}

/** The place of an option, or of the nearest one around it. */
function placeOf(path: string, use: PluginUse): Where | undefined {
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
        cause: error,
      },
    )
  }
}

/** Whether a value can be the `options` of a plugin. */
export function isOptionsSchema(value: unknown): boolean {
  return (
    isStandard(value) || (typeof value === 'object' && value !== null && 'type' in value && value.type === 'object')
  )
}

function isStandard(schema: unknown): schema is StandardSchema<unknown> {
  const standard: unknown = (schema as { '~standard'?: unknown } | null)?.['~standard']
  return typeof (standard as { validate?: unknown } | undefined)?.validate === 'function'
}
