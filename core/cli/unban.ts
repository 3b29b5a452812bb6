import type { Command } from 'commander'
import { BailiffError } from '../errors.ts'
import { addSocketOptions, agentAt, prefixes, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'

/** `bailiff unban`: ends bans at once. */
export default function addUnban(program: Command): void {
  const command = program
    .command('unban')
    .description('end the bans of addresses, of all inside prefixes, or all bans')
    .argument('[address...]', 'IP addresses, or prefixes: every ban inside ends')
    .option('--all', 'every ban')
    .option('--jail <name>', 'only bans of this jail')
    .option('--json', 'the outcome as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  bailiff unban 192.0.2.7\n  bailiff unban 198.51.100.0/24 --jail sshd\n  bailiff unban --all',
    )
  addSocketOptions(command).action(
    async (given: string[], options: SocketOptions & { all?: true; jail?: string; json?: true }) => {
      if ((given.length === 0) === (options.all === undefined)) {
        throw new BailiffError('usage', 'name the addresses to unban, or --all, and not both', {
          hint: 'for example "bailiff unban 192.0.2.7"',
        })
      }
      const answer = await (
        await agentAt(options)
      ).unban({
        prefixes: options.all ? 'all' : prefixes(given),
        ...(options.jail === undefined ? {} : { jail: options.jail }),
      })
      if (options.json) {
        print(JSON.stringify(answer, null, 2))
        return
      }
      for (const { prefix, jail } of answer.ended) print(`${prefix}: unbanned (${jail})`)
      for (const { prefix, covering } of answer.absent) {
        print(`${prefix}: was not banned${covering ? `; it lies in ${covering}, which is: unban that` : ''}`)
      }
      if (options.all && answer.ended.length === 0) print('nobody was banned')
    },
  )
}
