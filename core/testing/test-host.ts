import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost } from '../host.ts'
import type { ActionHost, Firewall, Logger } from '../plugin.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A line that a plugin wrote to `host.log`. */
export interface Logged {
  readonly level: keyof Logger
  readonly fields: object
  readonly message: string
}

/** A host for tests, as the agent makes them, and what the plugin did with it. */
export interface TestHost {
  readonly host: ActionHost
  readonly logged: readonly Logged[]
  /** Aborts `host.signal`, and removes the folder of the plugin. */
  end(): void
}

export interface TestHostOptions {
  readonly name?: string
  /** What `host.firewall` is; unless given, the plugin has no way to it. */
  readonly firewall?: Firewall
  readonly clock?: Pick<VirtualClock, 'now'>
  /** Hears of each line at once. */
  readonly heard?: (line: Logged) => void
}

/** Makes a host with these options, as the schema of the plugin would make them. `stateDir` is a temporary folder until `end`. */
export function testHost(options: unknown = {}, more: TestHostOptions = {}): TestHost {
  const logged: Logged[] = []
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    const line = { level, fields, message }
    logged.push(line)
    more.heard?.(line)
  }
  let folder: string | null = null
  const { host, end } = createHost({
    name: more.name ?? 'under-test',
    options,
    folder: () => (folder ??= mkdtempSync(join(tmpdir(), 'bailiff-testing-'))),
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    firewall: more.firewall ?? null,
    now: () => more.clock?.now() ?? Date.now(),
  })
  const finish = () => {
    end()
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
  }
  return { host, logged, end: finish }
}
