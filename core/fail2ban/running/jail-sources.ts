/** Where the lines of a jail of a Fail2ban tree come from, in the words of Bailiff's own sources. */
import { isAbsolute, posix } from 'node:path'
import { BailiffError, quote, type Where } from '../../errors.ts'
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

/** What Fail2ban calls the logs of a jail that has none. */
export class NoLogs extends BailiffError {}

/**
 * The sources of a jail: the journal with the backend `systemd`, else the files that its `logpath` means, those that
 * come later too. Throws a BailiffError for what cannot be read, `NoLogs` where there is no log at all now;
 * `at` knows where an option stands.
 */
export function sourcesOf(jail: TreeJail, at: (option: string) => Where): readonly TreeSource[] {
  if (jail.filter === null) return []
  if (jail.backend.name === 'systemd') return [{ plugin: 'journal', options: journalOptions(jail, at) }]
  if (jail.logpaths.length === 0) throw wrong('names no file', at('logpath'))
  if (existing(jail).length === 0) throw new NoLogs('config', 'no log is there', noLogs(jail, at))
  return [{ plugin: 'file', options: { path: jail.logpaths.map(({ glob }) => pattern(glob)) } }]
}

/** Of the logs that were there when the tree was read, those of which only what comes from now on counts. */
export function tailed({ name, commands }: TreeJail): readonly string[] {
  return commands.flatMap(([verb, jail, option, path, where]) =>
    verb === 'set' && jail === name && option === 'addlogpath' && where === 'tail' ? [String(path)] : [],
  )
}

/** The logs of a jail that were there when its tree was read. */
export function existing({ name, commands }: TreeJail): readonly string[] {
  return commands.flatMap(([verb, jail, option, path]) =>
    verb === 'set' && jail === name && option === 'addlogpath' && typeof path === 'string' ? [path] : [],
  )
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
  const files = journalfiles?.split(/\s+/).filter(Boolean) ?? []
  return {
    ...(matches.length === 0 ? {} : { matches }),
    ...(journalpath === undefined ? {} : { directory: journalpath }),
    ...(files.length === 0 ? {} : { file: files }),
    ...(namespace === undefined ? {} : { namespace }),
    form: 'fail2ban',
  }
}

function noLogs(jail: TreeJail, at: (option: string) => Where) {
  const named = jail.logpaths.map(({ glob }) => glob).join(', ')
  return {
    where: at('logpath'),
    hint: `nothing is at ${named}; make it and reload, set logpath or "backend = systemd", or write enabled = false`,
  }
}

function wrong(message: string, where: Where): BailiffError {
  return new BailiffError('config', message, { where })
}
