/** Plugins in hosts, and what is said of them, without an agent around. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { createHost } from '../../../core/host.ts'
import type { Capabilities } from '../../../core/packages/manifest.ts'
import { PluginHosts, type PluginHostsOptions } from '../../../core/plugin-host/plugin-hosts.ts'
import type {
  ActionBan,
  ActionHost,
  ActionPlugin,
  Firewall,
  Host,
  Logger,
  NotifierPlugin,
  SourcePlugin,
} from '../../../core/plugin.ts'

/** Where plugins lie; gone at the end. */
export const folder = mkdtempSync(join(tmpdir(), 'bailiff-hosts-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

let modules = 0
const beds: PluginBed[] = []

/** Ends what a test that failed left running. */
export async function stopAll(): Promise<void> {
  await Promise.all(beds.map(({ hosts }) => hosts.stop()))
}

/** What hosts say and do. */
export class PluginBed {
  readonly said: string[] = []
  readonly alarms: string[] = []
  readonly restarted: Host[] = []
  readonly hosts: PluginHosts

  constructor(options: PluginHostsOptions = {}) {
    const say = (level: string) => (fields: object, message: string) =>
      void this.said.push(`${level} ${JSON.stringify(fields)} ${message}`)
    const log: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    this.hosts = new PluginHosts({ folder: join(folder, 'state'), log, ...options })
    beds.push(this)
    this.hosts.listen({
      alarm: (subject, message) => void this.alarms.push(`${subject}: ${message}`),
      restarted: (hosts) => void this.restarted.push(...hosts),
    })
  }

  /** A module with this text, in a folder of its own. */
  write(text: string, name = 'bad'): string {
    const own = join(folder, `module-${modules++}`)
    mkdirSync(own)
    writeFileSync(join(own, `${name}.mjs`), text)
    return join(own, `${name}.mjs`)
  }

  async action(text: string, capabilities?: Capabilities, options: unknown = {}): Promise<ActionPlugin> {
    return (await this.#load('action', text, capabilities, options)) as ActionPlugin
  }

  async notifier(text: string, capabilities?: Capabilities): Promise<NotifierPlugin> {
    return (await this.#load('notifier', text, capabilities)) as NotifierPlugin
  }

  async source(text: string, capabilities?: Capabilities): Promise<SourcePlugin> {
    return (await this.#load('source', text, capabilities)) as SourcePlugin
  }

  /** What an instance sees, and the switch that ends it. */
  instance(options: unknown = {}, firewall: Firewall | null = null): { host: ActionHost; end: () => void } {
    const log: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
    return createHost({ name: 'bad', options, folder: join(folder, 'state'), log, firewall })
  }

  async until(fact: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 1500; i++) {
      if (fact()) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.unreachable(`did not happen: ${what}\n${this.said.join('\n')}\n${JSON.stringify(this.hosts.states())}`)
  }

  async #load(
    kind: 'action' | 'notifier' | 'source',
    text: string,
    capabilities?: Capabilities,
    options: unknown = {},
  ) {
    const file = this.write(text)
    const manifest = capabilities === undefined ? null : { folder: file.replace(/\/[^/]*$/, ''), capabilities }
    const use = { kind, plugin: file, options, where: { file: 'bailiff.yaml', line: 3 }, optionsAt: {} }
    return this.hosts.load({ name: 'bad', file, manifest }, kind, use)
  }
}

/** A ban that no jail made. */
export function ban(prefix: string): ActionBan {
  const parsed = parsePrefix(prefix)
  assert.ok(parsed)
  const ports = { protocol: 'tcp', ports: [22] } as const
  return { prefix: parsed, jail: 'sshd', ports, since: 1, until: null, count: 1, failures: 3, lines: [], reason: 'new' }
}

/** The message of a rejection; empty where there is none. */
export async function refusal(work: unknown): Promise<string> {
  return Promise.resolve(work).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}
