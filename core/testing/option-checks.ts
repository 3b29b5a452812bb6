import * as z from 'zod'
import { isOptionsSchema, isStandard } from '../options-schema.ts'
import type { OptionsSchema, StandardResult, StandardSchema } from '../plugin.ts'
import { ensure, ensureSame, type Check } from './check.ts'

/** What a schema says against some options, as the agent would: one sentence each; none where it accepts them, or there is no schema. */
export async function optionIssues(
  schema: OptionsSchema<unknown> | undefined,
  given: unknown,
): Promise<readonly string[]> {
  const result = await validate(schema, given)
  return (result.issues ?? []).map(({ message, path }) => {
    const at = (path ?? []).map((key) => String(typeof key === 'object' ? key.key : key)).join('.')
    return at === '' ? message : `${at}: ${message}`
  })
}

/** What a schema makes of options, defaults filled in. Rejects where it does not accept them. */
export async function readOptions(schema: OptionsSchema<unknown> | undefined, given: unknown): Promise<unknown> {
  const issues = await optionIssues(schema, given)
  ensure(issues.length === 0, `the options are not accepted: ${issues.join('; ')}`)
  const result = await validate(schema, given)
  return result.issues === undefined ? result.value : given
}

/** That the options given to the suite are accepted, and those that nobody knows are not. */
export function optionChecks(plugin: { readonly options?: OptionsSchema<unknown> }, given: unknown): Check[] {
  const { options: schema } = plugin
  if (schema === undefined) return []
  return [
    {
      name: 'its options are accepted',
      remedy:
        'correct the options that the suite was given, or `options` of the plugin: a JSON Schema or a Standard Schema',
      run: async () => {
        ensure(isOptionsSchema(schema), 'its `options` are neither a JSON Schema of type object nor a Standard Schema')
        ensureSame(await optionIssues(schema, given), [], 'what the schema says against them')
      },
    },
    {
      name: 'an option that it does not know is refused',
      remedy:
        'a word that somebody mistyped is to be told: `additionalProperties: false` in a JSON Schema, z.strictObject in zod',
      run: async () => {
        const issues = await optionIssues(schema, { ...(given as object), surprise: 1 })
        ensure(issues.length > 0, 'the option "surprise" is accepted')
      },
    },
    {
      name: 'options that are nothing of the kind are refused',
      remedy: 'let the schema say which types there are; it must answer and not throw',
      run: async () => {
        for (const wrong of [[], 'text', 7, null])
          ensure((await optionIssues(schema, wrong)).length > 0, `${JSON.stringify(wrong)} is accepted as options`)
      },
    },
  ]
}

async function validate(schema: OptionsSchema<unknown> | undefined, given: unknown): Promise<StandardResult<unknown>> {
  if (schema === undefined) return { value: given }
  const standard = isStandard(schema)
    ? schema
    : (z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]) as StandardSchema<unknown>)
  return standard['~standard'].validate(given)
}
