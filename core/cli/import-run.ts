import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { BailiffError, describeError, printable } from '../errors.ts'
import { importTree, type ImportedTree } from '../fail2ban/importing/import-tree.ts'
import type { Lost, OwnFilter } from '../fail2ban/importing/imported.ts'
import { readTree, type Fail2banTree } from '../fail2ban/tree/tree.ts'
import { prepareJails } from '../jails.ts'
import { filterLanguage } from '../matching/filter-language.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import { InvalidSettings, loadSettings } from '../settings/load-settings.ts'
import { builtInFilters } from '../settings/places.ts'
import { parsePorts } from '../settings/port-names.ts'
import { filterText, importText, newFilters } from './import-text.ts'
import type { ImportOptions } from './import.ts'
import { counted, print, styled } from './output.ts'
import { isTaken, writeNew } from './setup-write.ts'

/** What an import makes of a Fail2ban configuration. Throws a BailiffError where there is none. */
export async function makeImport(
  folder: string,
): Promise<{ readonly imported: ImportedTree; readonly lost: readonly Lost[] }> {
  const tree = await readTree(folder)
  return sound(importTree(tree, { folder, ours: await ownFilters(), ports: wrongPorts }), unreadJails(tree))
}

/** Prints or writes a native configuration. Throws a BailiffError where there is no tree or nothing can be written. */
export async function runImport(given: string, { out, json }: ImportOptions): Promise<void> {
  const folder = resolve(given)
  const file = out === undefined ? null : resolve(out)
  if (file !== null) refuseTaken(file)
  const { imported, lost } = await makeImport(folder)
  const yaml = importText(folder, imported, lost, file === null)
  const filters = newFilters(imported)
  if (file !== null) {
    const files = filters.map((filter) => [join(dirname(file), 'filters', `${filter.name}.yaml`), filter] as const)
    for (const [path] of files) refuseTaken(path)
    for (const [path, filter] of files) writeNew(path, filterText(folder, filter), null)
    writeNew(file, yaml, null)
  }
  const jails = imported.jails.map(({ name }) => name)
  if (json) {
    const names = filters.map(({ name }) => name)
    print(JSON.stringify({ file, jails, filters: names, lost, ...(file === null ? { yaml } : {}) }, clean, 2))
    return
  }
  if (file === null) process.stdout.write(yaml)
  tellLost(lost)
  if (file === null) return
  print(`${printable(file)}: ${counted(jails.length, 'jail')}, ${counted(filters.length, 'new filter')}`)
  print(`next: bailiff check --config ${printable(file)}, then bailiff run --config ${printable(file)} --observe`)
}

/**
 * Checks what was made as `bailiff check` does, and takes out what does not pass. A jail that fails is lost with
 * the reason; its filter may have patterns that ours cannot say.
 */
async function sound(
  imported: ImportedTree,
  before: readonly Lost[],
): Promise<{ readonly imported: ImportedTree; readonly lost: readonly Lost[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-import-'))
  try {
    const lost = [...before, ...imported.lost]
    let left = imported
    // Each round takes out a jail at least.
    for (let round = 0; round <= imported.jails.length; round++) {
      const broken = await brokenJails(join(folder, 'bailiff.yaml'), importText('', left, [], true))
      if (broken.size === 0) break
      for (const [jail, why] of broken) lost.push({ jail, what: 'jail', why })
      left = { ...left, jails: left.jails.filter(({ name }) => !broken.has(name)) }
    }
    const gone = new Set(lost.filter(({ what }) => what === 'jail').map(({ jail }) => jail))
    // Of a jail that is gone, nothing else matters.
    return { imported: left, lost: lost.filter(({ jail, what }) => what === 'jail' || !gone.has(jail)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The jails that do not pass, and why. */
async function brokenJails(file: string, yaml: string): Promise<Map<string, string>> {
  writeFileSync(file, yaml, { mode: 0o600 })
  const broken = new Map<string, string>()
  for (const problem of await problemsOf(file)) {
    const [, jail] =
      /^jails\.(.+?)(?:\.(?:filter|sources?|ports|protocol|maxretry|findtime|bantime|ignoreip|timezone)\b.*)?$/.exec(
        problem.where?.option ?? '',
      ) ?? []
    if (jail === undefined) throw problem
    const { message, hint } = problem
    broken.set(
      jail,
      describeError(new BailiffError('config', message, hint === undefined ? {} : { hint })).replace('\n ', ';'),
    )
  }
  return broken
}

async function problemsOf(file: string): Promise<readonly BailiffError[]> {
  try {
    return (await prepareJails(await loadSettings({ file }), filterLanguage)).problems
  } catch (error) {
    if (error instanceof InvalidSettings) return error.problems
    throw error
  }
}

async function ownFilters(): Promise<Map<string, OwnFilter>> {
  const library = new FilterLibrary([builtInFilters])
  const ours = new Map<string, OwnFilter>()
  for (const name of (await library.names()).keys()) {
    const filter = await library.byName(name, { file: builtInFilters }, [])
    if (filter === undefined) continue
    const usual = Object.keys(filter.usual).length > 0
    ours.set(name, { modes: Object.keys(filter.modes), countsBans: filter.counts === 'bans', usual })
  }
  return ours
}

function wrongPorts(words: readonly string[]): string | null {
  try {
    parsePorts(words)
    return null
  } catch (error) {
    return error instanceof BailiffError ? error.message : String(error)
  }
}

/** What the reader itself could not read. */
function unreadJails({ problems }: Fail2banTree): Lost[] {
  return problems.map((problem) => {
    const [, jail = null] = /^\[([^\]]+)\]/.exec(problem.where?.option ?? '') ?? []
    return { jail, what: jail === null ? 'a file' : 'jail', why: describeError(problem).replace('\n ', ';') }
  })
}

function refuseTaken(file: string): void {
  if (!isTaken(file)) return
  throw new BailiffError('cannot-create', 'is there already and is not changed', {
    where: { file },
    hint: 'write it elsewhere with --out FILE, or see it without --out',
  })
}

function tellLost(lost: readonly Lost[]): void {
  for (const { jail, what, why } of lost)
    process.stderr.write(
      `${styled('yellow', 'not taken over')}  ${printable(`${jail === null ? '' : `[${jail}] `}${what}: ${why}`)}\n`,
    )
}

function clean(_key: string, value: unknown): unknown {
  return typeof value === 'string' && !value.includes('\n') ? printable(value) : value
}
