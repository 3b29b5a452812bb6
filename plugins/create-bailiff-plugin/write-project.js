import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ownVersion } from './bailiff-spec.js'
import { foldersOf } from './templates.js'
import { quote, UsageError } from './usage-error.js'

/**
 * Writes a project into a folder, which is made unless it is there and empty. Answers the paths of its files, relative to
 * it. Throws a UsageError (73) where there is something already; then nothing is written.
 */
export function writeProject({ folder, packageName, pluginName, kind, language, bailiff }) {
  checkEmpty(folder)
  const renamed = renaming(packageName, pluginName)
  const files = foldersOf(kind, language).flatMap((from) =>
    filesIn(from).map((path) => {
      const text = renamed(readFileSync(join(from, path), 'utf8'))
      // npm leaves files that are called .gitignore out of packages.
      return { path: renamed(path).replace(/(^|\/)gitignore$/, '$1.gitignore'), text }
    }),
  )
  checkNames(files, pluginName)
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), path === 'package.json' ? withBailiff(text, bailiff) : text, { flag: 'wx' })
  }
  return files.map(({ path }) => path).toSorted()
}

/** Puts the names of a project in the place of those of a template. */
function renaming(packageName, pluginName) {
  const scope = packageName.startsWith('@') ? packageName.slice(0, packageName.indexOf('/') + 1) : ''
  const names = {
    nameless: pluginName,
    'bailiff-plugin-nameless': packageName,
    // As npm calls the tarball.
    'bailiff-plugin-nameless-0.1.0.tgz': `${packageName.replace('@', '').replace('/', '-')}-0.1.0.tgz`,
    // As the configuration names it: in YAML a scope has quotes.
    '@scope/nameless': `${scope}${pluginName}`,
    "'@scope/nameless'": scope === '' ? pluginName : `'${scope}${pluginName}'`,
  }
  const words = /'@scope\/nameless'|@scope\/nameless|bailiff-plugin-nameless(?:-0\.1\.0\.tgz)?|nameless/g
  return (text) => text.replaceAll(words, (word) => names[word])
}

function checkNames(files, pluginName) {
  const twice = files.find(({ path }, index) => files.findIndex((file) => file.path === path) !== index)
  if (twice !== undefined)
    throw new UsageError(
      `the plugin cannot be called ${quote(pluginName)}: a project has a file ${quote(twice.path)} of its own`,
    )
}

function withBailiff(text, spec) {
  const described = JSON.parse(text)
  described.peerDependencies = { bailiff: `>=${ownVersion}` }
  described.devDependencies = { ...described.devDependencies, bailiff: spec }
  return `${JSON.stringify(described, null, 2)}\n`
}

function checkEmpty(folder) {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return
  const isEmpty = found.isDirectory() && readdirSync(folder).length === 0
  if (isEmpty) return
  throw new UsageError(
    `${quote(folder)} ${found.isDirectory() ? 'is not empty' : 'is no folder'}: nothing is written`,
    {
      hint: 'name another one, or take away what is there',
      exitCode: 73,
    },
  )
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !/(?:^|\/)(?:node_modules|dist)\//.test(path))
}
