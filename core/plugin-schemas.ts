import type * as z from 'zod'
import { isStandard } from './options-schema.ts'
import type { Registry } from './registry.ts'
import type { InstalledPackages } from './settings/installed-packages.ts'
import type { PluginOptions } from './settings/json-schema.ts'
import { toJsonSchema, type JsonSchema } from './settings/option-kinds.ts'
import { shortName } from './settings/package-names.ts'
import type { LockedPackage } from './settings/plugin-lock.ts'
import type { PluginKind } from './settings/plugin-use.ts'

/**
 * The JSON Schemas of the options of all built-in plugins, by kind and name; and of those of installed packages, as their
 * manifests have them. What is installed and cannot be told is left out.
 */
export async function pluginSchemas(
  registry: Registry,
  packages: InstalledPackages | null = null,
): Promise<PluginOptions> {
  const installed = (await packages?.all().catch(() => [])) ?? []
  const ofKind = async (kind: PluginKind) => {
    const names = registry.pluginNames(kind)
    const schemas = await Promise.all(names.map((name) => schemaOf(registry, kind, name)))
    const packed = installed.flatMap((of) => packedSchemas(of, kind)).filter(([name]) => !names.includes(name))
    return Object.fromEntries([...packed, ...names.map((name, index) => [name, schemas[index] ?? {}] as const)])
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

/** By the names that the configuration has for them: that of the package where it has one of that name, else both. */
function packedSchemas({ name: of, plugins }: LockedPackage, kind: PluginKind): [string, JsonSchema][] {
  const short = shortName(of)
  const last = short.replace(/^.*[/:@]/, '')
  const some = plugins.filter((plugin) => plugin.kind === kind)
  return some.map(({ name, options = { type: 'object', properties: {} } }) => {
    const isOwn = some.length === 1 || name === last
    return [isOwn ? short : `${short}/${name}`, { additionalProperties: false, ...(options as JsonSchema) }]
  })
}
