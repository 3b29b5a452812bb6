/** Patterns of paths as Python's `glob.glob` reads them: `*`, `?`, `[a-z]`, `[!a]`; no `**`. */
import { existsSync, lstatSync, opendirSync, statSync } from 'node:fs'

/** Joins paths as Python does: nothing is made shorter, and one that begins with `/` stands alone. */
export function joinPath(folder: string, name: string): string {
  if (name.startsWith('/') || folder === '') return name
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}

/** The folder of a path as Python's `os.path.dirname` gives it; empty where the path has none. */
export function folderOf(path: string): string {
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  return /^\/*$/.test(folder) ? folder : folder.replace(/\/+$/, '')
}

/** Whether a path has anything of a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path)
}

/** Existing paths that a pattern fits, in the order the folders have them. A link to nothing counts. Never throws. */
export function pathsOf(pattern: string): string[] {
  const folder = folderOf(pattern)
  const name = pattern.slice(pattern.lastIndexOf('/') + 1)
  if (!isPattern(pattern)) {
    const isThere = name === '' ? isFolder(folder) : stands(pattern)
    return isThere ? [pattern] : []
  }
  const folders = isPattern(folder) && folder !== pattern ? pathsOf(folder).filter(isFolder) : [folder]
  return folders.flatMap((one) => namesIn(one, name).map((found) => joinPath(one, found)))
}

/** Whether something is there that is no link to nothing. */
export function exists(path: string): boolean {
  return existsSync(path)
}

function namesIn(folder: string, pattern: string): string[] {
  if (pattern === '') return isFolder(folder) ? [''] : []
  if (!isPattern(pattern)) return stands(joinPath(folder, pattern)) ? [pattern] : []
  const wanted = namePattern(pattern)
  const isHidden = (name: string) => name.startsWith('.')
  return entriesOf(folder || '.').filter((name) => (isHidden(pattern) || !isHidden(name)) && wanted.test(name))
}

function entriesOf(folder: string): string[] {
  const names: string[] = []
  try {
    const entries = opendirSync(folder)
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) names.push(entry.name)
    } finally {
      entries.closeSync()
    }
  } catch {
    // What cannot be listed has no entries, as for Python.
  }
  return names
}

/** Whether a path is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function stands(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

function namePattern(pattern: string): RegExp {
  const source = pattern.replace(/\*+|\?|\[(!?)(\]?[^\]]*)\]|[\\^$.|+(){}[\]/]/g, (part, not: string, set: string) => {
    if (part.startsWith('*')) return '.*'
    if (part === '?') return '.'
    return set === undefined ? `\\${part}` : characterClass(set, not === '!')
  })
  return new RegExp(`^${source}$`, 'su')
}

/** A set of characters; ranges that go backwards are empty, and what is behind them counts as if they were not there. */
function characterClass(set: string, isNot: boolean): string {
  const ranges = set.match(/[^](?:-[^])?/gu) ?? []
  const kept = ranges.filter((range) => {
    const [first = '', hyphen, last = ''] = [...range]
    return hyphen === undefined || (first.codePointAt(0) ?? 0) <= (last.codePointAt(0) ?? 0)
  })
  if (!isNot && kept[0]?.startsWith('!') === true) return characterClass(kept.join('').slice(1), true)
  const inside = kept.map((range) => [...range].map((one, at) => (at === 1 ? '-' : escaped(one))).join('')).join('')
  if (inside === '') return isNot ? '.' : '(?!)'
  return `[${isNot ? '^' : ''}${inside}]`
}

function escaped(character: string): string {
  return /[\\^$.|?*+(){}[\]/-]/.test(character) ? `\\${character}` : character
}
