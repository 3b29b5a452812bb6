import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quote, UsageError } from './usage-error.js'

const own = new URL('./', import.meta.url)

/** The version of this package, which is that of Bailiff. */
export const ownVersion = readJson(new URL('package.json', own))?.version ?? '0.0.0'

/**
 * Where a project has Bailiff from: `spec` stands in `devDependencies`, and `checkout` is a folder that is packed into the
 * project first (null: none). Without a word of whom it may be, that is the checkout that this package is a part of, else this
 * version from the registry. A checkout is packed and not linked, for npm would build it anew at each installation.
 * Throws a UsageError for what is none.
 * @param {string | undefined} given @param {string} folder that of the project
 */
export function bailiffSpec(given, folder) {
  const path = given === undefined ? checkoutAround() : resolve(given)
  if (path === null) return { spec: `^${ownVersion}`, checkout: null }
  if (given !== undefined && /^[\^~]?\d+(?:\.\d+){0,2}$|^latest$/.test(given)) return { spec: given, checkout: null }
  if (path.endsWith('.tgz') && existsSync(path))
    return { spec: `file:${relative(folder, path).replaceAll('\\', '/')}`, checkout: null }
  const version = bailiffVersion(path)
  if (version === null)
    throw new UsageError(
      `--bailiff ${quote(given ?? '')}: there is neither a tarball nor a checkout of Bailiff, and it is no version`,
      {
        hint: `"npm pack" in a checkout of Bailiff writes a tarball: --bailiff ./bailiff-${ownVersion}.tgz`,
        exitCode: 66,
      },
    )
  if (!existsSync(join(path, 'dist/core/plugin.js')))
    throw new UsageError(`the checkout of Bailiff in ${quote(path)} is not built`, {
      hint: 'run "npm ci" in it',
      exitCode: 66,
    })
  return { spec: `file:bailiff-${version}.tgz`, checkout: path }
}

/** Packs a checkout into the folder of a project, by npm, as it is: nothing is built. Throws where npm fails. */
export function packBailiff(checkout, folder) {
  const { status, stderr, error } = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', checkout], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm cannot pack ${checkout}: ${(error?.message ?? stderr).trim().slice(-500)}`)
}

function checkoutAround() {
  const folder = dirname(dirname(fileURLToPath(own)))
  return bailiffVersion(folder) !== null && existsSync(join(folder, 'core')) ? folder : null
}

/** The version of the Bailiff in a folder; null: there is none. */
function bailiffVersion(folder) {
  const described = readJson(join(folder, 'package.json'))
  return described?.name === 'bailiff' ? described.version : null
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}
