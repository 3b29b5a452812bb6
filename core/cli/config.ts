import type { Command } from 'commander'

/** `bailiff config`: which value counts and where it comes from, and the JSON Schema of the configuration. */
export default function addConfig(program: Command): void {
  const config = program
    .command('config')
    .description('the configuration: what counts and where it comes from; its JSON Schema')
    .addHelpText(
      'after',
      `
Examples:
  bailiff config explain
  bailiff config explain jails.sshd.maxretry
  bailiff config schema > bailiff.schema.json`,
    )
  addExplain(config)
  addSchema(config)
}

/** The options of `config explain`, as commander gives them. */
export interface ExplainOptions {
  readonly config?: string
  readonly json?: true
}

/** The options of `config schema`, as commander gives them. */
export interface SchemaOptions {
  readonly filter?: true
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
