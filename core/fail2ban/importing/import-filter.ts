/** Turns the filter of a jail of a Fail2ban tree into one of ours, or finds ours of the same service. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TreeJail } from '../tree/tree-jail.ts'
import type { ImportedFilter, Lost, NativeMap, OwnFilter } from './imported.ts'

/** Filters that come with Fail2ban and that we have of the same service and name. */
const stock = new Set(
  [
    'apache-auth apache-badbots apache-botsearch apache-modsecurity apache-nohome apache-noscript apache-overflows',
    'apache-shellshock asterisk courier-auth courier-smtp cyrus-imap dovecot dropbear drupal-auth ejabberd-auth exim',
    'exim-spam freeswitch gitlab grafana haproxy-http-auth lighttpd-auth mongodb-auth monit mysqld-auth nagios',
    'named-refused nginx-bad-request nginx-botsearch nginx-forbidden nginx-http-auth nginx-limit-req pam-generic',
    'php-url-fopen phpmyadmin-syslog portsentry postfix proftpd pure-ftpd recidive roundcube-auth sendmail-auth',
    'sendmail-reject squid sshd traefik-auth vsftpd',
  ].flatMap((names) => names.split(' ')),
)

/** What a jail says of its filter. */
export type ChosenFilter =
  | { readonly kind: 'ours'; readonly name: string; readonly mode: string; readonly lost: readonly Lost[] }
  | { readonly kind: 'written'; readonly filter: ImportedFilter; readonly lost: readonly Lost[] }
  | { readonly kind: 'none'; readonly lost: readonly Lost[] }

/** `ours`: our filters by name. */
export function chooseFilter(folder: string, jail: TreeJail, ours: ReadonlyMap<string, OwnFilter>): ChosenFilter {
  const { filter, name } = jail
  const lost = (what: string, why: string): Lost => ({ jail: name, what, why })
  if (filter === null) return { kind: 'none', lost: [lost('jail', 'it has no filter, so it would ban nobody')] }
  const known = ours.get(filter.name)
  const mode = filter.options.mode ?? jail.options.mode ?? 'normal'
  if (known !== undefined && isAsItCame(folder, jail)) {
    if (known.modes.includes(mode)) return { kind: 'ours', name: filter.name, mode, lost: [] }
    if (known.modes.length === 1) {
      const why = `our filter ${filter.name} has one mode, which is taken`
      return {
        kind: 'ours',
        name: filter.name,
        mode: 'normal',
        lost: mode === 'normal' ? [] : [lost(`mode ${mode}`, why)],
      }
    }
  }
  if (filter.texts.maxlines > 1)
    return {
      kind: 'none',
      lost: [lost('jail', 'its filter looks at several lines at once (maxlines), which filters of ours do not')],
    }
  return { kind: 'written', filter: written(jail, known !== undefined), lost: [...encodingOf(jail), ...blanksOf(jail)] }
}

/** Neither a file of the user nor the jail changes what the filter finds, and it is one of Fail2ban's. */
function isAsItCame(folder: string, { filter, options }: TreeJail): boolean {
  if (filter === null || !stock.has(filter.name)) return false
  if (existsSync(join(folder, 'filter.d', `${filter.name}.local`))) return false
  if (Object.entries(filter.options).some(([name, value]) => isPassed(name, value, filter.options))) return false
  return !['failregex', 'ignoreregex', 'prefregex', 'datepattern', 'maxlines'].some((option) =>
    Boolean(options[option]),
  )
}

/** Whether the jail passes an option to its filter: `known/NAME` is what the filter's own file says of it. */
function isPassed(name: string, value: string, options: Readonly<Record<string, string>>): boolean {
  return !['mode', 'logtype'].includes(name) && !name.startsWith('known/') && options[`known/${name}`] !== value
}

/** `isTaken`: a filter of ours has the name. */
function written({ name, filter }: TreeJail, isTaken: boolean): ImportedFilter {
  const texts = filter?.texts
  const map: NativeMap = { description: `${filter?.name ?? name}, as Fail2ban had it` }
  if (texts?.datepattern) map.datepattern = [...texts.datepattern]
  if (texts?.prefregex) map.prefregex = withoutBlank(texts.prefregex)
  map.failregex = (texts?.failregex ?? []).map(withoutBlank)
  if (texts !== undefined && texts.ignoreregex.length > 0) map.ignoreregex = texts.ignoreregex.map(withoutBlank)
  const plain = fileName(filter?.name ?? name)
  return { name: isTaken ? `${fileName(name)}-as-before` : plain, map }
}

/** The blank between date and message is cut off with the date here, so a pattern must not ask for it. */
function withoutBlank(regex: string): string {
  return regex.replace(/^\^(?: |\\s)(?:[+*?](?![+*?])|(?![+*?{]))/, '^\\s*')
}

/** Patterns that may ask for a blank behind the date otherwise than by beginning with one. */
function blanksOf({ name, filter }: TreeJail): Lost[] {
  const { prefregex = null, failregex = [] } = filter?.texts ?? {}
  const first = prefregex === null ? failregex : [prefregex]
  if (!first.some((regex) => /^\^\((?:\?:)?(?: |\\s(?![*?]))/.test(regex))) return []
  const why = 'it may ask for a blank behind the date, and these are cut off with it: try it with "bailiff test"'
  return [{ jail: name, what: 'failregex', why }]
}

function encodingOf({ name, filter }: TreeJail): Lost[] {
  const encoding = filter?.texts.encoding.toLowerCase().replaceAll('_', '-') ?? 'auto'
  if (['auto', 'utf-8', 'utf8', 'ascii', 'us-ascii'].includes(encoding)) return []
  return [
    {
      jail: name,
      what: `logencoding = ${encoding}`,
      why: 'lines are read as UTF-8, and bytes that are none are replaced',
    },
  ]
}

function fileName(name: string): string {
  return name.replace(/[^\w.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'filter'
}
