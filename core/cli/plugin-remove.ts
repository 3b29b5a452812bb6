import { PluginFolder } from '../packages/plugin-folder.ts'
import { print } from './output.ts'
import { installedPackage, writablePluginFolder } from './plugin-place.ts'
import type { PluginOptions } from './plugin.ts'

/** Takes an installed package away. Throws a BailiffError where it is not installed. */
export async function removePackage(given: string, { config, json }: PluginOptions): Promise<void> {
  const removed = await PluginFolder.change((await writablePluginFolder(config)).folder, async (plugins) => {
    const one = installedPackage(given, plugins.packages)
    await plugins.remove(one)
    return one
  })
  const { name, version } = removed
  if (json) print(JSON.stringify({ removed: { name, version } }, null, 2))
  else
    print(`removed ${name} ${version}\n  "bailiff check" tells whether the configuration still names something of it`)
}
