import { pluginSchemas } from '../plugin-schemas.ts'
import { Registry } from '../registry.ts'
import { configurationSchema, filterFileSchema } from '../settings/json-schema.ts'
import type { SchemaOptions } from './config.ts'
import { print } from './output.ts'

/** Prints the JSON Schema of `bailiff.yaml`, or of a filter file. */
export async function printSchema({ filter }: SchemaOptions): Promise<void> {
  const plugins = await pluginSchemas(new Registry())
  print(JSON.stringify(filter ? filterFileSchema(plugins) : configurationSchema(plugins), null, 2))
}
