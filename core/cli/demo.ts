import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { BailiffError } from '../errors.ts'
import { demoPlaces } from './demo-places.ts'
import { writeDemoLog } from './demo-log.ts'
import { print, styled } from './output.ts'
import { readVersion } from './version.ts'

/** `bailiff demo`: the whole agent on a log that is being written, with the in-memory firewall. Needs no rights. */
export default function addDemo(program: Command): void {
  program
    .command('demo')
    .description('show Bailiff at work on a made-up log; bans stay in memory, no firewall is touched')
    .option('--json', 'the log of the agent as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  bailiff demo\n\nIt goes on until Ctrl-C. Meanwhile, in another terminal: bailiff status sshd',
    )
    .action(runDemo)
}

async function runDemo({ json }: { readonly json?: true }): Promise<void> {
  // The agent is large, so no other command loads any of it.
  const [{ claimSocket }, { runAgent }] = await Promise.all([import('../control/server.ts'), import('./run-agent.ts')])
  const { folder, control } = demoPlaces()
  const log = join(folder, 'auth.log')
  const config = join(folder, 'bailiff.yaml')
  makeFolder(folder)
  // Another demonstration here goes on undisturbed.
  await claimSocket(control)
  rmSync(join(folder, 'state'), { recursive: true, force: true })
  writeFileSync(log, '')
  writeFileSync(config, demoConfig(folder, control, log), { mode: 0o600 })
  if (!json) print(introduction(folder))
  const ending = new AbortController()
  const running = runAgent({
    config,
    log: json ? 'json' : 'text',
    logLevel: 'info',
    version: readVersion(),
    ownUser: false,
  })
  const writing = writeDemoLog(log, ending.signal)
  try {
    await running
  } finally {
    ending.abort()
    await writing
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new BailiffError(
      'cannot-create',
      `the demonstration has no place for its files: ${(cause as Error).message}`,
      {
        hint: 'run it in a folder that you may write, or with HOME set to one',
        cause,
      },
    )
  }
}

function demoConfig(folder: string, control: string, log: string): string {
  return `# The configuration of the demonstration; a real one needs little more than "jails: { sshd: on }".
state: ${JSON.stringify(join(folder, 'state'))}
control: ${JSON.stringify(control)}
defaults:
  findtime: 10m
  maxretry: 5
  bantime: { base: 20s, increment: true, max: 2m }
  actions: [memory]
jails:
  sshd:
    source: ${JSON.stringify(log)}
`
}

function introduction(folder: string): string {
  return `${styled('bold', 'Bailiff, a demonstration')}
It follows ${join(folder, 'auth.log')}, which is being written with made-up logins:
attackers guess passwords, people log in. An address that fails 5 times is banned for 20 s, then for longer.
${styled('yellow', 'This is the in-memory firewall: nothing is protected, and the firewall of this machine is not touched.')}

  from another terminal:  npx bailiff status         npx bailiff status sshd
                          npx bailiff unban --all    npx bailiff ban 192.0.2.66 --for 1m
  for real, as root:      put "jails: { sshd: on }" into /etc/bailiff/bailiff.yaml,
                          then  bailiff check  and  bailiff run   (nftables must be installed)
  to stop:                Ctrl-C
`
}
