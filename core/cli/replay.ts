import type { Command } from 'commander'
import { BailiffError } from '../errors.ts'

/** `bailiff replay`: what the configuration would have done with stored logs. */
export default function addReplay(program: Command): void {
  program
    .command('replay')
    .description('say whom the configuration would have banned by stored logs, and when; nobody is banned')
    .argument('<log...>', 'log files, rotated and compressed (gzip, xz, zstd, bzip2) ones too, or - for standard input')
    .option('-c, --config <file>', 'the configuration (default: /etc/bailiff/bailiff.yaml)')
    .option('--fail2ban <folder>', 'the jails of this Fail2ban configuration, with its dates, sessions and counting')
    .option('--jail <name>', 'only this jail, which then reads all of the logs')
    .option('--against <file>', 'another configuration: only what it would do otherwise')
    .option('--lines', 'with each ban the lines that led to it')
    .option('--json', 'one JSON object a line: bans, unbans, and a summary at the end')
    .addHelpText(
      'after',
      `
Time is that of the logs: bans begin and end with their lines, and last longer for those who come again.
Logs are read by the jails that follow them; a log that no jail follows is read by all of them. Rotated
files belong to the log whose name they had. With --fail2ban an ignorecommand is not run. Dates without a year are read by the last change of their file.
Ctrl-C prints what was found so far.

Examples:
  bailiff replay /var/log/auth.log
  bailiff replay /var/log/auth.log* --lines
  bailiff replay --fail2ban /etc/fail2ban /var/log/auth.log*
  bailiff replay --jail sshd ./copy-of-auth.log.gz --json | jq -r 'select(.type == "ban") | .prefix'
  bailiff replay /var/log/auth.log* --against ./stricter.yaml`,
    )
    .action(async (logs: string[], options: ReplayOptions) => {
      if (options.against !== undefined && logs.includes('-'))
        throw new BailiffError('usage', '--against reads the logs twice, and standard input cannot be', {
          hint: 'save it to a file first',
        })
      const { replayLogs } = await import('./replay-logs.ts')
      await replayLogs(logs, options)
    })
}

/** The options as commander gives them. */
export interface ReplayOptions {
  readonly config?: string
  readonly fail2ban?: string
  readonly jail?: string
  readonly against?: string
  readonly lines?: true
  readonly json?: true
}
