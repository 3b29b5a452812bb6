/** Which options Fail2ban's reader reads where, in the order of its commands (`jail.conf(5)`). */
import { kindsOf, type OptionKinds } from './option-kinds.ts'

/** Of a filter's `[Definition]`. A jail may override each. */
export const filterKinds: OptionKinds = kindsOf(
  ['usedns', 'string'],
  ['prefregex', 'string'],
  ['ignoreregex', 'string'],
  ['failregex', 'string'],
  ['maxlines', 'int'],
  ['datepattern', 'string'],
  ['journalmatch', 'string'],
)

/** Of an action's `[Definition]`. */
export const actionKinds: OptionKinds = kindsOf(
  ['actionstart', 'string'],
  ['actionstart_on_demand', 'bool'],
  ['actionstop', 'string'],
  ['actionflush', 'string'],
  ['actionreload', 'string'],
  ['actioncheck', 'string'],
  ['actionrepair', 'string'],
  ['actionrepair_on_unban', 'bool'],
  ['actionban', 'string'],
  ['actionprolong', 'string'],
  ['actionreban', 'string'],
  ['actionunban', 'string'],
  ['norestored', 'bool'],
)

/** Of a jail, before its filter is read. */
export const firstJailKinds: OptionKinds = kindsOf(
  ['enabled', 'bool', false],
  ['backend', 'string', 'auto'],
  ['filter', 'string', ''],
)

/** Of a jail, once what its filter says is known. */
export const jailKinds: OptionKinds = new Map([
  ...kindsOf(
    ['enabled', 'bool', false],
    ['backend', 'string', 'auto'],
    ['maxretry', 'int'],
    ['maxmatches', 'int'],
    ['findtime', 'string'],
    ['bantime', 'string'],
    ['bantime.increment', 'bool'],
    ['bantime.factor', 'string'],
    ['bantime.formula', 'string'],
    ['bantime.multipliers', 'string'],
    ['bantime.maxtime', 'string'],
    ['bantime.rndtime', 'string'],
    ['bantime.overalljails', 'bool'],
    ['ignorecommand', 'string'],
    ['ignoreself', 'bool'],
    ['ignoreip', 'string'],
    ['ignorecache', 'string'],
    ['filter', 'string', ''],
    ['logtimezone', 'string'],
    ['logencoding', 'string'],
    ['logpath', 'string'],
    ['action', 'string', ''],
  ),
  ...filterKinds,
])

/** What versions since 1.1.1 ask of a jail without logs; they send no command for it. */
export const noLogKinds: OptionKinds = kindsOf(['skip_if_nologs', 'bool', false], ['systemd_if_nologs', 'bool', true])

/** Of `fail2ban.conf`, in the order of the commands. Some are for the client alone. */
export const serverKinds: OptionKinds = kindsOf(
  ['syslogsocket', 'string', 'auto'],
  ['loglevel', 'string', 'INFO'],
  ['logtarget', 'string', '/var/log/fail2ban.log'],
  ['allowipv6', 'string', 'auto'],
  ['dbfile', 'string', '/var/lib/fail2ban/fail2ban.sqlite3'],
  ['dbmaxmatches', 'int'],
  ['dbpurgeage', 'string', '1d'],
  ['socket', 'string', '/var/run/fail2ban/fail2ban.sock'],
  ['pidfile', 'string', '/var/run/fail2ban/fail2ban.pid'],
)
