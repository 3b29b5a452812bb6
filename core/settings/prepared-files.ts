/**
 * The filters of the package as they are when read, checked and compiled, written down when the package is built: to
 * load what does that takes longer than all else that most commands do. What was prepared counts only while the text of
 * the filter is the one it was made of, and no code that made it is younger.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { FilterDefinition } from './filter-file.ts'
import { builtInFilters, packageRoot } from './places.ts'

const built = join(packageRoot, 'dist')
const folder = join(built, 'config/filters')
/** Where the code is that makes it. */
const makers = ['core', 'core/settings', 'core/matching'].map((part) => join(built, part))
/** When the youngest of them was written, in ms. */
const madeAt = Math.max(
  ...makers.flatMap((part) =>
    readdirSync(part)
      .filter((name) => name.endsWith('.js'))
      .map((name) => statSync(join(part, name)).mtimeMs),
  ),
)

/** What was prepared of the filter in this file; null where there is nothing that counts. */
export function preparedFilter(file: string): FilterDefinition | null {
  const prepared = read(file, '')
  return prepared === null ? null : (withFile(prepared, nowhere, file) as FilterDefinition)
}

/** What was compiled of the filter in this file for one of its modes; null where there is nothing that counts. */
export function preparedMode(file: string, mode: string): unknown {
  return read(file, mode)
}

/** Writes down what a filter of the package is, and what was compiled of it for each of its modes. */
export function writePrepared(
  file: string,
  definition: FilterDefinition,
  modes: Readonly<Record<string, unknown>>,
): void {
  mkdirSync(folder, { recursive: true })
  const text = readFileSync(file, 'utf8')
  const all = Object.entries({ ...modes, '': withFile(definition, file, nowhere) })
  for (const [mode, value] of all) {
    // In one step, for somebody may be reading.
    const place = placeOf(file, mode)
    writeFileSync(`${place}.new`, serialize({ text, value }))
    renameSync(`${place}.new`, place)
  }
}

/** In the place of the file, which may be elsewhere when it is read. */
const nowhere = ''

function read(file: string, mode: string): unknown {
  if (dirname(file) !== builtInFilters) return null
  try {
    const place = placeOf(file, mode)
    if (statSync(place).mtimeMs < madeAt) return null
    const { text, value } = deserialize(readFileSync(place)) as { readonly text: string; readonly value: unknown }
    return readFileSync(file, 'utf8') === text ? value : null
  } catch {
    return null
  }
}

function placeOf(file: string, mode: string): string {
  return join(folder, `${basename(file, '.yaml')}${mode === '' ? '' : `.${mode}`}.v8`)
}

/** What changes when something changes that makes filters: the version, or a build of it. */
export function makersMark(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return `${version} ${madeAt}`
}

/** The same value, with another file in all places that name this one. */
function withFile(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((part) => withFile(part, from, to))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, key === 'file' && part === from ? to : withFile(part, from, to)]),
  )
}
