import type { Command } from 'commander'
import type { BanAnswer } from '../control/api.ts'
import { BailiffError, describeError } from '../errors.ts'
import { parseDuration } from '../settings/duration.ts'
import { addSocketOptions, agentAt, prefixes, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'

/** `bailiff ban`: bans addresses and prefixes at once. */
export default function addBan(program: Command): void {
  const command = program
    .command('ban')
    .description('ban addresses or prefixes; without --jail from all ports')
    .argument('<address...>', 'IP addresses, or prefixes such as 198.51.100.0/24')
    .option('--jail <name>', 'as a ban of this jail: its ports, actions and ban time')
    .option('--for <time>', 'how long: 90s, 10m, 1h, 30d, permanent (default: the ban time of the jail, or 1h)')
    .option('--json', 'the outcome as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  bailiff ban 192.0.2.7\n  bailiff ban 198.51.100.0/24 2001:db8::/64 --for 30d\n  bailiff ban 192.0.2.7 --jail sshd',
    )
  addSocketOptions(command).action(
    async (given: string[], options: SocketOptions & { jail?: string; for?: string; json?: true }) => {
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
    },
  )
}

function fail({ results }: BanAnswer, wrong: 'refused' | 'pending', kind: 'data' | 'try-again', what: string): void {
  const some = results.filter(({ outcome }) => outcome === wrong).map(({ prefix }) => prefix)
  if (some.length > 0) throw new BailiffError(kind, `${some.length} of ${results.length} ${what}: ${some.join(', ')}`)
}

function banLength(text: string): number | null {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new BailiffError('usage', `--for ${describeError(error)}`)
  }
}
