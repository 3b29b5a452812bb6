/** Tells the ways apart in which plugins declare their options. It loads no validator. */
import type { StandardSchema } from './plugin.ts'

/** Whether a value can be the `options` of a plugin. */
export function isOptionsSchema(value: unknown): boolean {
  return (
    isStandard(value) || (typeof value === 'object' && value !== null && 'type' in value && value.type === 'object')
  )
}

/** Whether the options are declared by a validator of Standard Schema; else they are a JSON Schema. */
export function isStandard(schema: unknown): schema is StandardSchema<unknown> {
  const standard: unknown = (schema as { '~standard'?: unknown } | null)?.['~standard']
  return typeof (standard as { validate?: unknown } | undefined)?.validate === 'function'
}
