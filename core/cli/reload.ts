import type { Command } from 'commander'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'

/** `bailiff reload`: the agent reads its configuration again. */
export default function addReload(program: Command): void {
  const command = program
    .command('reload')
    .description('read the configuration again; a bad one changes nothing, and bans stay')
    .option('--json', 'the outcome as JSON')
    .addHelpText('after', '\nExamples:\n  bailiff reload\n  bailiff check && bailiff reload')
  addSocketOptions(command).action(async (options: SocketOptions & { json?: true }) => {
    const answer = await (await agentAt(options)).reload()
    if (options.json) {
      print(JSON.stringify(answer, null, 2))
      return
    }
    print(`reloaded: ${answer.jails.join(', ') || 'no jail'}`)
    for (const problem of answer.problems) print(`set aside: ${problem}`)
  })
}
