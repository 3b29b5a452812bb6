/** The host of one module of plugins: keeps a process of it running while instances are in use. */
import { mkdirSync } from 'node:fs'
import type { EachCall } from '../enforcing/call-each.ts'
import { instanceSignal } from '../enforcing/deadline.ts'
import { BailiffError } from '../errors.ts'
import type { PluginHostState } from '../events.ts'
import type { Emit, Host, Logger } from '../plugin.ts'
import type { PluginKind, PluginUse } from '../settings/plugin-use.ts'
import { Downtime } from './downtime.ts'
import type { HostRights } from './host-command.ts'
import { HostedInstances } from './hosted-instances.ts'
import { variablesFor, type HostedModule } from './hosted-module.ts'
import { HostedSource } from './hosted-source.ts'
import type { Description } from './messages.ts'
import { withSyntaxLine } from './syntax-line.ts'
import { RunningHost, type AskedCall } from './running-host.ts'

/** A host without instances ends after so long. */
const idleMs = 10_000

export interface PluginHostOptions {
  readonly module: HostedModule
  readonly rights: Pick<HostRights, 'memoryBytes' | 'user' | 'nodePath' | 'namespaces'>
  /** Where plugins keep their folders; null: none of them runs. */
  readonly folder: string | null
  readonly log: Logger
  readonly alarm: (subject: string, message: string) => void
  /** Called when instances have been started again after a crash: what they were told before they may have forgotten. */
  readonly restarted: (hosts: readonly Host[]) => void
}

/** A call of a function of a plugin. */
export interface HostCall extends AskedCall {
  readonly kind: PluginKind
  readonly host: Host
}

export class PluginHost {
  readonly #options: PluginHostOptions
  readonly #instances: HostedInstances
  readonly #downtime: Downtime
  /** Variables that options name as the schema makes them, by the options. */
  readonly #inDefaults = new Map<string, readonly string[]>()
  #running: RunningHost | null = null
  #restarts = 0
  #lastFault: PluginHostState['lastFault'] = null
  #idle: NodeJS.Timeout | null = null
  #stopped = false

  constructor(options: PluginHostOptions) {
    this.#options = options
    const { log, alarm } = options
    this.#downtime = new Downtime({ name: this.#name, log, alarm, over: () => this.#startAgain() })
    this.#instances = new HostedInstances({
      ended: (instance) => this.#running?.end(instance),
      forgotten: (instance) => {
        this.#running?.forget(instance)
        this.#beIdle()
      },
    })
  }

  get inUse(): boolean {
    return this.#instances.size > 0
  }

  get state(): PluginHostState {
    const { name, file } = this.#options.module
    const pid = this.#running?.pid ?? null
    const { startsAgainAt, word } = this.#downtime.state
    const working = this.#running === null ? 'idle' : this.#running.isReady ? 'running' : 'starting'
    return {
      plugin: name,
      file,
      state: this.#downtime.isNow ? word : working,
      pid,
      memoryBytes: this.#running?.memoryBytes ?? 0,
      restarts: this.#restarts,
      lastFault: this.#lastFault,
      startsAgainAt,
    }
  }

  /** Loads the module as a plugin of that kind. Rejects with a BailiffError where it is none, or brings its process down. */
  async load(kind: PluginKind): Promise<Description> {
    const { module, rights } = this.#options
    return this.#start()
      .load(kind)
      .catch(async (error: unknown) => {
        throw await withSyntaxLine(error, module.file, rights.user)
      })
  }

  /** What the module declares its options by: a JSON Schema as it says, or null. Rejects as `load`. */
  async declaredOptions(kind: PluginKind): Promise<unknown> {
    await this.load(kind)
    return this.#start().declaredOptions(kind)
  }

  /** Rejects with a BailiffError whose `option` names the option that the plugin does not accept. */
  async checkOptions(kind: PluginKind, use: PluginUse): Promise<void> {
    const named = await this.#start().checkOptions(kind, use)
    this.#inDefaults.set(JSON.stringify(use.options), named)
  }

  /** The variables of the environment that an instance with these options gets, once they were checked. */
  variablesOf(options: unknown): readonly string[] {
    return variablesFor(this.#options.module, options, this.#inDefaults.get(JSON.stringify(options)))
  }

  /** Somebody mended it, or asks for another try: it is put aside no longer. */
  forgive(): void {
    this.#downtime.forgive()
    if (this.#downtime.isNow) this.#startAgain()
  }

  /**
   * Calls a function of an instance, which is made where it is not. Rejects with what the plugin threw, and while the
   * host is down with when it starts again.
   */
  async call({ kind, host, ...asked }: HostCall): Promise<unknown> {
    const { verb } = asked
    const running = this.#start()
    const instance = this.#instances.of(kind, host)
    await running.make(instance)
    if (verb === 'start') return running.begin(instance)
    if (verb !== 'stop' && instance.begun !== null) await running.begin(instance)
    if (verb === 'stop' && instance.begun?.in !== running) return this.#instances.forget(instance)
    try {
      return await running.ask(instance, asked)
    } finally {
      if (verb === 'stop') this.#instances.forget(instance)
    }
  }

  /** Calls a function of an instance for each of many. Rejects as `call`; what was told of each holds. */
  async callEach(kind: PluginKind, calls: EachCall): Promise<void> {
    const running = this.#start()
    const instance = this.#instances.of(kind, calls.host)
    await running.make(instance)
    if (instance.begun !== null) await running.begin(instance)
    await running.askEach(instance, calls)
  }

  /** Starts a source, and rejects when it fails or its process ends. Resolves when the agent ends it. */
  async runSource(emit: Emit, host: Host): Promise<void> {
    const running = this.#start()
    const instance = this.#instances.of('source', host)
    await instance.source?.settled()
    instance.emit = emit
    await running.make(instance)
    instance.source = new HostedSource(emit, instance.sourceHost, (emitted, error) =>
      running.taken(instance.number, emitted, error),
    )
    await running.begin(instance, null)
    // It may have returned at once, and bring what it brings later: then it runs as long as its process.
    if (!instance.over) await running.untilEnd(instanceSignal(host))
  }

  /** Ends the process for good. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#idle) clearTimeout(this.#idle)
    this.#downtime.end()
    await this.#running?.close()
  }

  get #name(): string {
    return this.#options.module.name
  }

  /** The process, started where there is none. Throws while it is down. */
  #start(): RunningHost {
    if (this.#running !== null) return this.#running
    if (this.#stopped) throw new BailiffError('unavailable', `the host of ${this.#name} was stopped`)
    if (this.#downtime.isNow) throw this.#downtime.error()
    const { module, rights, log } = this.#options
    const running: RunningHost = new RunningHost({
      module,
      rights,
      stateFolder: this.#stateFolder(),
      log,
      instances: this.#instances,
      variablesOf: (options) => this.variablesOf(options),
      fault: (what) => this.#note(what),
      ended: (why) => this.#ended(running, why),
    })
    this.#running = running
    this.#beIdle()
    return running
  }

  /** What Node is to let it write has to be there before it starts. */
  #stateFolder(): string | null {
    const { folder, module } = this.#options
    if (folder === null) return null
    const own = `${folder}/${this.#name.replace(/[^\w.-]/g, '_')}`
    if (module.manifest !== null) mkdirSync(own, { recursive: true, mode: 0o700 })
    return own
  }

  #beIdle(): void {
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      if (this.inUse || this.#running === null) return
      if (this.#running.isBusy) this.#beIdle()
      else void this.#running.close()
    }, idleMs).unref()
  }

  #ended(running: RunningHost, why: string | null): void {
    this.#running = null
    if (why === null || this.#stopped) {
      running.fail(new BailiffError('unavailable', `${this.#name} is stopping`))
      return
    }
    this.#note(why)
    if (this.inUse || running.isReady) {
      this.#downtime.begin(why)
      running.fail(this.#downtime.error())
    } else {
      this.#downtime.count()
      running.fail(new BailiffError('config', `the plugin ${this.#name} brings its host down: ${why}`))
    }
  }

  /** Starts the process, and in it all that ran before. */
  #startAgain(): void {
    this.#downtime.end()
    if (!this.inUse || this.#stopped || this.#running !== null) return
    this.#restarts++
    const running = this.#start()
    const { all } = this.#instances
    const begun = all.filter(({ begun, over, kind }) => begun !== null && !over && kind !== 'source')
    const work = async () => {
      for (const kind of new Set(all.map(({ kind }) => kind))) await running.load(kind)
      await Promise.allSettled(
        begun.map(async (instance) => {
          await running.make(instance)
          await running.begin(instance)
        }),
      )
    }
    work().then(
      () => this.#options.restarted(this.#instances.all.map(({ host }) => host)),
      (error: unknown) => running.kill(error instanceof Error ? error.message : String(error)),
    )
  }

  #note(what: string): void {
    this.#lastFault = { at: Date.now(), what }
  }
}
