import { Option, type Command } from 'commander'
import { readVersion } from './version.ts'

/** `bailiff run`: the agent in the foreground. */
export default function addRun(program: Command): void {
  program
    .command('run')
    .description('watch the logs and ban, in the foreground, until stopped; bans stay in force')
    .option('-c, --config <file>', 'the configuration (default: /etc/bailiff/bailiff.yaml)')
    .option('--fail2ban <folder>', 'run a configuration of Fail2ban as it is, such as /etc/fail2ban')
    .option('--fail2ban-log <file>', "write what happens to this file as Fail2ban's own log has it")
    .option('--observe', 'count and tell, but ban nobody and touch no firewall')
    .addOption(new Option('--log <format>', 'the log on standard output').choices(['text', 'json']).default('text'))
    .option('--json', 'as --log json')
    .addOption(
      new Option('--log-level <level>', 'what is worth telling')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText(
      'after',
      `
With --fail2ban its jails run: their filters, dates, counting and ban times are Fail2ban's, and bans go to our own
firewall table with the ports of the jail; shell actions are only shown. The agent itself is as usual, or as --config
says, whose jails run beside. With --observe nothing is touched, also not the log of a Fail2ban that runs.

Examples:
  bailiff run
  bailiff run --config ./bailiff.yaml --observe
  bailiff run --fail2ban /etc/fail2ban --observe

SIGHUP reads the configuration again; SIGINT and SIGTERM stop it.`,
    )
    .action(async (options: RunOptions) => {
      // The agent is large, so only this command loads it.
      const { runAgent } = await import('./run-agent.ts')
      await runAgent({ ...options, log: options.json ? 'json' : options.log, version: readVersion(), ownUser: true })
    })
}

/** The options as commander gives them. */
export interface RunOptions {
  readonly config?: string
  readonly fail2ban?: string
  readonly fail2banLog?: string
  readonly observe?: true
  readonly json?: true
  readonly log: 'text' | 'json'
  readonly logLevel: string
}
