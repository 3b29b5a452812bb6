/** Tells without reading YAML what a configuration cannot say: a command that needs none of it is not to wait for it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defaultPlaces, type Places } from './places.ts'

/** The files of a configuration as they stand. */
export interface ConfigTexts {
  /** Where its `bailiff.yaml` is; where there is none, the first place for one. */
  readonly folder: string
  /** Of `bailiff.yaml` and `conf.d/*.yaml`; null: something of them cannot be read. */
  readonly texts: readonly string[] | null
}

/** The configuration that is read unless one is named: the first that is there. */
export function configTexts({ configFolders }: Places = defaultPlaces()): ConfigTexts {
  const folders = configFolders.map((folder) => resolve(folder))
  for (const folder of folders) {
    const texts = textsIn(folder)
    if (texts === null || texts.length > 0) return { folder, texts }
  }
  return { folder: folders[0] ?? '/', texts: [] }
}

/**
 * Whether something in these files may be called so. False is certain: the word stands nowhere, and is not written in
 * another way that YAML has, which takes a backslash, or for other words a quote or a line break.
 */
export function mayName(word: string, { texts }: ConfigTexts): boolean {
  if (texts === null || !/^[\w.-]+$/.test(word)) return true
  return texts.some((text) => text.includes(word) || text.includes('\\'))
}

/** None where there is no `bailiff.yaml`; null where something is there and not to be read. */
function textsIn(folder: string): string[] | null {
  const main = readIfThere(() => readFileSync(join(folder, 'bailiff.yaml'), 'utf8'))
  if (main === null || main === undefined) return main === undefined ? [] : null
  const names = readIfThere(() => readdirSync(join(folder, 'conf.d')))
  if (names === null) return null
  const more = (names ?? []).map(
    (name) => readIfThere(() => readFileSync(join(folder, 'conf.d', name), 'utf8')) ?? null,
  )
  const read = more.filter((text) => text !== null)
  return read.length === more.length ? [main, ...read] : null
}

/** Undefined where there is no such file or folder; null where it cannot be read. */
function readIfThere<T>(read: () => T): T | undefined | null {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : null
  }
}
