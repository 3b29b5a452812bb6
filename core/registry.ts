/**
 * Finds and loads plugins. What comes with the package is found by where it stands: the
 * action `command` is `plugins/actions/command.js`, and runs in the agent. A plugin of the machine is a file that the
 * configuration names, and runs in a host of its own (`plugin-host/`).
 */
import { statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BailiffError, quote, suggest, type Where } from './errors.ts'
import { builtTree, namesIn } from './built-in.ts'
import type { PackagedPlugin } from './packages/find-plugin.ts'
import type { HostedModule } from './plugin-host/hosted-module.ts'
import { article, checkShape, importDefault, requiredFunctions, type Plugins } from './plugin-host/plugin-module.ts'
import { PluginHosts } from './plugin-host/plugin-hosts.ts'
import type { OptionsSchema } from './plugin.ts'
import type { InstalledPackages } from './settings/installed-packages.ts'
import type { PluginKind, PluginUse } from './settings/plugin-use.ts'
import { whoMayWrite } from './settings/writable.ts'
import { checkRunnable } from './typescript-plugins.ts'

/** A plugin with options that it accepts. */
export interface LoadedPlugin<Kind extends PluginKind = PluginKind> {
  readonly kind: Kind
  /** The name of its file without the ending. */
  readonly name: string
  readonly file: string
  readonly plugin: Plugins[Kind]
  /** The package that it came in, and what it may reach; null: it came in none. */
  readonly packaged: PackagedPlugin | null
  /** Variables of the environment that it gets in its host, and that are not set. */
  readonly unset: readonly string[]
  /**
   * Of a plugin that runs in this process as its schema made them, without a schema as they stand in the configuration.
   * Of one in a host as they stand in the configuration: there the host asks the schema again.
   */
  readonly options: unknown
}

/** The plugins of one tree of compiled files. Make one an agent. */
export class Registry {
  readonly #root: string
  readonly #hosts: PluginHosts

  /** `root` has the folders `plugins` and `matchers`; unless said, it is that of this package. `hosts` runs the plugins of others. */
  constructor(root = builtTree, hosts = new PluginHosts()) {
    this.#root = root
    this.#hosts = hosts
  }

  /** The names of the built-in plugins of a kind, sorted. */
  pluginNames(kind: PluginKind): string[] {
    return namesIn(join(this.#root, 'plugins', `${kind}s`), '.js')
  }

  /** What a built-in plugin says of its options; undefined where it says nothing. */
  async optionsOf(kind: PluginKind, name: string): Promise<OptionsSchema<unknown> | undefined> {
    const file = join(this.#root, 'plugins', `${kind}s`, `${name}.js`)
    return checkShape(kind, await importDefault(pathToFileURL(file), file), file).options
  }

  /**
   * Loads what a use names and checks its options: a file, a built-in plugin, else one of the installed packages.
   * Throws a BailiffError at the place of the use, or of the option: no such plugin, a file that does not load or is no
   * plugin of this kind, options that it does not accept, a package that was changed.
   */
  async loadPlugin<Kind extends PluginKind>(
    kind: Kind,
    use: PluginUse,
    packages: InstalledPackages | null = null,
  ): Promise<LoadedPlugin<Kind>> {
    const isFile = isAbsolute(use.plugin)
    if (isFile) return this.#hosted(kind, { name: nameOf(use.plugin), file: use.plugin, manifest: null }, use)
    const isNamed = !this.pluginNames(kind).includes(use.plugin)
    const packaged = isNamed && packages !== null ? await this.#packaged(kind, use, packages) : null
    if (packaged !== null) return this.#loadPackaged(kind, use, packaged)
    const file = await this.#builtIn(kind, use, packages)
    const plugin = checkShape(kind, await importDefault(pathToFileURL(file), file), file)
    // What checks them is large, and who only looks for matchers needs none of it.
    const { checkOptions } = await import('./plugin-options.ts')
    const name = nameOf(file)
    return {
      kind,
      name,
      file,
      plugin,
      packaged: null,
      unset: [],
      options: await checkOptions(plugin.options, use, name),
    }
  }

  async #packaged(kind: PluginKind, use: PluginUse, packages: InstalledPackages): Promise<PackagedPlugin | null> {
    const { findPackaged } = await import('./packages/find-plugin.ts')
    return findPackaged(kind, use, packages)
  }

  /** Its options were checked by the manifest, without its code; then its own schema may make more of them, in its host. */
  async #loadPackaged<Kind extends PluginKind>(
    kind: Kind,
    use: PluginUse,
    packaged: PackagedPlugin,
  ): Promise<LoadedPlugin<Kind>> {
    const { name, file, tree, capabilities, options } = packaged
    const loaded = await this.#hosted(
      kind,
      { name, file, manifest: { folder: tree, capabilities } },
      { ...use, options },
    )
    return { ...loaded, packaged }
  }

  async #hosted<Kind extends PluginKind>(
    kind: Kind,
    module: HostedModule,
    use: PluginUse,
  ): Promise<LoadedPlugin<Kind>> {
    const { name, file } = module
    await checkFile(file, use.where)
    try {
      // The host was asked for this kind.
      const plugin = (await this.#hosts.load(module, kind, use)) as Plugins[Kind]
      const unset = this.#hosts.unsetVariables(module, use)
      return { kind, name, file, plugin, packaged: null, unset, options: use.options }
    } catch (error) {
      throw namedIn(error, file, use.where)
    }
  }

  async #builtIn(kind: PluginKind, use: PluginUse, packages: InstalledPackages | null): Promise<string> {
    const own = this.pluginNames(kind)
    if (own.includes(use.plugin)) return join(this.#root, 'plugins', `${kind}s`, `${use.plugin}.js`)
    const { packagedNames } = await import('./packages/find-plugin.ts')
    const names = [...own, ...packagedNames(kind, (await packages?.all()) ?? [])]
    const other = (Object.keys(requiredFunctions) as PluginKind[]).find((one) =>
      this.pluginNames(one).includes(use.plugin),
    )
    const meant = other === undefined ? suggest(use.plugin, names) : undefined
    const remedy = meant ? `did you mean ${meant}?` : `there are ${names.join(', ')}`
    throw new BailiffError(
      'config',
      `there is no ${kind} ${quote(use.plugin)}; ${other === undefined ? remedy : `it is ${article(other)}`}`,
      { where: use.where, hint: pathHint(kind, use.plugin) },
    )
  }
}

async function checkFile(file: string, where: Where): Promise<void> {
  checkRunnable(file, where)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new BailiffError('config', `there is no file ${quote(file)}`, { where })
  if ((await whoMayWrite(file)) === 'anybody')
    throw new BailiffError('config', `anybody may change the plugin ${quote(file)}, so it is not loaded`, {
      where,
      hint: `chmod go-w ${file} ${dirname(file)}`,
    })
}

/** An error of the plugin itself, with where it is named beside what it says. */
function namedIn(error: unknown, file: string, where: Where): unknown {
  if (!(error instanceof BailiffError) || error.where === where || (error.where && error.where.file !== file))
    return error
  const named = `it is named in ${place(where)}`
  return new BailiffError('config', error.message, {
    where: error.where ?? { file },
    hint: error.hint === undefined ? named : `${error.hint}; ${named}`,
    cause: error,
  })
}

function pathHint(kind: PluginKind, given: string): string {
  const name = given.replace(/[^\w.-]/g, '')
  const own = `your own ${kind} is named by its path: ./${name.replace(/\.\w+$/, '')}.mjs`
  const log = kind === 'source' ? `a log is named by its absolute path: /var/log/${name}; ` : ''
  return isShort(given) ? `${log}${own}; one of a package is installed first: bailiff plugin add ${given}` : log + own
}

function isShort(given: string): boolean {
  return /^(?:@[a-z0-9-]+\/)?[a-z][a-z0-9-]*$/.test(given)
}

function nameOf(file: string): string {
  return file.replace(/^.*\//, '').replace(/\.[^.]*$/, '')
}

function place({ file, line }: Where): string {
  return line === undefined ? file : `${file}:${line}`
}
