import type { Command } from 'commander'

/** `bailiff setup`: looks at the host, proposes a configuration, and writes it after a yes. */
export default function addSetup(program: Command): void {
  program
    .command('setup')
    .description('look at this host, propose a configuration, and write it after a yes')
    .option('-c, --config <file>', 'where it is to stand (default: /etc/bailiff/bailiff.yaml)')
    .option('-y, --yes', 'write without asking')
    .option('-n, --dry-run', 'only look and propose')
    .option('--observe', 'propose to ban nobody at first')
    .option('--ignore-session', 'never ban the address from which you are logged in')
    .option('--no-users', 'make no users for the agent and its firewall helper')
    .option('--beside', 'where there is a configuration, write FILE.proposed beside it')
    .option('--json', 'one JSON object; writes only with --yes')
    .option('--root <folder>', 'look at the files below this folder', '/')
    .addHelpText(
      'after',
      `
Looks for services (running, switched on, installed), their logs or the journal, the firewall and other
programs that ban. A configuration that is there is never changed. Exit code 0: written, or nothing to
do; 64: nobody said yes; 78: what it would write is not right.

Examples:
  bailiff setup                     asks before it writes
  bailiff setup --dry-run           only shows
  bailiff setup --yes --observe     writes, and bans nobody until you take "observe" out`,
    )
    .action(async (options: SetupOptions) => {
      const { setUp } = await import('./setup-run.ts')
      process.exitCode = await setUp(options)
    })
  const hidden = program.commands
    .find((each) => each.name() === 'setup')
    ?.options.find((each) => each.long === '--root')
  hidden?.hideHelp()
}

/** The options as commander gives them. */
export interface SetupOptions {
  readonly config?: string
  readonly yes?: true
  readonly dryRun?: true
  readonly observe?: true
  readonly ignoreSession?: true
  readonly users: boolean
  readonly beside?: true
  readonly json?: true
  readonly root: string
}
