import { Option, type Command } from 'commander'
import { readVersion } from './version.ts'

/** `bailiff run`: the agent in the foreground. */
export default function addRun(program: Command): void {
  program
    .command('run')
    .description('watch the logs and ban, in the foreground, until stopped; bans stay in force')
    .option('-c, --config <file>', 'the configuration (default: /etc/bailiff/bailiff.yaml)')
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
      '\nExamples:\n  bailiff run\n  bailiff run --config ./bailiff.yaml --observe\n\nSIGHUP reads the configuration again; SIGINT and SIGTERM stop it.',
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
  readonly observe?: true
  readonly json?: true
  readonly log: 'text' | 'json'
  readonly logLevel: string
}
