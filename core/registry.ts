/**
 * Finds and loads plugins. What comes with the package is found by where it stands: the
 * action `command` is `plugins/actions/command.js`. A plugin of the machine is a file that the
 * configuration names.
 */
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { BailiffError, quote, suggest, type Where } from './errors.ts'
import { builtTree, namesIn } from './built-in.ts'
import { isOptionsSchema } from './options-schema.ts'
import { resolve as resolvePluginImport } from './plugin-resolution.ts'
import type { ActionPlugin, NotifierPlugin, OptionsSchema, SourcePlugin } from './plugin.ts'
import type { PluginKind, PluginUse } from './settings/plugin-use.ts'
import { whoMayWrite } from './settings/writable.ts'

interface Plugins {
  readonly source: SourcePlugin
  readonly action: ActionPlugin
  readonly notifier: NotifierPlugin
}

/** A plugin with options that it accepts. */
export interface LoadedPlugin<Kind extends PluginKind = PluginKind> {
  readonly kind: Kind
  /** The name of its file without the ending. */
  readonly name: string
  readonly file: string
  readonly plugin: Plugins[Kind]
  /** As its schema made them; without a schema as they stand in the configuration. */
  readonly options: unknown
}

/** The functions that a plugin of each kind must have. */
const required: Readonly<Record<PluginKind, readonly string[]>> = {
  source: ['start'],
  action: ['ban', 'unban'],
  notifier: ['notify'],
}

/** Functions that it may have; when it has something else of this name, that is a mistake. */
const optional: Readonly<Record<PluginKind, readonly string[]>> = {
  source: ['stop'],
  action: ['start', 'stop', 'banMany', 'unbanMany', 'sync', 'syncEach'],
  notifier: ['start', 'stop'],
}

const lineAfterName = /^(?:\?[^:\s]*)?:(\d+)/
const loadDeadlineMs = 10_000

/** The plugins of one tree of compiled files. Make one an agent. */
export class Registry {
  readonly #root: string
  #resolves = false

  /** `root` has the folders `plugins` and `matchers`; unless said, it is that of this package. */
  constructor(root = builtTree) {
    this.#root = root
  }

  /** The names of the built-in plugins of a kind, sorted. */
  pluginNames(kind: PluginKind): string[] {
    return namesIn(join(this.#root, 'plugins', `${kind}s`), '.js')
  }

  /** What a built-in plugin says of its options; undefined where it says nothing. */
  async optionsOf(kind: PluginKind, name: string): Promise<OptionsSchema<unknown> | undefined> {
    const file = join(this.#root, 'plugins', `${kind}s`, `${name}.js`)
    return checkShape(kind, await importDefault(pathToFileURL(file), file, { file }), file, { file }).options
  }

  /**
   * Loads what a use names and checks its options. Throws a BailiffError at the place of the use, or
   * of the option: no such plugin, a file that does not load or is no plugin of this kind, options
   * that it does not accept.
   */
  async loadPlugin<Kind extends PluginKind>(kind: Kind, use: PluginUse): Promise<LoadedPlugin<Kind>> {
    const file = isAbsolute(use.plugin) ? use.plugin : this.#builtIn(kind, use)
    const url = pathToFileURL(file)
    if (isAbsolute(use.plugin)) {
      await checkFile(file, use.where)
      this.#resolveForPlugins()
      // A plugin that was mended is another module; without this Node would answer with the old one.
      url.search = `version=${statSync(file).mtimeMs}`
    }
    const exported = await importDefault(url, file, use.where)
    const plugin = checkShape(kind, exported, file, use.where)
    const name = file.replace(/^.*\//, '').replace(/\.[^.]*$/, '')
    // What checks them is large, and who only looks for matchers needs none of it.
    const { checkOptions } = await import('./plugin-options.ts')
    return { kind, name, file, plugin, options: await checkOptions(plugin.options, use, name) }
  }

  #builtIn(kind: PluginKind, use: PluginUse): string {
    const names = this.pluginNames(kind)
    if (names.includes(use.plugin)) return join(this.#root, 'plugins', `${kind}s`, `${use.plugin}.js`)
    const other = (Object.keys(required) as PluginKind[]).find((one) => this.pluginNames(one).includes(use.plugin))
    const meant = other === undefined ? suggest(use.plugin, names) : undefined
    const remedy = meant ? `did you mean ${meant}?` : `there are ${names.join(', ')}`
    throw new BailiffError(
      'config',
      `there is no ${kind} ${quote(use.plugin)}; ${other === undefined ? remedy : `it is ${article(other)}`}`,
      { where: use.where, hint: pathHint(kind, use.plugin) },
    )
  }

  /** Not before a file is loaded at all: where Node has no hooks in the thread, they take one of their own. */
  #resolveForPlugins(): void {
    if (this.#resolves) return
    this.#resolves = true
    const register = (nodeModule as { registerHooks?: (hooks: { resolve: typeof resolvePluginImport }) => void })
      .registerHooks
    if (register !== undefined) register({ resolve: resolvePluginImport })
    else nodeModule.register('./plugin-resolution.js', import.meta.url)
  }
}

async function checkFile(file: string, where: Where): Promise<void> {
  if (!/\.m?js$/.test(file))
    throw new BailiffError('config', `a plugin is a JavaScript file (.mjs or .js), not ${quote(file)}`, { where })
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new BailiffError('config', `there is no file ${quote(file)}`, { where })
  if ((await whoMayWrite(file)) === 'anybody')
    throw new BailiffError('config', `anybody may change the plugin ${quote(file)}, so it is not loaded`, {
      where,
      hint: `chmod go-w ${file} ${dirname(file)}`,
    })
}

async function importDefault(url: URL, file: string, where: Where): Promise<unknown> {
  try {
    const module: unknown = await withinDeadline(import(url.href))
    return (module as { default?: unknown }).default
  } catch (error) {
    const message = error instanceof Error ? error.message.replaceAll(url.search || '\0', '') : String(error)
    const line = lineInStack(error, file) ?? (error instanceof SyntaxError ? await lineOfSyntaxError(file) : undefined)
    throw new BailiffError('config', `the plugin does not load: ${message}`, {
      where: line === undefined ? { file } : { file, line },
      hint: `it is named in ${place(where)}`,
      cause: error,
    })
  }
}

/** A module may wait for something when it is loaded, but not for ever. */
async function withinDeadline<T>(loading: Promise<T>): Promise<T> {
  const ending = new AbortController()
  const late = setTimeout(loadDeadlineMs, undefined, { signal: ending.signal }).then(() => {
    throw new Error(`it is not ready after ${loadDeadlineMs / 1000} s`)
  })
  late.catch(() => {})
  return Promise.race([loading, late]).finally(() => ending.abort())
}

function checkShape<Kind extends PluginKind>(kind: Kind, exported: unknown, file: string, where: Where): Plugins[Kind] {
  const missing = flaw(kind, exported)
  if (missing === undefined) return exported as Plugins[Kind]
  const functions = required[kind].map((name) => `${name}()`).join(' and ')
  throw new BailiffError('config', `no ${kind}: ${missing}`, {
    where: { file },
    hint: `export default { ${functions} }; it is named as ${article(kind)} in ${place(where)}`,
  })
}

function flaw(kind: PluginKind, exported: unknown): string | undefined {
  if (exported === undefined) return 'it has no default export'
  if (typeof exported !== 'object' || exported === null)
    return `its default export must be an object, but is ${exported === null ? 'null' : `a ${typeof exported}`}`
  const of = (name: string) => (exported as Record<string, unknown>)[name]
  const missing = required[kind].find((name) => typeof of(name) !== 'function')
  if (missing !== undefined) {
    const like = (Object.keys(required) as PluginKind[]).find(
      (other) => other !== kind && required[other].every((name) => typeof of(name) === 'function'),
    )
    const found =
      like === undefined ? `it has ${Object.keys(exported).join(', ') || 'nothing'}` : `it looks like ${article(like)}`
    return `its default export has no function ${missing}(); ${found}`
  }
  const wrong = optional[kind].find((name) => of(name) !== undefined && typeof of(name) !== 'function')
  if (wrong !== undefined) return `${wrong} must be a function`
  const options = of('options')
  if (options === undefined || isOptionsSchema(options)) return undefined
  return 'options must be a JSON Schema or a validator of Standard Schema'
}

function pathHint(kind: PluginKind, given: string): string {
  const name = given.replace(/[^\w.-]/g, '')
  const own = `your own ${kind} is named by its path: ./${name.replace(/\.\w+$/, '')}.mjs`
  return kind === 'source' ? `a log is named by its absolute path: /var/log/${name}; ${own}` : own
}

function article(kind: PluginKind): string {
  return kind === 'action' ? 'an action' : `a ${kind}`
}

/** The line of the file that a stack names first: `file:///x.mjs?version=1:12:3`. */
function lineInStack(error: unknown, file: string): number | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const names = [pathToFileURL(file).href, file]
  const rest = names.flatMap((name) => stack.split(name).slice(1)).find((text) => lineAfterName.test(text))
  return rest === undefined ? undefined : Number(lineAfterName.exec(rest)?.[1])
}

/** Node keeps the line of a syntax error in a module to itself, but `node --check` prints it. */
async function lineOfSyntaxError(file: string): Promise<number | undefined> {
  const check = promisify(execFile)(process.execPath, ['--check', file], { timeout: 5000, env: {}, maxBuffer: 1 << 20 })
  const output: unknown = await check.then(
    () => '',
    (error: { stderr?: unknown }) => error.stderr,
  )
  const line = typeof output === 'string' ? /:(\d+)\r?\n/.exec(output.slice(0, 10_000))?.[1] : undefined
  return line === undefined ? undefined : Number(line)
}

function place({ file, line }: Where): string {
  return line === undefined ? file : `${file}:${line}`
}
