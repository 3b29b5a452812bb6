import { join } from 'node:path'
import { BailiffError } from '../errors.ts'
import type { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import { loadModule } from '../wasm-matcher/load-module.ts'
import type { ProvidedPlugin } from './manifest.ts'
import type { StagedPackage } from './stage-package.ts'

/**
 * Loads the modules of a package that was consented to, each with what it asks for, as the agent will. Throws a
 * BailiffError, with the place in the package, for the first that does not load or is no plugin of its kind.
 */
export async function tryModules({ tree, description }: StagedPackage, hosts: PluginHosts): Promise<void> {
  for (const provided of description.manifest.provides) {
    const { name } = description
    const file = join(tree, 'node_modules', name, provided.module)
    try {
      await tryModule(provided, { file, tree, hosts })
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      const where = { ...error.where, file: `${name}/${provided.module}` }
      throw new BailiffError('data', error.message.replaceAll(`${tree}/node_modules/`, ''), {
        where,
        hint: 'nothing was installed; its author has to mend it',
        cause: error,
      })
    }
  }
}

async function tryModule(
  { kind, name, module, capabilities = {} }: ProvidedPlugin,
  { file, tree, hosts }: { readonly file: string; readonly tree: string; readonly hosts: PluginHosts },
): Promise<void> {
  if (kind === 'matcher') void loadModule({ name: module, file, options: {} })
  else await hosts.tryLoad({ name, file, manifest: { folder: tree, capabilities } }, kind)
}
