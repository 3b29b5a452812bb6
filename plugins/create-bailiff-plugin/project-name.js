import { basename, resolve } from 'node:path'
import { quote, UsageError } from './usage-error.js'

const prefix = 'bailiff-plugin-'

/**
 * What a name on the command line means: `edge`, `bailiff-plugin-edge`, `@scope/edge`, or the path of a folder whose last
 * part is such a name. Throws a UsageError for what cannot be the name of a package.
 * @param {string} given
 * @returns {{ folder: string, packageName: string, pluginName: string }} `folder` is absolute
 */
export function parseName(given) {
  const [, scope, scoped] = /^@([a-z0-9~][a-z0-9._~-]*)\/([^/]+)\/?$/.exec(given) ?? []
  if (given.startsWith('@') && scope === undefined)
    throw new UsageError(`${quote(given)} is no name of a package`, { hint: 'with a scope it is @me/edge' })
  const folder = resolve(scoped ?? given)
  const last = scoped ?? basename(folder)
  const pluginName = last.startsWith(prefix) ? last.slice(prefix.length) : last
  if (given.trim() === '' || !/^(?=.{1,64}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(pluginName)) throw wrong(last)
  const packageName = scope === undefined ? `${prefix}${pluginName}` : `@${scope}/${prefix}${pluginName}`
  return { folder, packageName, pluginName }
}

function wrong(last) {
  const near = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[0-9-]+|-$/g, '')
    .slice(0, 64)
  return new UsageError(
    `${quote(last)} is no name of a plugin: up to 64 lower-case letters and digits, dashes between`,
    {
      hint: near === '' ? 'for example: edge' : `for example: ${near}`,
    },
  )
}
