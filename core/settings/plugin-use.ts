import { dirname, isAbsolute, resolve } from 'node:path'
import type { Where } from '../errors.ts'
import type { NamedPlugin } from './option-kinds.ts'
import type { Sourced } from './sourced.ts'

export type PluginKind = 'source' | 'action' | 'notifier'

/** One use of a plugin, as the configuration names it. Plain data. */
export interface PluginUse {
  readonly kind: PluginKind
  /** The name of a built-in plugin, or the absolute path of a file. */
  readonly plugin: string
  /** As they stand in the configuration; `{}` where none are given. */
  readonly options: unknown
  readonly where: Where
  /** Places of single options, by their path: `url`, `headers.accept`. */
  readonly optionsAt: Readonly<Record<string, Where>>
}

/**
 * The use of a plugin that stands at `item`. A path is relative to the file that names it; a source
 * that is a path and no JavaScript is the source `file` with this path.
 */
export function pluginUse(kind: PluginKind, named: NamedPlugin, item: Sourced): PluginUse {
  const where = item.where()
  const optionsBase = [...item.path, named.plugin]
  const optionsAt = Object.fromEntries(
    item.places().flatMap(({ path, at }) => {
      const rest = path.slice(optionsBase.length)
      return rest.length === 0 ? [] : [[rest.join('.'), { ...item.where(...path.slice(item.path.length)), ...at }]]
    }),
  )
  const asLog = kind === 'source' && isPath(named.plugin) && !isModule(named.plugin)
  const path = resolve(dirname(where.file), named.plugin)
  if (asLog) return { kind, plugin: 'file', options: { ...Object(named.options), path }, where, optionsAt }
  return { kind, plugin: isPath(named.plugin) ? path : named.plugin, options: named.options, where, optionsAt }
}

/** The uses in a list that stands at `list`; a value that is no list is a list of one. */
export function pluginUses(kind: PluginKind, named: readonly NamedPlugin[], list: Sourced): PluginUse[] {
  return named.map((one, index) => pluginUse(kind, one, Array.isArray(list.value) ? list.at(index) : list))
}

/** Whether a use makes the agent run code or programs that the configuration chooses. */
export function namesProgram(use: PluginUse): boolean {
  return isAbsolute(use.plugin) || use.plugin === 'command'
}

function isPath(plugin: string): boolean {
  return plugin.startsWith('/') || plugin.startsWith('./') || plugin.startsWith('../')
}

function isModule(plugin: string): boolean {
  return /\.(?:[cm]?js|[cm]?ts)$/.test(plugin)
}
