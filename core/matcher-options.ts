import type { JsonSchema } from './plugin.ts'
import type { MatcherUse } from './settings/matcher-use.ts'

/**
 * Throws a BailiffError, at the place of the option, where the manifest of the package that a matcher is from does not accept
 * what it is given. The matcher itself is asked when it starts.
 */
export async function checkMatcherOptions({ name, schema, options, optionsAt, where }: MatcherUse): Promise<void> {
  if (schema === undefined) return
  const { checkOptions } = await import('./plugin-options.ts')
  // Options that a schema does not name are mistakes, unless it says that there may be others.
  const closed: JsonSchema = { additionalProperties: false, ...(schema as JsonSchema) }
  await checkOptions(closed, { plugin: name, options, where, optionsAt }, name)
}
