import type { Command } from 'commander'

/** `bailiff check`: whether the configuration is right. */
export default function addCheck(program: Command): void {
  program
    .command('check')
    .description('say whether the configuration is right; nothing is changed')
    .option('-c, --config <file>', 'the configuration (default: /etc/bailiff/bailiff.yaml)')
    .option('--fail2ban <folder>', 'a configuration of Fail2ban, as "bailiff run --fail2ban" takes it')
    .option('-v, --verbose', 'for each jail what runs: filter, sources and why, dates, every pattern and how it runs')
    .option('--json', 'one JSON object: jails, filters, problems, warnings')
    .addHelpText(
      'after',
      `
Reads the configuration, compiles the patterns of every jail, loads its plugins, and tries the samples
of its filter. Looks for the users, groups, logs and programs that are named, and reads
/etc/bailiff/firewall.conf where it is there. Exit code 0: all jails can run; 78: something is wrong.

Examples:
  bailiff check
  bailiff check --verbose
  bailiff check --fail2ban /etc/fail2ban
  bailiff check --config ./bailiff.yaml --json | jq .problems`,
    )
    .action(async (options: CheckOptions) => {
      const { checkConfiguration } = await import('./check-configuration.ts')
      process.exitCode = await checkConfiguration(options)
    })
}

/** The options as commander gives them. */
export interface CheckOptions {
  readonly config?: string
  readonly fail2ban?: string
  readonly verbose?: true
  readonly json?: true
}
