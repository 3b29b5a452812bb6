import type * as z from 'zod'
import { isStandard } from './options-schema.ts'
import type { Registry } from './registry.ts'
import type { PluginOptions } from './settings/json-schema.ts'
import { toJsonSchema, type JsonSchema } from './settings/option-kinds.ts'
import type { PluginKind } from './settings/plugin-use.ts'

/** The JSON Schemas of the options of all built-in plugins, by kind and name. */
export async function pluginSchemas(registry: Registry): Promise<PluginOptions> {
  const ofKind = async (kind: PluginKind) => {
    const names = registry.pluginNames(kind)
    const schemas = await Promise.all(names.map((name) => schemaOf(registry, kind, name)))
    return Object.fromEntries(names.map((name, index) => [name, schemas[index] ?? {}]))
  }
  const [source, action, notifier] = await Promise.all([ofKind('source'), ofKind('action'), ofKind('notifier')])
  return { source, action, notifier }
}

async function schemaOf(registry: Registry, kind: PluginKind, name: string): Promise<JsonSchema> {
  const options = await registry.optionsOf(kind, name)
  if (options === undefined) return {}
  // Built-in plugins declare theirs by zod or as JSON Schema.
  return isStandard(options) ? toJsonSchema(options as unknown as z.ZodType) : (options as JsonSchema)
}
