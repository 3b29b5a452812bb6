/** The shipped filters, read, compiled and run over text by the same code as in the agent. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeError, type BailiffError } from '../../core/errors.ts'
import type { LogChunk, Match } from '../../core/events.ts'
import { compileSettings } from '../../core/compiled-settings.ts'
import { filterLanguage } from '../../core/matching/filter-language.ts'
import { createLogScanner } from '../../core/matching/scan.ts'
import { readFilterFile, type FilterDefinition } from '../../core/settings/filter-file.ts'
import { inMode } from '../../core/settings/filter-modes.ts'
import regexp from '../../matchers/regexp/index.ts'
import structured from '../../matchers/structured/index.ts'

const folder = fileURLToPath(new URL('../../../config/filters/', import.meta.url))

/** The names of the filters that ship with the package. */
export function shippedFilters(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
}

/** Reads a shipped filter; throws with everything that is wrong with it. */
export async function shippedFilter(name: string): Promise<FilterDefinition> {
  const problems: BailiffError[] = []
  const filter = await readFilterFile(`${folder}${name}.yaml`, name, problems)
  if (filter === undefined) throw new Error(problems.map(describeError).join('\n'))
  return filter
}

/** What a filter in one of its modes finds in the text: one match a line at most, in order. */
export function scannerOf(filter: FilterDefinition, mode: string): (text: string) => readonly Match[] {
  const compiled = compileSettings(inMode(filter, mode, filter.where), filterLanguage)
  const scanner = createLogScanner({ jails: [{ jail: filter.name, filter: compiled }], engines: [structured, regexp] })
  return (text) => scanner.scan(chunkOf(filter.name, text)).matches
}

function chunkOf(jail: string, text: string): LogChunk {
  const data = Buffer.from(text.endsWith('\n') ? text : `${text}\n`)
  const now = Date.now()
  return { log: 'sample', jails: [jail], data, arrivedAt: now, live: true, undatedAt: now, insideLine: false }
}
