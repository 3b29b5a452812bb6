import type { Command } from 'commander'

/** `bailiff filter`: what filters there are, what is in one, and whether their samples hold. */
export default function addFilter(program: Command): void {
  const filter = program
    .command('filter')
    .description('the filters: list them, show one, run their samples')
    .addHelpText(
      'after',
      `
Filters come with Bailiff, and from the folder filters/ beside the configuration, which comes first.

Examples:
  bailiff filter list
  bailiff filter show postfix --mode aggressive
  bailiff filter test
  bailiff filter test ./my-filter.yaml
  bailiff filter list --json | jq -r '.filters[] | select(.linear | not) | .name'`,
    )
  addList(filter)
  addShow(filter)
  addTry(filter)
}

/** The options of all three, as commander gives them. */
export interface FilterOptions {
  readonly config?: string
  readonly mode?: string
  readonly json?: true
}

const configOption = ['-c, --config <file>', 'the configuration, for the filters beside it'] as const

function addList(filter: Command): void {
  filter
    .command('list')
    .description('every filter: what it finds, its modes, how many samples it has, where it comes from')
    .option(...configOption)
    .option('--json', 'one JSON object: filters, problems')
    .addHelpText(
      'after',
      `
LINEAR: all patterns run in linear time, whatever stands in a line; of the others, how many do.

Examples:
  bailiff filter list
  bailiff filter list --json | jq -r '.filters[].name'`,
    )
    .action(async (options: FilterOptions) => {
      const { listFilters } = await import('./filter-list.ts')
      process.exitCode = await listFilters(options)
    })
}

function addShow(filter: Command): void {
  filter
    .command('show')
    .description('one filter: its sources, ports and patterns')
    .argument('<filter>', 'the name of a filter, or the path of a filter file (.yaml)')
    .option(...configOption)
    .option('--mode <mode>', 'a mode of the filter (default: normal)')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Patterns are numbered as bailiff test counts them, from 0.

Examples:
  bailiff filter show sshd
  bailiff filter show dovecot --mode aggressive --json | jq -r '.failregex[].text'`,
    )
    .action(async (given: string, options: FilterOptions) => {
      const { showFilter } = await import('./filter-show.ts')
      await showFilter(given, options)
    })
}

function addTry(filter: Command): void {
  filter
    .command('test')
    .description('run the samples of filters, and show each that does not do what the filter promises')
    .argument('[filter...]', 'names of filters, or paths of filter files (.yaml); unless said, all filters')
    .option(...configOption)
    .option('--mode <mode>', 'only this mode; unless said, all modes')
    .option('--json', 'one JSON object: tried, problems')
    .addHelpText(
      'after',
      `
Exit code 0: all samples hold; 78: some do not, or a filter is broken.

Examples:
  bailiff filter test
  bailiff filter test postfix dovecot
  bailiff filter test ./my-filter.yaml --mode aggressive`,
    )
    .action(async (given: string[], options: FilterOptions) => {
      const { tryFilters } = await import('./filter-samples-run.ts')
      process.exitCode = await tryFilters(given, options)
    })
}
