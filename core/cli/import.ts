import type { Command } from 'commander'

/** `bailiff import`: a native configuration for a Fail2ban tree. */
export default function addImport(program: Command): void {
  program
    .command('import')
    .description('write a bailiff.yaml that does what a configuration of Fail2ban does, and say what it cannot do')
    .argument('<folder>', 'the configuration of Fail2ban, such as /etc/fail2ban')
    .option('-o, --out <file>', 'write it here, and new filters to filters/ beside it; never over a file that is there')
    .option('--json', 'one JSON object: file, jails, filters, lost, and yaml where nothing is written')
    .addHelpText(
      'after',
      `
Takes over the jails that are enabled: options, logs, ports, and filters, by our filter of the same service where
Fail2ban's was not changed, else pattern by pattern. What it writes passes "bailiff check". What it cannot take over
is told on standard error and as comments. To run a Fail2ban configuration as it is, see "bailiff run --help".

Examples:
  bailiff import /etc/fail2ban
  bailiff import /etc/fail2ban --out /etc/bailiff/bailiff.yaml
  bailiff import /etc/fail2ban --json | jq -r '.lost[] | [.jail, .what, .why] | @tsv'`,
    )
    .action(async (folder: string, options: ImportOptions) => {
      const { runImport } = await import('./import-run.ts')
      await runImport(folder, options)
    })
}

/** The options as commander gives them. */
export interface ImportOptions {
  readonly out?: string
  readonly json?: true
}
