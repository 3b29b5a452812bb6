/** Loads the module of a plugin into this process, and tells whether it is one. */
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { BailiffError } from '../errors.ts'
import { isOptionsSchema } from '../options-schema.ts'
import type { ActionPlugin, NotifierPlugin, SourcePlugin } from '../plugin.ts'
import type { PluginKind } from '../settings/plugin-use.ts'

export interface Plugins {
  readonly source: SourcePlugin
  readonly action: ActionPlugin
  readonly notifier: NotifierPlugin
}

/** The functions that a plugin of each kind must have. */
export const requiredFunctions: Readonly<Record<PluginKind, readonly string[]>> = {
  source: ['start'],
  action: ['ban', 'unban'],
  notifier: ['notify'],
}

/** Functions that it may have; when it has something else of this name, that is a mistake. */
export const optionalFunctions: Readonly<Record<PluginKind, readonly string[]>> = {
  source: ['stop'],
  action: ['start', 'stop', 'banMany', 'unbanMany', 'sync', 'syncEach'],
  notifier: ['start', 'stop'],
}

/** What is said first of a module that throws when it is imported, or is no JavaScript. */
export const unloadable = 'the plugin does not load'

const lineAfterName = /^(?:\?[^:\s]*)?:(\d+)/
const loadDeadlineMs = 10_000

/** What a module exports by default. Throws a BailiffError that names the line of the file where that is known. */
export async function importDefault(url: URL, file: string): Promise<unknown> {
  try {
    const module: unknown = await withinDeadline(import(url.href))
    return (module as { default?: unknown }).default
  } catch (error) {
    const message =
      denialText(error) ?? (error instanceof Error ? error.message.replaceAll(url.search || '\0', '') : String(error))
    const line = lineInStack(error, file)
    throw new BailiffError('config', `${unloadable}: ${message}`, {
      where: line === undefined ? { file } : { file, line },
      cause: error,
    })
  }
}

/** What a module exports, as a plugin of that kind. Throws a BailiffError that says what was found and what is expected. */
export function checkShape<Kind extends PluginKind>(kind: Kind, exported: unknown, file: string): Plugins[Kind] {
  const missing = flaw(kind, exported)
  if (missing === undefined) return exported as Plugins[Kind]
  const functions = requiredFunctions[kind].map((name) => `${name}()`).join(' and ')
  throw new BailiffError('config', `no ${kind}: ${missing}`, {
    where: { file },
    hint: `export default { ${functions} }`,
  })
}

/** The line of the file that a stack names first: `file:///x.mjs?version=1:12:3`. */
export function lineInStack(error: unknown, file: string): number | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const names = [pathToFileURL(file).href, file]
  const rest = names.flatMap((name) => stack.split(name).slice(1)).find((text) => lineAfterName.test(text))
  return rest === undefined ? undefined : Number(lineAfterName.exec(rest)?.[1])
}

/** What Node's permission model refused, in the words of what the fence refuses; null: it was something else. */
export function denialText(error: unknown): string | null {
  const { permission, resource } = (error ?? {}) as { permission?: unknown; resource?: unknown }
  if (typeof permission !== 'string') return null
  const words: Readonly<Record<string, string>> = {
    FileSystemRead: `it may not read ${String(resource)}`,
    FileSystemWrite: `it may not write ${String(resource)}`,
    ChildProcess: 'it may not run programs',
  }
  return Object.hasOwn(words, permission)
    ? `${words[permission]}: the manifest of the plugin does not name it`
    : `no plugin may do that (${permission} ${String(resource ?? '')})`
}

/** The kind with its article. */
export function article(kind: PluginKind): string {
  return kind === 'action' ? 'an action' : `a ${kind}`
}

function flaw(kind: PluginKind, exported: unknown): string | undefined {
  if (exported === undefined) return 'it has no default export'
  if (typeof exported !== 'object' || exported === null)
    return `its default export must be an object, but is ${exported === null ? 'null' : `a ${typeof exported}`}`
  const of = (name: string) => (exported as Record<string, unknown>)[name]
  const missing = requiredFunctions[kind].find((name) => typeof of(name) !== 'function')
  if (missing !== undefined) {
    const like = (Object.keys(requiredFunctions) as PluginKind[]).find(
      (other) => other !== kind && requiredFunctions[other].every((name) => typeof of(name) === 'function'),
    )
    const found =
      like === undefined ? `it has ${Object.keys(exported).join(', ') || 'nothing'}` : `it looks like ${article(like)}`
    return `its default export has no function ${missing}(); ${found}`
  }
  const wrong = optionalFunctions[kind].find((name) => of(name) !== undefined && typeof of(name) !== 'function')
  if (wrong !== undefined) return `${wrong} must be a function`
  const options = of('options')
  if (options === undefined || isOptionsSchema(options)) return undefined
  return 'options must be a JSON Schema or a validator of Standard Schema'
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
