import type { Command } from 'commander'
import { BailiffError } from '../errors.ts'

/** `bailiff test`: a filter on stored logs. */
export default function addTest(program: Command): void {
  program
    .command('test')
    .description('find what a filter matches in logs; nobody is banned')
    .argument('<filter>', 'the name of a filter, the path of a filter file (.yaml), or the name of a jail')
    .argument('<log...>', 'log files, or - for standard input')
    .option('-c, --config <file>', 'the configuration, for its jails and filters')
    .option('--mode <mode>', 'a mode of the filter')
    .option('--json', 'a JSON record for every matching line: file, line, host, time, date, rule, user')
    .option('--summary', 'only lines, matches, bytes and CPU seconds')
    .addHelpText(
      'after',
      `
Times are unix seconds; date is the form that was found in the line; a rule is the index of the failregex in its
filter, from 0.

Examples:
  bailiff test sshd /var/log/auth.log
  bailiff test sshd --mode aggressive /var/log/auth.log --json | jq -r .host | sort | uniq -c
  bailiff test ./my-filter.yaml - < some.log
  zcat /var/log/auth.log.2.gz | bailiff test sshd -
  bailiff test sshd /var/log/auth.log --summary`,
    )
    .action(async (filter: string, logs: string[], options: TestOptions) => {
      if (options.json && options.summary) {
        throw new BailiffError('usage', '--json and --summary exclude each other', { hint: 'use one of them' })
      }
      const { testFilter } = await import('./test-filter.ts')
      await testFilter(filter, logs, options)
    })
}

/** The options as commander gives them. */
export interface TestOptions {
  readonly config?: string
  readonly mode?: string
  readonly json?: true
  readonly summary?: true
}
