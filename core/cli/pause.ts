import type { Command } from 'commander'
import type { PauseAnswer } from '../control/api.ts'
import { BailiffError } from '../errors.ts'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'

/** `bailiff pause` and `bailiff resume`: the last resort when somebody is locked out. */
export default function addPause(program: Command): void {
  const pause = program
    .command('pause')
    .description('take all bans out of the firewall until "bailiff resume"; watching goes on')
    .option('--json', 'the outcome as JSON')
    .addHelpText('after', '\nExamples:\n  bailiff pause\n  bailiff unban 192.0.2.7 && bailiff resume')
  addSocketOptions(pause).action(async (options: SocketOptions & { json?: true }) => {
    tell(await (await agentAt(options)).pause(), options, (bans) => `paused: ${bans} out of the firewall`)
  })
  const resume = program
    .command('resume')
    .description('put all bans back into the firewall after "bailiff pause"')
    .option('--json', 'the outcome as JSON')
    .addHelpText('after', '\nExample:\n  bailiff resume')
  addSocketOptions(resume).action(async (options: SocketOptions & { json?: true }) => {
    tell(await (await agentAt(options)).resume(), options, (bans) => `not paused: ${bans} in the firewall`)
  })
}

function tell(answer: PauseAnswer, options: { json?: true }, done: (bans: string) => string): void {
  if (options.json) print(JSON.stringify(answer, null, 2))
  if (answer.failure !== null) {
    throw new BailiffError('unavailable', `the firewall does not follow yet: ${answer.failure}`, {
      hint: 'It is tried again. "nft delete table inet bailiff" empties it by hand.',
    })
  }
  if (!options.json) print(done(`${answer.bans} ban${answer.bans === 1 ? '' : 's'}`))
}
