/** Where the lines of a jail of a Fail2ban tree come from, in the words of Bailiff's own sources. */
import { isAbsolute, posix } from 'node:path'
import { BailiffError, quote, type Where } from '../../errors.ts'
import { splitWords } from '../tree/option-syntax.ts'
import type { TreeJail } from '../tree/tree-jail.ts'

/** A source by its plugin and options. */
export type TreeSource =
  | { readonly plugin: 'file'; readonly options: { readonly path: readonly string[] } }
  | { readonly plugin: 'journal'; readonly options: JournalOptions }

/** Options of the source `journal`. */
export interface JournalOptions {
  readonly matches?: readonly string[]
  readonly directory?: string
  readonly file?: readonly string[]
  readonly namespace?: string
  readonly form: 'fail2ban'
}

/**
 * The sources of a jail: the journal with the backend `systemd`, else the files that its `logpath` means, those that
 * come later too. Throws a BailiffError for what cannot be read; `at` knows where an option stands.
 */
export function sourcesOf(jail: TreeJail, at: (option: string) => Where): readonly TreeSource[] {
  if (jail.filter === null) return []
  if (jail.backend.name === 'systemd') return [{ plugin: 'journal', options: journalOptions(jail, at) }]
  if (jail.logpaths.length === 0) throw wrong('names no file', at('logpath'))
  return [{ plugin: 'file', options: { path: jail.logpaths.map(({ glob }) => pattern(glob)) } }]
}

/** Of the logs that were there when the tree was read, those of which only what comes from now on counts. */
export function tailed({ name, commands }: TreeJail): readonly string[] {
  return commands.flatMap(([verb, jail, option, path, where]) =>
    verb === 'set' && jail === name && option === 'addlogpath' && where === 'tail' ? [String(path)] : [],
  )
}

/** What is said of a jail that reads logs and has none now; null: it has. Fail2ban would not start, or leave the jail out. */
export function withoutLogs(jail: TreeJail, at: (option: string) => Where): BailiffError | null {
  const { name, commands, logpaths, filter, skipIfNologs } = jail
  const exists = commands.some(([verb, of, option]) => verb === 'set' && of === name && option === 'addlogpath')
  if (filter === null || logpaths.length === 0 || exists) return null
  const named = logpaths.map(({ glob }) => glob).join(', ')
  const [message, hint] = skipIfNologs
    ? [`no log is there, so the jail is left out (skip_if_nologs): ${named}`, 'reload when there is one']
    : [
        `no log is there yet, and the jail waits for it: ${named}`,
        'if the path is wrong, set logpath or "backend = systemd"',
      ]
  return new BailiffError('config', message, { where: at('logpath'), hint })
}

/** What Python's glob takes for a pattern, as the source `file` writes it: `**` is any text there, and braces are themselves. */
export function pattern(glob: string): string {
  const path = posix.normalize(isAbsolute(glob) ? glob : posix.resolve(glob))
  return path
    .replace(/\\/g, '\\\\')
    .replace(/[{}()!+@](?=.)|[{}]$/g, escaped)
    .replace(/\*\*+/g, '*')
}

/** Braces and the like are patterns to us alone; `[!a]` is one to both. */
function escaped(character: string, at: number, path: string): string {
  if (character === '!' && path[at - 1] === '[') return character
  return /[{}]/.test(character) || /[*?[]/.test(path) ? `\\${character}` : character
}

function journalOptions(jail: TreeJail, at: (option: string) => Where): JournalOptions {
  const { journalpath, journalfiles, namespace } = jail.backend.options
  const words = jail.journalmatch.filter((line) => line.length > 0)
  const matches = words.flatMap((line, index) => (index === 0 ? line : ['+', ...line]))
  const odd = matches.find((word) => word !== '+' && !/^[A-Z_][A-Z0-9_]{0,63}=[^\0]{1,1000}$/.test(word))
  if (odd !== undefined)
    throw wrong(`${quote(odd)} is no condition: write FIELD=value, and + for "or"`, at('journalmatch'))
  // Patterns among them are journalctl's affair.
  const files = splitWords(journalfiles ?? '', true)
  return {
    ...(matches.length === 0 ? {} : { matches }),
    ...(journalpath === undefined ? {} : { directory: journalpath }),
    ...(files.length === 0 ? {} : { file: files }),
    ...(namespace === undefined ? {} : { namespace }),
    form: 'fail2ban',
  }
}

function wrong(message: string, where: Where): BailiffError {
  return new BailiffError('config', message, { where })
}
