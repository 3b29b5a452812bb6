import type { Command } from 'commander'
import { addSocketOptions, type SocketOptions } from './agent-socket.ts'

/** `bailiff compare --live`: whom only one of a running Fail2ban and a running agent bans. */
export default function addCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('say which bans only one of Fail2ban and Bailiff makes, both watching the same logs')
    .requiredOption('--live', 'beside a running Fail2ban, as its log grows')
    .option('--fail2ban-log <file>', 'the log of Fail2ban (default: that of --fail2ban, else /var/log/fail2ban.log)')
    .option('--fail2ban <folder>', 'the configuration of Fail2ban, whose logtarget is read')
    .option('--jail <name...>', 'only these jails')
    .option('--tolerance <time>', 'how much later the other may ban', '30s')
    .option('--for <time>', 'end after that long; unless said, with Ctrl-C')
    .option('--json', 'one JSON object a line: bans of one alone, and a summary at the end')
    .addHelpText(
      'after',
      `
Nothing is changed: it reads the log of Fail2ban, and asks the agent through its control socket. Start the agent
with "bailiff run --fail2ban /etc/fail2ban --observe": then it counts and tells, and bans nobody.
Exit code 0: all bans are those of both; 1: one of them banned somebody whom the other did not.

Examples:
  bailiff compare --live
  bailiff compare --live --for 1h --json | jq -r 'select(.type == "lone") | .id'
  bailiff compare --live --fail2ban-log /var/log/fail2ban.log --jail sshd`,
    )
  addSocketOptions(command).action(async (options: CompareOptions) => {
    const { compareLive } = await import('./compare-live.ts')
    process.exitCode = await compareLive(options)
  })
}

/** The options as commander gives them. */
export interface CompareOptions extends SocketOptions {
  readonly fail2banLog?: string
  readonly fail2ban?: string
  readonly jail?: readonly string[]
  readonly tolerance: string
  readonly for?: string
  readonly json?: true
}
