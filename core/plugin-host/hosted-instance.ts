/** An instance of a plugin as the agent knows it, whichever process of its host it runs in. */
import type { Emit, Host, SourceHost } from '../plugin.ts'
import type { PluginKind } from '../settings/plugin-use.ts'
import type { HostedSource } from './hosted-source.ts'
import type { RunningHost } from './running-host.ts'

/** Kept by its `host`, as a plugin itself keeps what belongs to an instance. */
export class HostedInstance {
  readonly number: number
  readonly kind: PluginKind
  readonly host: Host
  /** The process in which it was made. */
  madeIn: RunningHost | null = null
  /** Where `start` was called last, and what came of it. */
  begun: { readonly in: RunningHost; readonly work: Promise<unknown> } | null = null
  /** Of a source, once it was started. */
  source: HostedSource | null = null
  emit: Emit | null = null
  /** The agent has ended it; only `stop` is still called. */
  over = false

  constructor(number: number, kind: PluginKind, host: Host) {
    this.number = number
    this.kind = kind
    this.host = host
  }

  get sourceHost(): SourceHost {
    return this.host as SourceHost
  }
}
