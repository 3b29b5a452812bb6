import type { Command } from 'commander'

/** `bailiff config`: which value counts and where it comes from, the JSON Schema, and what Fail2ban makes of its own files. */
export default function addConfig(program: Command): void {
  const config = program
    .command('config')
    .description('the configuration: what counts and where it comes from; its JSON Schema; that of Fail2ban')
    .addHelpText(
      'after',
      `
Examples:
  bailiff config explain
  bailiff config explain jails.sshd.maxretry
  bailiff config schema > bailiff.schema.json
  bailiff config dump --fail2ban /etc/fail2ban`,
    )
  addExplain(config)
  addSchema(config)
  addDump(config)
}

/** The options of `config explain`, as commander gives them. */
export interface ExplainOptions {
  readonly config?: string
  readonly json?: true
}

/** The options of `config schema`, as commander gives them. */
export interface SchemaOptions {
  readonly filter?: true
  readonly config?: string
  readonly json?: true
}

/** The options of `config dump`, as commander gives them. */
export interface DumpOptions {
  readonly fail2ban: string
  readonly all?: true
  readonly as?: string
  readonly pretty?: true
  readonly json?: true
}

function addExplain(config: Command): void {
  config
    .command('explain')
    .description('the value of an option that counts, the file and line it comes from, and what it overrides')
    .argument('[key]', 'an option, a jail or a part of it: jails.sshd.maxretry; unless said, everything')
    .option('-c, --config <file>', 'the configuration (default: /etc/bailiff/bailiff.yaml)')
    .option('--json', 'one JSON object: file, settings')
    .addHelpText(
      'after',
      `
What a jail says comes before its filter, that before the defaults, and those before what is built in;
files of conf.d/ come before bailiff.yaml. Only ignoreip and trusted_proxies of the top add up.

Examples:
  bailiff config explain jails.sshd.maxretry
  bailiff config explain jails.sshd
  bailiff config explain ignoreip --json | jq '.settings[0].value'`,
    )
    .action(async (key: string | undefined, options: ExplainOptions) => {
      const { explainConfiguration } = await import('./config-explain.ts')
      await explainConfiguration(key, options)
    })
}

function addSchema(config: Command): void {
  config
    .command('schema')
    .description('the JSON Schema of bailiff.yaml, for editors')
    .option('--filter', 'that of a filter file')
    .option('--config <file>', 'the configuration, whose installed packages have options too')
    .option('--json', 'as without it: a schema is JSON')
    .addHelpText(
      'after',
      `
An editor that speaks YAML completes and checks the file when its first line is
  # yaml-language-server: $schema=./bailiff.schema.json

Examples:
  bailiff config schema > /etc/bailiff/bailiff.schema.json
  bailiff config schema --filter > /etc/bailiff/filters/filter.schema.json`,
    )
    .action(async (options: SchemaOptions) => {
      const { printSchema } = await import('./config-schema.ts')
      await printSchema(options)
    })
}

function addDump(config: Command): void {
  config
    .command('dump')
    .description("the commands that Fail2ban's own reader makes of its configuration")
    .argument('[jail...]', 'these jails, enabled or not; unless said, all that are enabled')
    .requiredOption('--fail2ban <folder>', 'the configuration of Fail2ban, usually /etc/fail2ban')
    .option('--all', 'every jail, as if it were enabled')
    .option(
      '--as <version>',
      'by the rules of this version of Fail2ban (unless said: the newer one of that installed and that of the stock filters, else 1.0.2)',
    )
    .option('--pretty', 'long commands in several lines, as "fail2ban-client --dump-pretty" prints them')
    .option('--json', 'one JSON array of commands, each an array')
    .addHelpText(
      'after',
      `
It prints what "fail2ban-client -d" does, lists as Python writes them, and runs nothing. Logs are those there are
now. What is wrong goes to standard error with its file, section and option; the other jails are printed.

Examples:
  bailiff config dump --fail2ban /etc/fail2ban
  bailiff config dump sshd recidive --fail2ban /etc/fail2ban
  bailiff config dump --all --fail2ban ./fail2ban --json | jq -c '.[] | select(.[0] == "add")'`,
    )
    .action(async (jails: readonly string[], options: DumpOptions) => {
      const { dumpTree } = await import('./config-dump.ts')
      await dumpTree(jails, options)
    })
}
