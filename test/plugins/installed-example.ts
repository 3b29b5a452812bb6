/** Packages of `plugins/examples`, as a stranger would use them: packed, installed by the real command, in a real agent. */
import { writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { AgentProcess, bailiff } from '../core/cli/agent-process.ts'
import { offline, ok, pluginPlace } from '../core/cli/plugin-bed.ts'
import { root, run } from './created-project.ts'

/** The folder of the examples. */
export const examples = join(root, 'plugins/examples')

/** Packs an example and installs the tarball; `place` is a folder for configuration and log. */
export async function installed(name: string): Promise<{ place: string; added: string }> {
  const { plugin, folder } = pluginPlace()
  ok(await run(['npm', 'pack', join(examples, name)], folder, offline))
  const added = ok(await plugin('add', join(folder, `bailiff-plugin-${name}-0.1.0.tgz`), '--yes'))
  return { place: folder, added }
}

/** A jail whose lines are `bad ADDRESS`, with an empty log. */
export function jailOf(place: string, use: string): string {
  writeFileSync(join(place, 'log'), '')
  return `jails: { a: { source: ${place}/log, filter: { failregex: ['^bad <ADDR>$'] }, maxretry: 1, ${use} } }\n`
}

/** Appends to that log. */
export function append(place: string, text: string): void {
  writeFileSync(join(place, 'log'), text, { flag: 'a' })
}

/** An agent that watches its jail. */
export async function started(config: string, env: NodeJS.ProcessEnv = {}, jail = 'a'): Promise<AgentProcess> {
  ok(await bailiff(['check', '--config', config]))
  const agent = new AgentProcess(['run', '--config', config], env)
  await agent.shows(`watching: ${jail}`)
  return agent
}

/** Waits until something is so, for a minute at most. */
export async function until(fact: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !fact(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(fact())
}

/** Has a server listen on this machine, and answers its address. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
