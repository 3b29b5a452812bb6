import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { fields } from './export-reader.ts'

const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((given) => (Array.isArray(given) || given === undefined ? given : [given]), z.array(item).min(1))

const path = z.string().refine(isAbsolute, 'expected an absolute path')
const unit = z.string().regex(/^[\w:.@\\-]{1,255}$/, 'expected the name of a unit, such as ssh.service')
const match = z
  .string()
  .regex(
    /^(?:\+|[A-Z_][A-Z0-9_]{0,63}=[^\0]{1,1000})$/,
    'expected FIELD=value, or + between groups of which one is to hold',
  )
const priorities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const

export const options = z
  .strictObject({
    units: list(unit)
      .optional()
      .describe(
        'Units whose entries are read, by the name the system itself gives each process: ssh.service; all instances: ssh@.service.',
      ),
    identifiers: list(z.string().min(1).max(255))
      .optional()
      .describe('What senders call themselves (sshd). Any local user may call himself so: better name units.'),
    matches: list(match)
      .optional()
      .describe(
        'Further conditions, FIELD=value: of the same field one has to hold, of different ones each; + begins another group.',
      ),
    priority: z.enum(priorities).optional().describe('Only entries that are at least so severe.'),
    namespace: z
      .string()
      .regex(/^(?:\*|\+?[\w.-]{1,128})$/, 'expected the name of a journal namespace')
      .optional()
      .describe('The journal namespace to read instead of the default one; +NAME: both, *: all.'),
    directory: path.optional().describe('A folder with journal files, instead of those of this machine.'),
    file: list(path).optional().describe('Journal files, instead of those of this machine.'),
    form: z
      .enum(['syslog', 'fail2ban'])
      .optional()
      .describe('How an entry is written as a line: as rsyslog does (unless said), or as filters of Fail2ban see it.'),
    since: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe(
        'Where the very first start begins, as journalctl reads it: -2h, today. Unless said: where failures still count.',
      ),
  })
  .refine(({ directory, file }) => directory === undefined || file === undefined, 'name either a directory or a file')

export type JournalOptions = z.output<typeof options>

/** Where to begin: at the entry with this cursor, which comes first then, or at a time as journalctl reads it. */
export type Beginning = { readonly cursor: string } | { readonly since: string }

/** The arguments with which journalctl follows what the options say, in the export format. */
export function journalctlWords(given: JournalOptions, beginning: Beginning): string[] {
  return [
    ...output(given),
    '--follow',
    '--no-tail',
    'cursor' in beginning ? `--cursor=${beginning.cursor}` : `--since=${beginning.since}`,
    ...entryConditions(given),
  ]
}

/** The arguments with which journalctl prints the last entries of what the options say, the last first. */
export function lastEntriesWords(given: JournalOptions, entries: number): string[] {
  return [...output(given), '--reverse', '--quiet', `--lines=${entries}`, ...entryConditions(given)]
}

/** What is read, for people, in a few words. */
export function inWords({ units = [], identifiers = [], namespace, directory, file = [] }: JournalOptions): string {
  const what = [...units, ...identifiers].join(',')
  const where = [...file, directory, namespace].filter((each) => each !== undefined).join(',')
  return [where, what].filter(Boolean).join(' ').slice(0, 200)
}

/** Which journals are read, and that they are printed in the export format. */
function output(given: JournalOptions): string[] {
  const { priority, namespace, directory, file = [] } = given
  return [
    '--output=export',
    `--output-fields=${fields.join(',')}`,
    '--no-pager',
    ...(priority === undefined ? [] : [`--priority=${priority}`]),
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
    ...(directory === undefined ? [] : [`--directory=${directory}`]),
    ...file.map((each) => `--file=${each}`),
  ]
}

/**
 * Which entries, as journalctl takes it; none: all. Matches of one field are alternatives and those of different fields
 * all hold, so that what is to be one of several groups is written once with each of the others.
 */
export function entryConditions({ units = [], identifiers = [], matches = [] }: JournalOptions): string[] {
  const named = identifiers.map((each) => `SYSLOG_IDENTIFIER=${each}`)
  const groups = unitGroups(units).flatMap((ofUnit) =>
    groupsOf(matches).map((further) => [...ofUnit, ...named, ...further]),
  )
  return groups.flatMap((group, index) => (index === 0 ? group : ['+', ...group]))
}

/** Units by name, and those of a template by the slice that systemd puts its instances into. */
function unitGroups(units: readonly string[]): string[][] {
  const names = units.map((unit) => (/\.[a-z]+$/.test(unit) ? unit : `${unit}.service`))
  const templates = names.filter((name) => name.endsWith('@.service'))
  const single = names.filter((name) => !templates.includes(name)).map((name) => `_SYSTEMD_UNIT=${name}`)
  const slices = templates.map(
    (name) => `_SYSTEMD_SLICE=system-${name.replace(/@\.service$/, '').replaceAll('-', '\\x2d')}.slice`,
  )
  const groups = [single, slices].filter((group) => group.length > 0)
  return groups.length > 0 ? groups : [[]]
}

function groupsOf(matches: readonly string[]): string[][] {
  const groups: string[][] = [[]]
  for (const each of matches) {
    if (each === '+') groups.push([])
    else groups.at(-1)?.push(each)
  }
  const filled = groups.filter((group) => group.length > 0)
  return filled.length > 0 ? filled : [[]]
}
