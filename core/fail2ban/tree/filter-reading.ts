import { BailiffError, quote, suggest } from '../../errors.ts'
import { optionText, type OptionValue } from './configuration.ts'
import { Definition } from './definition.ts'
import { filterKinds } from './kinds.ts'
import { OptionSyntaxError, splitOptions, type NamedOptions } from './option-syntax.ts'
import { joinPath } from './path-pattern.ts'
import { strip } from './python-text.ts'
import { shellWords } from './shell-words.ts'
import { TreeFiles } from './tree-files.ts'
import type { TreeFilterTexts } from './tree-jail.ts'
import { versionOfTree, versionRules } from './version-rules.ts'

/** A filter without a jail: what its files say, with the options that it is given. */
export interface LoneFilter {
  readonly texts: TreeFilterTexts
  readonly journalmatch: readonly (readonly string[])[]
}

/**
 * Reads `NAME[option=value, …]` of the folder `filter.d` of a tree, or a file by its path. `logtype` is what the filter
 * is told of its log, unless it is given another. Null: there is no such filter. Throws a BailiffError for one that is
 * broken.
 */
export function readTreeFilter(folder: string, given: string, logtype: 'file' | 'journal'): LoneFilter | null {
  const { name, options } = namedOptions(given)
  const files = new TreeFiles(folder)
  const found = files.named(joinPath('filter.d', name.replace(/^filter\.d\//, '').replace(/\.(?:conf|local)$/, '')))
  if (!found.isFound) {
    if (found.notes[0] !== undefined) throw found.notes[0]
    return null
  }
  if (found.faults[0] !== undefined) throw found.faults[0].error
  const rules = versionRules(versionOfTree(folder))
  const definition = new Definition(found.configuration, filterKinds, new Map(options), rules)
  if (!definition.parameters.get('logtype') && !definition.defines('logtype'))
    definition.parameters.set('logtype', logtype)
  definition.read(new Map())
  return loneFilter(name, definition.combined([], []), logtype === 'journal')
}

/** What somebody may have meant who named a filter that is not there. */
export function similarFilter(folder: string, given: string): string | undefined {
  return suggest(given.replace(/\[.*/s, ''), new TreeFiles(folder).namesIn('filter.d'))
}

function loneFilter(name: string, options: ReadonlyMap<string, OptionValue>, journal: boolean): LoneFilter {
  const text = (option: string) => optionText(options.get(option) ?? null) ?? ''
  const lines = (option: string) =>
    text(option)
      .split('\n')
      .filter((line) => line !== '')
  const usedns = text('usedns').toLowerCase()
  const texts: TreeFilterTexts = {
    name,
    prefregex: text('prefregex') || null,
    failregex: lines('failregex'),
    ignoreregex: lines('ignoreregex'),
    maxlines: Math.max(1, Number(text('maxlines') || '1')),
    datepattern:
      options.get('datepattern') === undefined || options.get('datepattern') === null
        ? null
        : lines('datepattern').map(strip).filter(Boolean),
    timezone: null,
    usedns: usedns === '' ? 'warn' : usedns === 'yes' || usedns === 'warn' || usedns === 'raw' ? usedns : 'no',
    encoding: 'auto',
    journal,
  }
  return { texts, journalmatch: lines('journalmatch').map((line) => shellWords(line)) }
}

function namedOptions(given: string): NamedOptions {
  try {
    return splitOptions(given)
  } catch (error) {
    if (!(error instanceof OptionSyntaxError)) throw error
    const hint = 'write name[option=value, other="value, with a comma"]'
    throw new BailiffError('usage', `${quote(given)} is no filter: ${error.message}`, { hint, cause: error })
  }
}
