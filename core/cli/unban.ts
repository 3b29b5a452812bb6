import type { Command } from 'commander'
import type { UnbanAnswer } from '../control/api.ts'
import { BailiffError } from '../errors.ts'
import { addSocketOptions, agentAt, prefixes, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'

interface UnbanOptions extends SocketOptions {
  readonly all?: true
  readonly jail?: string
  readonly name?: string
  readonly json?: true
}

/** `bailiff unban`: ends bans at once. */
export default function addUnban(program: Command): void {
  const command = program
    .command('unban')
    .description('end the bans of addresses, of all inside prefixes, of a list, or all bans')
    .argument('[address...]', 'IP addresses, or prefixes: every ban inside ends')
    .option('--all', 'every ban and every list')
    .option('--jail <name>', 'only bans of this jail')
    .option('--name <list>', 'a named list, as a whole')
    .option('--json', 'the outcome as JSON')
    .addHelpText(
      'after',
      `
Examples:
  bailiff unban 192.0.2.7
  bailiff unban 198.51.100.0/24 --jail sshd
  bailiff unban --name drop
  bailiff unban --all`,
    )
  addSocketOptions(command).action(async (given: string[], options: UnbanOptions) => {
    const ways = [given.length > 0, options.all, options.name !== undefined].filter(Boolean).length
    if (ways !== 1 || (options.name !== undefined && options.jail !== undefined)) {
      throw new BailiffError(
        'usage',
        'name the addresses to unban, a list by --name, or --all, and only one of these',
        {
          hint: 'for example "bailiff unban 192.0.2.7"',
        },
      )
    }
    if (options.name !== undefined) return endList(options.name, options)
    const answer = await (
      await agentAt(options)
    ).unban({
      prefixes: options.all ? 'all' : prefixes(given),
      ...(options.jail === undefined ? {} : { jail: options.jail }),
    })
    if (options.json) print(JSON.stringify(answer, null, 2))
    else tell(answer, options)
  })
}

function tell({ ended, absent, listed, lists }: UnbanAnswer, options: UnbanOptions): void {
  for (const { prefix, jail } of ended) print(`${prefix}: unbanned (${jail})`)
  for (const { prefix, covering } of absent)
    print(`${prefix}: was not banned${covering ? `; it lies in ${covering}, which is: unban that` : ''}`)
  for (const { prefix, list } of listed)
    print(`${prefix}: stays banned by the list ${list}: "bailiff allow ${prefix}" lets it in for a time`)
  for (const { name, entries } of lists) print(`the list ${name}: ended (${entries} entries)`)
  if (options.all && ended.length + lists.length === 0) print('nobody was banned')
}

async function endList(name: string, options: UnbanOptions): Promise<void> {
  const answer = await (await agentAt(options)).unlist(name)
  if (options.json) print(JSON.stringify(answer, null, 2))
  else for (const { entries } of answer.ended) print(`the list ${name}: ended (${entries} entries)`)
  if (answer.pending !== null)
    throw new BailiffError('try-again', `the list is not yet out of the firewall: ${answer.pending}`)
}
