/**
 * The templates: `templates/LANGUAGE/KIND/` is a whole project of a plugin called `nameless`, `templates/all/` is what
 * every project has. A further folder is a further template; nothing else has to be told of it.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from './usage-error.js'

const root = fileURLToPath(new URL('./templates/', import.meta.url))

/** What each kind is called, and what it does. */
export const kindTexts = {
  action: ['an action', 'keeps addresses away, at a load balancer or a cloud'],
  notifier: ['a notifier', 'tells people of bans and alarms'],
  source: ['a source', 'brings lines to look at, from a queue or a service'],
  matcher: ['a matcher', 'finds failures in a log that patterns cannot tell'],
  content: ['content', 'filters for services, without code'],
}

/** What each language is called. */
export const languageTexts = {
  js: 'in JavaScript',
  ts: 'in TypeScript',
  assemblyscript: 'in AssemblyScript (WebAssembly)',
  yaml: 'in YAML',
}

/** The languages that there are templates in, the usual one first. */
export function languages() {
  return inOrder(foldersIn(root), Object.keys(languageTexts)).filter((name) => name !== 'all')
}

/** The kinds that there are templates of. */
export function kinds() {
  return inOrder(
    [...new Set(languages().flatMap((language) => foldersIn(join(root, language))))],
    Object.keys(kindTexts),
  )
}

/** @param {string} kind */
export function languagesOf(kind) {
  return languages().filter((language) => foldersIn(join(root, language)).includes(kind))
}

/** What a kind is called, with its article. */
export const kindName = (kind) => kindTexts[kind]?.[0] ?? kind

/** The folders of a template, in the order in which they are written. */
export function foldersOf(kind, language) {
  return [join(root, 'all'), join(root, language, kind)]
}

/**
 * The language that a kind is written in: the one that is wanted, or the only one that there is; null: somebody has to say.
 * Throws a UsageError where the kind is not written in it.
 */
export function chooseTemplate(kind, wanted) {
  const there = languagesOf(kind)
  // Content is no code, whatever else somebody writes in.
  if (there.length === 1 && (wanted === undefined || there[0] === 'yaml')) return there[0]
  if (wanted === undefined) return null
  if (there.includes(wanted)) return wanted
  throw new UsageError(`there is no template of ${kindName(kind)} ${languageTexts[wanted] ?? wanted}`, {
    hint: `there is: --kind ${kind} --language ${there.join('|')}`,
  })
}

/** The word that was meant, where that is plain: the only one that begins so. @param {string[]} allowed */
export function nearest(given, allowed) {
  const near = allowed.filter((one) => given !== '' && one.startsWith(given))
  return near.length === 1 ? near[0] : undefined
}

function foldersIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

function inOrder(names, order) {
  const at = (name) => (order.includes(name) ? order.indexOf(name) : order.length)
  return names.toSorted((a, b) => at(a) - at(b) || (a < b ? -1 : 1))
}
