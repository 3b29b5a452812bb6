import type { Command } from 'commander'
import { addSocketOptions, type SocketOptions } from './agent-socket.ts'

/** `bailiff explain`: why an address is banned or not, or what becomes of a line. */
export default function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('say why an address is banned or is not, or what becomes of a line of a log')
    .argument('<what...>', 'an IP address or prefix, a line of a log in quotes, or - for lines on standard input')
    .option('--fail2ban <folder>', 'by the jails of this Fail2ban configuration')
    .option('--jail <name>', 'what this jail makes of the line')
    .option('--log <file>', 'the log that the line stands in')
    .option('--now <time>', 'as if it were this time: RFC 3339, or unix seconds (lines only)')
    .option('--json', 'the whole report as JSON; of several lines one object a line')
    .addHelpText(
      'after',
      `
Asks the running agent; where none runs, the configuration and the store that it left. Lines are led
through the same code that the agent uses. The first sentence is the cause, then come the details.

Examples:
  bailiff explain 192.0.2.7
  bailiff explain "Nov 22 13:41:02 web sshd[77]: Failed password for root from 192.0.2.7 port 4711 ssh2"
  bailiff explain --fail2ban /etc/fail2ban --jail sshd "Nov 22 13:41:02 web sshd[77]: Invalid user x from 192.0.2.7"
  tail -n 1 /var/log/auth.log | bailiff explain - --log /var/log/auth.log
  grep 192.0.2.7 /var/log/auth.log | bailiff explain - --jail sshd --now 2026-11-22T13:45:00Z`,
    )
  addSocketOptions(command).action(async (what: string[], options: ExplainOptions) => {
    const { explain } = await import('./explain-question.ts')
    await explain(what, options)
  })
}

/** The options as commander gives them. */
export interface ExplainOptions extends SocketOptions {
  readonly fail2ban?: string
  readonly jail?: string
  readonly log?: string
  readonly now?: string
  readonly json?: true
}
