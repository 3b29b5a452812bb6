import type { Command } from 'commander'
import type { BanAnswer } from '../control/api.ts'
import { BailiffError } from '../errors.ts'
import { addSocketOptions, agentAt, prefixes, type SocketOptions } from './agent-socket.ts'
import { banLength } from './ban-length.ts'
import { print } from './output.ts'

/** The options as commander gives them. */
export interface BanOptions extends SocketOptions {
  readonly jail?: string
  readonly for?: string
  readonly file?: string
  readonly name?: string
  readonly strict?: true
  readonly listNames?: true
  readonly json?: true
}

/** `bailiff ban`: bans addresses and prefixes at once, or a whole named list. */
export default function addBan(program: Command): void {
  const command = program
    .command('ban')
    .description('ban addresses, prefixes or whole lists; without --jail from all ports')
    .argument('[address...]', 'IP addresses, or prefixes such as 198.51.100.0/24')
    .option('--jail <name>', 'as a ban of this jail: its ports, actions and ban time')
    .option('--for <time>', 'how long: 90s, 10m, 1h, 30d, permanent (default: the ban time of the jail, or 1h)')
    .option('--file <list>', 'a file with an address or prefix a line (- is standard input), # and ; begin a comment')
    .option('--name <list>', 'with --file: the name of the list; one of that name is swapped as a whole')
    .option('--strict', 'with --file: change nothing where a line is wrong')
    .option('--list-names', 'the lists that are loaded')
    .option('--json', 'the outcome as JSON')
    .addHelpText(
      'after',
      `
A list is banned from all ports until it is swapped or ended, or for the time given, and outlasts restarts.

Examples:
  bailiff ban 192.0.2.7
  bailiff ban 198.51.100.0/24 2001:db8::/64 --for 30d
  bailiff ban 192.0.2.7 --jail sshd
  bailiff ban --file drop.txt --name drop --for 2d
  bailiff ban --list-names
  bailiff unban --name drop`,
    )
  addSocketOptions(command).action(async (given: string[], options: BanOptions) => {
    refuseMixed(given, options)
    if (options.listNames) return printLists(options)
    if (options.file !== undefined && options.name !== undefined) {
      const { banList } = await import('./ban-list.ts')
      return banList(options.file, options.name, options.for === undefined ? null : banLength(options.for), options)
    }
    await banAddresses(given, options)
  })
}

/** The lists that are loaded, for people or as JSON. */
async function printLists(options: BanOptions): Promise<void> {
  const lists = await (await agentAt(options)).lists()
  const { listTable } = await import('./agent-tables.ts')
  if (options.json) print(JSON.stringify(lists, null, 2))
  else print(lists.length === 0 ? 'No list is loaded.' : listTable(lists))
}

async function banAddresses(given: readonly string[], options: BanOptions): Promise<void> {
  const request = {
    prefixes: prefixes(given),
    ...(options.jail === undefined ? {} : { jail: options.jail }),
    ...(options.for === undefined ? {} : { lengthMs: banLength(options.for) }),
  }
  const answer = await (await agentAt(options)).ban(request)
  if (options.json) print(JSON.stringify(answer, null, 2))
  else for (const { prefix, outcome, detail } of answer.results) print(`${prefix}: ${outcome}, ${detail}`)
  fail(answer, 'refused', 'data', 'not banned')
  fail(answer, 'pending', 'try-again', 'not yet banned, and tried again')
}

function fail({ results }: BanAnswer, wrong: 'refused' | 'pending', kind: 'data' | 'try-again', what: string): void {
  const some = results.filter(({ outcome }) => outcome === wrong).map(({ prefix }) => prefix)
  if (some.length > 0) throw new BailiffError(kind, `${some.length} of ${results.length} ${what}: ${some.join(', ')}`)
}

function refuseMixed(given: readonly string[], { file, name, jail, strict, listNames }: BanOptions): void {
  const usage = (message: string, hint: string) => {
    throw new BailiffError('usage', message, { hint })
  }
  const ways = [given.length > 0, file !== undefined, listNames === true].filter(Boolean).length
  if (ways !== 1)
    usage(
      'name addresses to ban, a --file, or --list-names, and only one of these',
      '"bailiff ban --help" has examples',
    )
  if ((file === undefined) !== (name === undefined))
    usage(
      '--file and --name go together: a list has a name, so that it can be swapped and ended',
      'for example "bailiff ban --file drop.txt --name drop"',
    )
  if (file !== undefined && jail !== undefined)
    usage('a list is banned from all ports: leave --jail out', '"bailiff ban --help" has examples')
  if (strict && file === undefined) usage('--strict goes with --file', '"bailiff ban --help" has examples')
}
