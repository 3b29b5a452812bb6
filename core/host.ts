import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { currentSignal } from './enforcing/deadline.ts'
import { BailiffError } from './errors.ts'
import type { ActionHost, Firewall, Logger } from './plugin.ts'
import { runProgram } from './run-program.ts'

/** What an instance of a plugin is given, and the switch that ends it. */
export interface HostedInstance {
  readonly host: ActionHost
  /** Aborts `host.signal`. */
  end(): void
}

/**
 * Makes the host of one instance. `firewall` is what `host.firewall` gives; null for a plugin without
 * that capability. `folder` (asked for and made on first use) is where all instances keep their folders.
 */
export function createHost(instance: {
  readonly name: string
  readonly options: unknown
  readonly folder: string | (() => string)
  readonly log: Logger
  readonly firewall: Firewall | null
  /** Unless given, the clock of the machine. */
  readonly now?: () => number
}): HostedInstance {
  const ending = new AbortController()
  const host: ActionHost = {
    name: instance.name,
    options: instance.options,
    log: instance.log,
    now: instance.now ?? (() => Date.now()),
    get signal() {
      return currentSignal(ending.signal)
    },
    get stateDir() {
      const folder = typeof instance.folder === 'string' ? instance.folder : instance.folder()
      const path = join(folder, instance.name.replace(/[^\w.-]/g, '_'))
      mkdirSync(path, { recursive: true, mode: 0o700 })
      return path
    },
    runProgram: (command, given = {}) => runProgram(command, given, currentSignal(ending.signal)),
    get firewall() {
      if (instance.firewall) return instance.firewall
      throw new BailiffError('no-permission', `${instance.name} uses the firewall without the capability for it`, {
        hint: "add capabilities: ['firewall'] to the plugin",
      })
    },
  }
  return { host, end: () => ending.abort(new BailiffError('unavailable', `${instance.name} is stopping`)) }
}
