import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { parsePrefix, type Prefix } from '../address.ts'
import { connectControl, type ControlClient } from '../control/client.ts'
import { BailiffError, quote } from '../errors.ts'
import { configTexts, mayName } from '../settings/config-texts.ts'
import { defaultPlaces } from '../settings/places.ts'
import { demoPlaces } from './demo-places.ts'
import { styled } from './output.ts'

/** How a command finds the agent. */
export interface SocketOptions {
  readonly socket?: string
  readonly config?: string
}

export function addSocketOptions(command: Command): Command {
  return command
    .option('--socket <path>', 'the control socket of the agent')
    .option('-c, --config <file>', 'the configuration of the agent, which names its control socket')
}

/** The agent that the options name; without any, the one of this machine, or else a running demonstration. */
export async function agentAt(options: SocketOptions): Promise<ControlClient> {
  if (options.socket !== undefined) return connectControl([options.socket])
  const configured = await configuredSocket(options.config)
  const demo = demoPlaces().control
  if (options.config !== undefined || existsSync(configured) || !existsSync(demo))
    return connectControl([configured], ofAnotherUser(configured))
  process.stderr.write(`${styled('dim', `no agent at ${configured}; this is about the demonstration at ${demo}`)}\n`)
  return connectControl([demo])
}

/** What to do where the agent of root seems to be there, and somebody else asks. */
function ofAnotherUser(asked: string): string | undefined {
  const folder = dirname(defaultPlaces({ env: {}, uid: 0, home: '/' }).control)
  if (process.geteuid?.() === 0 || dirname(asked) === folder || !existsSync(folder)) return undefined
  return `${folder} is there: ask the agent of this machine as root, as with "sudo bailiff status"; "bailiff run" starts one of your own`
}

/** The socket that the configuration names; where there is no configuration, or a broken one, the default place. */
async function configuredSocket(file: string | undefined): Promise<string> {
  // To read a configuration takes longer than all the rest, so it is not read where it cannot name a socket.
  if (file === undefined && !mayName('control', configTexts())) return defaultPlaces().control
  try {
    const { loadSettings } = await import('../settings/load-settings.ts')
    return (await loadSettings(file === undefined ? {} : { file })).control
  } catch (error) {
    if (file !== undefined) throw error
    return defaultPlaces().control
  }
}

/** Prefixes as given on a command line; throws at the first that is none. */
export function prefixes(given: readonly string[]): Prefix[] {
  return given.map((text) => {
    const prefix = parsePrefix(text)
    if (prefix !== null) return prefix
    throw new BailiffError('usage', `${quote(text)} is not an IP address or prefix`, {
      hint: 'allowed are for example 192.0.2.7, 198.51.100.0/24, 2001:db8::1, 2001:db8::/64',
    })
  })
}
