import type { Command } from 'commander'
import { parsePrefix, type Prefix } from '../address.ts'
import type { BanReport, JailReport } from '../control/api.ts'
import type { ControlClient } from '../control/client.ts'
import { BailiffError, quote } from '../errors.ts'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { print } from './output.ts'
import { addressText, jailText, statusText } from './status-text.ts'

interface StatusOptions extends SocketOptions {
  readonly all?: true
  readonly json?: true
}

/** Bans that are shown unless all are asked for: more than anybody reads. */
const bansShown = 1000
/** Text that is written at once. */
const charactersAtOnce = 256 * 1024

/** `bailiff status`: the agent at a glance, one jail with its bans, or what is known of an address. */
export default function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('what the running agent sees and bans')
    .argument('[jail]', 'one jail, with its bans; or an address or prefix')
    .option('--all', `of a jail all bans, not only the first ${bansShown}`)
    .option('--json', 'the whole report as JSON; of a jail a ban a line')
    .addHelpText(
      'after',
      `
Examples:
  bailiff status
  bailiff status sshd
  bailiff status 192.0.2.7
  bailiff status sshd --json | jq -r ".bans[].prefix"`,
    )
  addSocketOptions(command).action(async (given: string | undefined, options: StatusOptions) => {
    const agent = await agentAt(options)
    const prefix = given === undefined ? null : parsePrefix(given)
    if (given === undefined) {
      const report = await agent.status()
      print(options.json ? JSON.stringify(report, null, 2) : statusText(report))
    } else if (prefix === null) await printJail(agent, jailName(given), options)
    else await printAddress(agent, prefix, options)
  })
}

/** A text as a jail's name. Throws for what was meant as an address: no jail of the configuration need be called so. */
function jailName(given: string): string {
  if (!/^(?:\d+\.[\d.]*|[\da-f]*:[\da-f:.]*)(?:\/\d*)?$/i.test(given)) return given
  throw new BailiffError('usage', `${quote(given)} is not an IP address or prefix`, {
    hint: 'allowed are for example 192.0.2.7, 198.51.100.0/24, 2001:db8::1, 2001:db8::/64',
  })
}

async function printAddress(agent: ControlClient, prefix: Prefix, options: StatusOptions): Promise<void> {
  const report = await agent.address(prefix)
  print(options.json ? JSON.stringify(report, null, 2) : addressText(report))
}

/** A jail may have a million bans, so nothing of it is kept that is not shown. */
async function printJail(agent: ControlClient, name: string, options: StatusOptions): Promise<void> {
  const lines = agent.jailLines(name)
  if (options.json) return writeAll(lines)
  const first = await lines.next()
  if (first.done) throw new BailiffError('unavailable', 'the agent answers nothing')
  const report = JSON.parse(`${first.value}]}`) as JailReport
  const bans: BanReport[] = []
  let more = false
  for await (const line of lines) {
    if (!line.startsWith('{')) continue
    more = !options.all && bans.length === bansShown
    if (more) break
    bans.push(JSON.parse(line.replace(/,$/, '')) as BanReport)
  }
  print(jailText(report, bans, more))
}

async function writeAll(lines: AsyncIterable<string>): Promise<void> {
  let text = ''
  for await (const line of lines) {
    text += `${line}\n`
    if (text.length < charactersAtOnce) continue
    await written(text)
    text = ''
  }
  await written(text)
}

function written(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}
