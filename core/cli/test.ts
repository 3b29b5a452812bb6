import { Option, type Command } from 'commander'
import { BailiffError } from '../errors.ts'

/** `bailiff test`: a filter on stored logs. */
export default function addTest(program: Command): void {
  program
    .command('test')
    .description('find what a filter matches in logs; nobody is banned')
    .argument('<filter>', 'a filter or a jail by name, a filter file, or a failregex')
    .argument('<log...>', 'log files, - for standard input, lines, or systemd-journal')
    .option('-c, --config <file>', 'the configuration, for its jails and filters')
    .option('--mode <mode>', 'a mode of the filter')
    .option('--json', 'a JSON record a line: file, line, host, time, rule, user; more with --fail2ban')
    .option('--summary', 'only lines, matches, bytes and CPU seconds')
    .optionsGroup('In the language of Fail2ban:')
    .option('--fail2ban <folder>', 'jails and filters of this folder (/etc/fail2ban), tried as fail2ban-regex does')
    .option('-d, --datepattern <pattern>', 'dates are written so')
    .addOption(new Option('--timezone <zone>', 'the zone of dates without one'))
    .addOption(new Option('--TZ <zone>').hideHelp())
    .option('-e, --encoding <name>', 'how the log is encoded; auto is UTF-8')
    .option('-r, --raw', 'names are not looked up')
    .option('--usedns <how>', 'what becomes of names: yes, warn, no or raw')
    .option('-L, --maxlines <number>', 'lines that are looked at together')
    .option('-m, --journalmatch <words>', 'which entries of the journal are read')
    .option('--ignoreregex <pattern...>', 'lines that are no failures, beside those of the filter')
    .option('--now <time>', 'the time at which lines are read, in unix seconds')
    .option('--no-date', 'lines come without a date, as those of the journal: their time is now')
    .option('--all', 'try every failregex, not only up to the first that matches')
    .option('--no-check-all', 'stop at the first failregex also in the report, which tries all')
    .option('-o, --out <format>', 'print this of each failure: id, ip, msg, row, a group, or text with <tags>')
    .option('-v, --verbose', 'each failure under its failregex')
    .option('--print-all-matched', 'list all lines that matched')
    .option('--print-all-missed', 'list all lines that did not, however many')
    .option('--print-all-ignored', 'list all lines that are known and no failures')
    .option('--print-no-missed', 'do not list missed lines')
    .option('--print-no-ignored', 'do not list ignored lines')
    .addHelpText(
      'after',
      `
Times are unix seconds; date is the form that was found in the line; a rule is the index of the failregex in its
filter, from 0. With --fail2ban a JSON record is printed for every line that is not empty and no comment: file, line,
matched, nofail, ignored, pending, host, ip, time, rule, user, users, groups, attempts.

Examples:
  bailiff test sshd /var/log/auth.log
  bailiff test sshd --mode aggressive /var/log/auth.log --json | jq -r .host | sort | uniq -c
  bailiff test ./my-filter.yaml - < some.log
  zcat /var/log/auth.log.2.gz | bailiff test sshd -
  bailiff test sshd /var/log/auth.log --summary
  bailiff test --fail2ban /etc/fail2ban 'sshd[mode=aggressive]' /var/log/auth.log
  bailiff test --fail2ban /etc/fail2ban sshd systemd-journal --print-all-missed
  bailiff test --fail2ban /etc/fail2ban 'bad login from <HOST>$' '2026-11-22 13:41:02 bad login from 192.0.2.7'`,
    )
    .action(async (filter: string, logs: string[], given: TestOptions & { readonly TZ?: string }) => {
      const options: TestOptions = given.TZ === undefined ? given : { ...given, timezone: given.TZ }
      refuseContradictions(options)
      if (options.fail2ban === undefined) {
        const { testFilter } = await import('./test-filter.ts')
        await testFilter(filter, logs, options)
      } else {
        const { testTree } = await import('./test-tree.ts')
        await testTree(options.fail2ban, filter, logs, options)
      }
    })
}

/** The options as commander gives them. */
export interface TestOptions {
  readonly config?: string
  readonly mode?: string
  readonly json?: true
  readonly summary?: true
  readonly fail2ban?: string
  readonly datepattern?: string
  readonly timezone?: string
  readonly encoding?: string
  readonly raw?: true
  readonly usedns?: string
  readonly maxlines?: string
  readonly journalmatch?: string
  readonly ignoreregex?: readonly string[]
  readonly now?: string
  /** False with `--no-date`. */
  readonly date: boolean
  readonly all?: true
  /** False with `--no-check-all`. */
  readonly checkAll: boolean
  readonly out?: string
  readonly verbose?: true
  readonly printAllMatched?: true
  readonly printAllMissed?: true
  readonly printAllIgnored?: true
  readonly printNoMissed?: true
  readonly printNoIgnored?: true
}

function refuseContradictions(options: TestOptions): void {
  const { json, summary, out, printAllMissed, printNoMissed, printAllIgnored, printNoIgnored } = options
  const pairs = [
    ['--json', '--summary', json && summary],
    ['--json', '--out', json && out !== undefined],
    ['--summary', '--out', summary && out !== undefined],
    ['--print-all-missed', '--print-no-missed', printAllMissed && printNoMissed],
    ['--print-all-ignored', '--print-no-ignored', printAllIgnored && printNoIgnored],
  ] as const
  const [first] = options.fail2ban === undefined ? ofFail2ban.filter((name) => options[name] !== usual[name]) : []
  if (first !== undefined) {
    const name = first === 'date' || first === 'checkAll' ? `no-${dashed(first)}` : dashed(first)
    throw new BailiffError('usage', `--${name} is for filters of Fail2ban`, {
      hint: 'name their folder: --fail2ban /etc/fail2ban',
    })
  }
  const pair = pairs.find(([, , both]) => both)
  if (pair === undefined) return
  throw new BailiffError('usage', `${pair[0]} and ${pair[1]} exclude each other`, { hint: 'use one of them' })
}

/** Options that a filter of our own has in its file, or nowhere. */
const ofFail2ban = [
  'datepattern',
  'timezone',
  'encoding',
  'raw',
  'usedns',
  'maxlines',
  'journalmatch',
  'ignoreregex',
  'now',
  'date',
  'all',
  'checkAll',
  'out',
  'verbose',
  'printAllMatched',
  'printAllMissed',
  'printAllIgnored',
  'printNoMissed',
  'printNoIgnored',
] as const

/** What options are that are not given: `--no-x` makes one that is true. */
const usual: Partial<Record<(typeof ofFail2ban)[number], unknown>> = { date: true, checkAll: true }

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
