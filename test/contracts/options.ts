import type { OptionsSchema, StandardSchema } from '../../core/plugin.ts'
import { z } from 'zod'

/** Checks options as the registry does: what a Standard Schema or a JSON Schema says of them. */
export async function optionIssues(
  schema: OptionsSchema<unknown> | undefined,
  given: unknown,
): Promise<readonly string[]> {
  if (schema === undefined) return []
  const standard: StandardSchema<unknown> =
    '~standard' in schema ? (schema as StandardSchema<unknown>) : (z.fromJSONSchema(schema) as StandardSchema<unknown>)
  const result = await standard['~standard'].validate(given)
  return (result.issues ?? []).map(({ message }) => message)
}
