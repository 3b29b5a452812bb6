import { pluginSchemas } from '../plugin-schemas.ts'
import { Registry } from '../registry.ts'
import { configurationSchema, filterFileSchema } from '../settings/json-schema.ts'
import { InstalledPackages } from '../settings/installed-packages.ts'
import type { SchemaOptions } from './config.ts'
import { print } from './output.ts'
import { pluginFolder } from './plugin-place.ts'

/** Prints the JSON Schema of `bailiff.yaml`, or of a filter file. */
export async function printSchema({ filter, config }: SchemaOptions): Promise<void> {
  const packages = new InstalledPackages(await pluginFolder(config))
  const plugins = await pluginSchemas(new Registry(), packages)
  print(JSON.stringify(filter ? filterFileSchema(plugins) : configurationSchema(plugins), null, 2))
}
