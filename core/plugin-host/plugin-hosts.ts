/** All plugin hosts of a process: one for each module, and for each version of its file that is still in use. */
import { statSync } from 'node:fs'
import { BailiffError } from '../errors.ts'
import type { PluginHostState } from '../events.ts'
import type { ActionPlugin, Host, Logger, NotifierPlugin, SourcePlugin } from '../plugin.ts'
import type { PluginKind, PluginUse } from '../settings/plugin-use.ts'
import { possibleNamespaces, type HostRights } from './host-command.ts'
import { hostedAction, hostedNotifier, hostedSource } from './hosted-plugin.ts'
import type { HostedModule } from './hosted-module.ts'
import { namespacesMissing, type Namespaces } from './namespaces.ts'
import { PluginHost } from './plugin-host.ts'

export interface PluginHostsOptions {
  /** Where plugins keep their folders. Default: nowhere, so they are looked at and do not run. */
  readonly folder?: string
  /** Hears what they print and log. Default: nobody. */
  readonly log?: Logger
  /** What each may take. Default: 256 MiB. */
  readonly memoryBytes?: number
  /** Who they become, where this process is root. */
  readonly user?: HostRights['user']
  /** What they may have of their own. Default: all that this machine lets them have, found out before the first. */
  readonly namespaces?: Namespaces
  readonly nodePath?: string
}

/** What somebody who runs plugins wants to hear. */
export interface HostListener {
  alarm(subject: string, message: string): void
  /** Instances were started again after a crash, by their hosts: what they were told before they may have forgotten. */
  restarted(hosts: readonly Host[]): void
}

const usualMemoryBytes = 256 * 1024 * 1024

type Plugin = SourcePlugin | ActionPlugin | NotifierPlugin

/** Keep one for as long as plugins run. Its hosts keep no process from ending that waits for nothing. */
export class PluginHosts {
  readonly #options: PluginHostsOptions
  /** By file and version. */
  readonly #hosts = new Map<string, { readonly file: string; readonly host: PluginHost }>()
  readonly #plugins = new Map<string, Plugin>()
  #listener: HostListener | null = null
  #namespaces: Namespaces | null = null

  constructor(options: PluginHostsOptions = {}) {
    this.#options = options
  }

  /** Who hears of alarms and restarts from now on. */
  listen(listener: HostListener): void {
    this.#listener = listener
  }

  /**
   * The plugin of a module, the same object while its file and its manifest are. Rejects with a BailiffError where it
   * is none, or where it does not accept the options: at the place of the use that refers to it.
   */
  async load(module: HostedModule, kind: PluginKind, use: PluginUse): Promise<Plugin> {
    const version = versionOf(module)
    const host = this.#hostOf(module, version)
    host.forgive()
    const description = await host.load(kind)
    await host.checkOptions(kind, use).catch((error: unknown) => {
      throw atItsPlace(error, use)
    })
    const key = `${kind} ${version}`
    const known = this.#plugins.get(key)
    if (known) return known
    const plugin =
      kind === 'source'
        ? hostedSource(host)
        : kind === 'notifier'
          ? hostedNotifier(host)
          : hostedAction(host, description, module)
    this.#plugins.set(key, plugin)
    return plugin
  }

  /**
   * The variables that a plugin gets and that are not set here, of one that was loaded for this use. Of a file, any text
   * of its options may name one; here it counts as a name where it has an underscore, as `EDGE_TOKEN`, and `PUT` has none.
   */
  unsetVariables(module: HostedModule, use: PluginUse): string[] {
    const variables = this.#hostOf(module, versionOf(module)).variablesOf(use.options)
    return variables.filter(
      (name) => process.env[name] === undefined && (module.manifest !== null || name.includes('_')),
    )
  }

  /** Rejects with a BailiffError where a module does not load as a plugin of that kind. */
  async tryLoad(module: HostedModule, kind: PluginKind): Promise<void> {
    await this.#hostOf(module, versionOf(module)).load(kind)
  }

  /**
   * What a module declares the options of its plugin by: a JSON Schema as it says, or null. Rejects with a BailiffError
   * where it does not load or exports no plugin of this kind.
   */
  declaredOptions(module: HostedModule, kind: PluginKind): Promise<unknown> {
    return this.#hostOf(module, versionOf(module)).declaredOptions(kind)
  }

  /** How the hosts do that are used. */
  states(): PluginHostState[] {
    return [...this.#hosts.values()].filter(({ host }) => host.inUse).map(({ host }) => host.state)
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(({ host }) => host.stop()))
  }

  #hostOf(module: HostedModule, version: string): PluginHost {
    const known = this.#hosts.get(version)
    if (known) return known.host
    for (const [key, { file, host }] of this.#hosts) if (file === module.file && !host.inUse) this.#forget(key, host)
    const { folder = null, log = silent, memoryBytes = usualMemoryBytes, user, nodePath } = this.#options
    const host = new PluginHost({
      module,
      folder,
      log,
      rights: { memoryBytes, user, namespaces: this.#possible(), ...(nodePath === undefined ? {} : { nodePath }) },
      alarm: (subject, message) => this.#listener?.alarm(subject, message),
      restarted: (hosts) => this.#listener?.restarted(hosts),
    })
    this.#hosts.set(version, { file: module.file, host })
    return host
  }

  /** Found out once; what is refused is told. */
  #possible(): Namespaces {
    if (this.#namespaces === null) {
      const { user, log = silent, namespaces = possibleNamespaces(user) } = this.#options
      this.#namespaces = namespaces
      const missing = namespacesMissing(namespaces)
      if (missing !== null) log.warn({}, missing)
    }
    return this.#namespaces
  }

  #forget(version: string, host: PluginHost): void {
    this.#hosts.delete(version)
    for (const key of this.#plugins.keys()) if (key.endsWith(` ${version}`)) this.#plugins.delete(key)
    void host.stop()
  }
}

/** Another one where the file was written or replaced since, or may do other things. Archives set the times of writing. */
function versionOf({ file, manifest }: HostedModule): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(file)
  return JSON.stringify([file, ino, size, mtimeMs, ctimeMs, manifest])
}

function atItsPlace(error: unknown, use: PluginUse): unknown {
  const option = error instanceof BailiffError ? (error as { option?: unknown }).option : null
  if (!(error instanceof BailiffError) || typeof option !== 'string') return error
  const place = Object.hasOwn(use.optionsAt, option) ? use.optionsAt[option] : undefined
  return new BailiffError('config', error.message, {
    where: place ?? use.where,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

const nothing = () => {}
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
