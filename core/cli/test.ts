import { Option, type Command } from 'commander'
import { BailiffError } from '../errors.ts'
import { meaningless, refuseContradictions, type TestOptions } from './test-options.ts'

/** `bailiff test`: a filter on stored logs. */
export default function addTest(program: Command): void {
  const command = program
    .command('test')
    .description('find what a filter matches in logs; nobody is banned')
    .argument('<filter>', 'a filter or a jail by name, a filter file, a matcher (.wasm), or a failregex')
    .argument('<log...>', 'log files, - for standard input, lines, or systemd-journal')
    .option('-c, --config <file>', 'the configuration, for its jails and filters')
    .option('--fail2ban <folder>', 'jails and filters of this folder (/etc/fail2ban), tried as fail2ban-regex does')
    .option('--mode <mode>', 'a mode of the filter')
    .option('-d, --datepattern <pattern>', 'dates are written so')
    .addOption(new Option('--timezone <zone>', 'the zone of dates without one'))
    .addOption(new Option('--TZ <zone>').hideHelp())
    .option('-m, --journalmatch <words>', 'which entries of the journal are read')
    .option('--ignoreregex <pattern...>', 'lines that are no failures, beside those of the filter')
    .option('--now <time>', 'the time at which lines are read, in unix seconds')
    .option('--no-date', 'lines come without a date, as those of the journal: their time is now')
    .option('--all', 'try every failregex, not only up to the first that matches')
    .option('--no-check-all', 'stop at the first failregex also in the report, which tries all')
    .optionsGroup('What is printed:')
    .option('--json', 'a JSON record a line: file, line, matched, nofail, host, time, rule, user, groups, attempts …')
    .option('--summary', 'only lines, matches, bytes and CPU seconds')
    .option('--yes-no', 'the summary, and only whether lines match, also those that are no failures by themselves')
    .option('--threads <number>', 'the summary of files is counted by so many threads')
    .option('-o, --out <format>', 'print this of each failure: id, ip, msg, row, a group, or text with <tags>')
    .option('-i, --invert', 'print the lines that tell of no failure, as they are')
    .option('-v, --verbose', 'each failure under its failregex, and what was never found')
    .addOption(new Option('--verbosity <level>').hideHelp())
    .option('--print-all-matched', 'list all lines that matched')
    .option('--print-all-missed', 'list all lines that did not, however many')
    .option('--print-all-ignored', 'list all lines that are known and no failures')
    .option('--print-no-missed', 'do not list missed lines')
    .option('--print-no-ignored', 'do not list ignored lines')
    .optionsGroup('In the language of Fail2ban:')
    .option('-e, --encoding <name>', 'how the log is encoded; auto is UTF-8')
    .option('-r, --raw', 'names are not looked up')
    .option('--usedns <how>', 'what becomes of names: yes, warn, no or raw')
    .option('-L, --maxlines <number>', 'lines that are looked at together')
    .option('--verbose-date', 'weight and expression of each form of date')
    .addOption(new Option('--VD').hideHelp())
    .addHelpText(
      'after',
      `
Without --json, --summary or -o a report as that of fail2ban-regex. Times are unix seconds; a rule is the index of the
failregex in its filter, from 0. A JSON record is printed for every line (with --fail2ban: that is not empty and no
comment): file, line, matched, nofail, ignored, pending, host, ip, time, rule, user, users, groups, attempts; of a
filter of our own also date, the form that was found in the line. systemd-journal may have parameters in brackets:
journalfiles, journalpath, namespace.

Examples:
  bailiff test sshd /var/log/auth.log
  bailiff test sshd --mode aggressive /var/log/auth.log --json | jq -r 'select(.matched) | .host' | sort | uniq -c
  bailiff test sshd systemd-journal --print-all-missed
  bailiff test ./my-filter.yaml - < some.log
  bailiff test ./odd.wasm odd.log
  bailiff test 'bad login from <ADDR>$' '2026-11-22T13:41:02Z bad login from 192.0.2.7'
  zcat /var/log/auth.log.2.gz | bailiff test sshd -
  bailiff test sshd /var/log/auth.log --summary
  bailiff test sshd /var/log/auth.log --summary --threads 4
  bailiff test --fail2ban /etc/fail2ban 'sshd[mode=aggressive]' /var/log/auth.log
  bailiff test --fail2ban /etc/fail2ban sshd systemd-journal -o '<ip> <F-USER>'`,
    )
  for (const flag of Object.keys(meaningless)) command.addOption(new Option(flag).hideHelp())
  command.action(async (filter: string, logs: string[], given: GivenOptions) => {
    const options = asOptions(given)
    refuseContradictions(options)
    const { runTest } = await import('./test-run.ts')
    await runTest(filter, logs, options)
  })
}

/** As commander gives them: some have a second name, others mean nothing here. */
interface GivenOptions extends TestOptions {
  readonly TZ?: string
  readonly VD?: true
  readonly verbosity?: string
}

function asOptions(given: GivenOptions): TestOptions {
  const names = new Set(Object.keys(given))
  for (const [flag, why] of Object.entries(meaningless)) {
    const [name = ''] = /--[a-z-]+/.exec(flag) ?? []
    if (names.has(name.slice(2).replace(/-[a-z]/g, ([, letter = '']) => letter.toUpperCase())))
      throw new BailiffError('usage', `${name} means nothing here: ${why}`, { hint: 'leave it out' })
  }
  const { TZ, VD, verbosity, ...options } = given
  return {
    ...options,
    ...(TZ === undefined ? {} : { timezone: TZ }),
    ...(VD === undefined ? {} : { verboseDate: VD }),
    ...(Number(verbosity ?? 0) > 0 ? { verbose: true as const } : {}),
  }
}
