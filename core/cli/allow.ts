import type { Command } from 'commander'
import { isHostName, parsePrefix } from '../address.ts'
import { BailiffError, quote } from '../errors.ts'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { allowTable } from './agent-tables.ts'
import { banLength } from './ban-length.ts'
import { print } from './output.ts'

interface AllowOptions extends SocketOptions {
  readonly for?: string
  readonly list?: true
  readonly remove?: true
  readonly all?: true
  readonly json?: true
}

const usualMs = 2 * 3_600_000

/** `bailiff allow`: lets somebody in for a time, whatever jails, people and lists say. */
export default function addAllow(program: Command): void {
  const command = program
    .command('allow')
    .description('let addresses, prefixes or hosts in for a time: ends their bans, and nothing bans them meanwhile')
    .argument('[address...]', 'IP addresses, prefixes, or names of hosts, which are followed when they change')
    .option('--for <time>', 'how long: 10m, 2h, 1d, permanent (default: 2h)')
    .option('--list', 'who is allowed now')
    .option('--remove', 'end it for these addresses; with --all for everybody')
    .option('--all', 'with --remove: everybody')
    .option('--json', 'the outcome as JSON')
    .addHelpText(
      'after',
      `
It outlasts restarts and ends by itself. Who is always to be allowed belongs into "ignoreip" of the configuration.

Examples:
  bailiff allow 192.0.2.7
  bailiff allow home.example.net --for 8h
  bailiff allow --list
  bailiff allow --remove 192.0.2.7`,
    )
  addSocketOptions(command).action((given: string[], options: AllowOptions) => allow(given, options))
}

async function allow(given: readonly string[], options: AllowOptions): Promise<void> {
  refuseMixed(given, options)
  const subjects = given.map(subjectOf)
  const agent = await agentAt(options)
  if (options.remove) return tellRemoved(await agent.disallow(options.all ? 'all' : subjects), options)
  if (subjects.length === 0) {
    const allowed = await agent.allows()
    if (options.json) print(JSON.stringify(allowed, null, 2))
    else print(allowed.length === 0 ? 'Nobody is allowed for a time.' : allowTable(allowed))
    return
  }
  const lengthMs = options.for === undefined ? usualMs : banLength(options.for)
  const answer = await agent.allow({ subjects, lengthMs })
  if (options.json) return print(JSON.stringify(answer, null, 2))
  for (const { subject, until, prefixes } of answer.allowed) {
    const meant = prefixes.length === 1 && prefixes[0] === subject ? '' : ` (${prefixes.join(', ') || 'no address'})`
    print(`${subject}${meant}: allowed ${until === null ? 'for ever' : `until ${new Date(until).toISOString()}`}`)
  }
  for (const { prefix, jail } of answer.ended) print(`${prefix}: unbanned (${jail})`)
}

function tellRemoved(
  { ended, absent }: { readonly ended: readonly string[]; readonly absent: readonly string[] },
  options: AllowOptions,
): void {
  if (options.json) print(JSON.stringify({ ended, absent }, null, 2))
  else {
    for (const subject of ended) print(`${subject}: not allowed any more`)
    if (options.all && ended.length === 0) print('nobody was allowed')
  }
  if (absent.length > 0)
    throw new BailiffError('no-input', `not allowed before: ${absent.join(', ')}`, {
      hint: '"bailiff allow --list" tells who is',
    })
}

function refuseMixed(given: readonly string[], { list, remove, all, for: length }: AllowOptions): void {
  const usage = (message: string) => {
    throw new BailiffError('usage', message, { hint: 'for example "bailiff allow 192.0.2.7 --for 2h"' })
  }
  if (list && (remove || given.length > 0 || length !== undefined)) usage('--list takes no address and no other option')
  if (remove && (given.length === 0) === (all === undefined)) usage('name whom to --remove, or --all, and not both')
  if (all && !remove) usage('--all goes with --remove')
  if (length !== undefined && (remove || given.length === 0)) usage('--for needs an address, and no --remove')
}

function subjectOf(given: string): string {
  const prefix = parsePrefix(given)
  if (prefix !== null) return prefix
  if (isHostName(given)) return given.toLowerCase().replace(/\.$/, '')
  throw new BailiffError('usage', `${quote(given)} is neither an IP address or prefix nor the name of a host`, {
    hint: 'allowed are for example 192.0.2.7, 2001:db8::/64, home.example.net',
  })
}
