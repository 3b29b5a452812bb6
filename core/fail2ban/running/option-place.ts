import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Where } from '../../errors.ts'

/**
 * Where an option of a section of `jail.conf` and its like stands, as Fail2ban would read it last; where no file of
 * them says it, the folder. To be asked only when something is wrong: it reads the files again.
 */
export function placeOf(folder: string, section: string, option: string): Where {
  const named = `[${section}] ${option}`
  for (const file of jailFiles(folder).toReversed()) {
    const line = lineOf(textOf(file), section, option) ?? lineOf(textOf(file), 'DEFAULT', option)
    if (line !== null) return { file, line, option: named }
  }
  return { file: folder, option: named }
}

/** Where an option of the filter of a jail stands: in the jail, else in the file of the filter. */
export function filterPlace(folder: string, jail: string, filter: string, option: string): Where {
  const files = ['local', 'conf'].map((ending) => join(folder, 'filter.d', `${filter}.${ending}`))
  const named = `[Definition] ${option}`
  for (const file of jailFiles(folder).toReversed()) {
    const line = lineOf(textOf(file), jail, option)
    if (line !== null) return { file, line, option: `[${jail}] ${option}` }
  }
  for (const file of files) {
    const line = lineOf(textOf(file), 'Definition', option)
    if (line !== null) return { file, line, option: named }
  }
  return { file: files.find((file) => textOf(file) !== '') ?? folder, option: named }
}

/** In the order in which later ones override earlier ones. */
function jailFiles(folder: string): string[] {
  const below = (ending: string) =>
    namesIn(join(folder, 'jail.d'))
      .filter((name) => name.endsWith(ending))
      .toSorted()
      .map((name) => join(folder, 'jail.d', name))
  return [join(folder, 'jail.conf'), ...below('.conf'), join(folder, 'jail.local'), ...below('.local')]
}

function lineOf(text: string, section: string, option: string): number | null {
  let inside = false
  let found: number | null = null
  for (const [index, line] of text.split('\n').entries()) {
    const [, name] = /^\[([^\]]+)\]/.exec(line) ?? []
    if (name !== undefined) inside = name === section
    const [, key] = /^([^\s=:#;][^=:]*?)\s*[=:]/.exec(line) ?? []
    if (inside && key?.toLowerCase() === option) found = index + 1
  }
  return found
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
