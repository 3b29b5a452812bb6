/** The YAML of an import. */
import { Document, type YAMLMap } from 'yaml'
import { printable } from '../errors.ts'
import type { ImportedFilter, ImportedJail, Lost } from '../fail2ban/importing/imported.ts'
import type { ImportedTree } from '../fail2ban/importing/import-tree.ts'

const otherMeanings = [
  'What is different from Fail2ban here, whatever the options:',
  '- Failures count in a window of findtime that slides; Fail2ban estimates a rate.',
  '- Host names in lines are not looked up, and nobody is banned for them.',
  '- An IPv6 network (/64) is banned when several of its addresses fail; as before: ipv6prefix: 128',
  '- Bans are those of our own firewall table, whatever banaction said.',
  '- Dates are cut out of lines with their zone and the blanks behind them: try filters that were taken over pattern by',
  '  pattern on lines that must match, with "bailiff test JAIL LOG".',
]

/** `bailiff.yaml`; `inline`: filters are written into their jails, else they are files of `filters/`. */
export function importText(folder: string, imported: ImportedTree, lost: readonly Lost[], inline: boolean): string {
  const { top, defaults, jails, ownLog } = imported
  const document = new Document({
    ...top,
    ...(Object.keys(defaults).length === 0 ? {} : { defaults }),
    jails: Object.fromEntries(jails.map((jail) => [jail.name, jailValue(jail, inline)])),
  })
  const log = ownLog === null ? [] : ['', `For programs that read Fail2ban's log: fail2ban_log: ${ownLog}`]
  const whole = lost.filter(({ jail }) => !jails.some(({ name }) => name === jail))
  const told = whole.map(
    ({ jail, what, why }) => `Not taken over: ${jail === null ? '' : `jail ${jail}: `}${what}: ${why}`,
  )
  const head = [`Made of ${folder} by "bailiff import".`, '', ...otherMeanings, ...log]
  document.commentBefore = comment([...head, ...(told.length === 0 ? [] : ['', ...told])])
  const map = document.get('jails') as YAMLMap | undefined
  for (const pair of map?.items ?? []) {
    const key = pair.key as { value: string; commentBefore?: string; spaceBefore?: boolean }
    const own = lost.filter(({ jail }) => jail === key.value)
    key.spaceBefore = true
    if (own.length > 0) key.commentBefore = comment(own.map(({ what, why }) => `Not taken over: ${what}: ${why}`))
  }
  return document.toString({ lineWidth: 0, singleQuote: true })
}

/** The file of a filter. */
export function filterText(folder: string, { map }: ImportedFilter): string {
  const document = new Document(map)
  document.commentBefore = comment([
    `Made of ${folder} by "bailiff import". Add samples, lines that must and must not match: "bailiff check" tries them.`,
  ])
  return document.toString({ lineWidth: 0, singleQuote: true })
}

/** The filters of all jails, each once. */
export function newFilters({ jails }: ImportedTree): ImportedFilter[] {
  return [...new Map(jails.flatMap(({ filter }) => (filter === null ? [] : [[filter.name, filter]]))).values()]
}

function jailValue({ name, map, filter }: ImportedJail, inline: boolean) {
  if (filter === null) return Object.keys(map).length === 0 ? 'on' : map
  if (inline) return { filter: filter.map, ...map }
  return filter.name === name ? map : { filter: filter.name, ...map }
}

function comment(lines: readonly string[]): string {
  return lines.map((line) => (line === '' ? '' : ` ${printable(line)}`)).join('\n')
}
