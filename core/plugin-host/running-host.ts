/** One process of a plugin host with what is under way in it: what the agent asks of it, and what it asks of the agent. */
import type { EachCall } from '../enforcing/call-each.ts'
import { BailiffError, describeError } from '../errors.ts'
import type { AgentEvent } from '../events.ts'
import type { ActionBan, ActionHost, Logger } from '../plugin.ts'
import type { PluginKind, PluginUse } from '../settings/plugin-use.ts'
import { checkedDescription } from './checked-messages.ts'
import { NotAllowed } from './fields.ts'
import { notToFollow } from './follow-rights.ts'
import { HostCalls, type Carried } from './host-calls.ts'
import type { HostRights } from './host-command.ts'
import { HostProcess } from './host-process.ts'
import { HostedFirewall } from './hosted-firewall.ts'
import type { HostedInstance } from './hosted-instance.ts'
import type { HostedInstances } from './hosted-instances.ts'
import { valuesOf, variablesIn, type HostedModule } from './hosted-module.ts'
import { LineAllowance } from './line-allowance.ts'
import { listPart, type Description, type FromHost, type Question, type Reply, type Verb } from './messages.ts'

/** Longer than a module may take to load, so that what it says of itself is heard. */
const loadMs = 12_000
const callMs = 10_500
/** Beyond the deadline of an item, which the process itself looks at. */
const eachGraceMs = 500
/** Lines that it may log at once, and each second after that. The process itself keeps to the first. */
const logBurst = 200
const logLinesASecond = 20

export interface RunningHostOptions {
  readonly module: HostedModule
  readonly rights: Pick<HostRights, 'memoryBytes' | 'user' | 'nodePath' | 'namespaces'>
  /** The folder of the module's state; null: it has none. */
  readonly stateFolder: string | null
  readonly log: Logger
  readonly instances: HostedInstances
  /** The variables of the environment that an instance with these options gets. */
  readonly variablesOf: (options: unknown) => readonly string[]
  /** It did something that it should not, for people: it reached too far, failed, said too much. */
  readonly fault: (what: string) => void
  /** Called once when it is over: why, for people; null where it was closed. */
  readonly ended: (why: string | null) => void
}

/** A call of a function of a plugin. */
export interface AskedCall {
  readonly verb: Verb
  readonly given: ActionBan | AgentEvent | Iterable<ActionBan> | null
  /** Null: it may take for ever. Default: what any call may take. */
  readonly deadlineMs?: number | null
}

export class RunningHost {
  readonly #options: RunningHostOptions
  readonly #process: HostProcess
  readonly #calls: HostCalls
  readonly #firewall: HostedFirewall
  readonly #logged = new LineAllowance({ burst: logBurst, linesASecond: logLinesASecond })
  readonly #loaded = new Map<PluginKind, Promise<Description>>()
  #ready = false

  constructor(options: RunningHostOptions) {
    this.#options = options
    const { module, rights, stateFolder, log, fault, ended } = options
    const { name, file, manifest } = module
    this.#process = new HostProcess({
      rights: { ...rights, manifest, stateFolder },
      message: (message, bytes) => this.#take(message, bytes),
      question: (question) => this.#answer(question),
      printed: (line) => log.info({ plugin: name }, `${name} prints: ${line}`),
      printedMore: (lines) => {
        fault(`it prints too much: ${lines} lines were not shown`)
        log.warn({ plugin: name }, `${name} prints too much: ${lines} more lines are not shown`)
      },
      slowed: () => {
        const what = 'what it says takes more than its share of the time that there is, and is read more slowly'
        fault(what)
        log.warn({ plugin: name }, `the plugin ${name}: ${what}`)
      },
      looked: () => this.#tellLeft(),
      ended,
    })
    this.#calls = new HostCalls({
      file,
      abort: (call) => this.#process.send({ type: 'abort', call }),
      failed: fault,
      hold: (held) => this.#process.hold(held),
      hopeless: (why) => this.#process.kill(why),
    })
    this.#firewall = new HostedFirewall((message) => this.#process.send(message))
  }

  get pid(): number | null {
    return this.#process.pid ?? null
  }

  /** With all that it started. */
  get memoryBytes(): number {
    return this.#process.memoryBytes
  }

  /** Whether the module has been loaded. */
  get isReady(): boolean {
    return this.#ready
  }

  get isBusy(): boolean {
    return this.#calls.size > 0
  }

  /** The module as a plugin of that kind, loaded once. */
  load(kind: PluginKind): Promise<Description> {
    const known = this.#loaded.get(kind)
    if (known) return known
    const { file, manifest } = this.#options.module
    const { hosts = [], programs = [], files = {} } = manifest?.capabilities ?? {}
    const fence =
      manifest === null ? null : { hosts: [...hosts, ...(files.read ?? []), ...(files.write ?? [])], programs }
    const loading = this.#calls
      .make(loadMs, (call) => void this.#process.send({ type: 'load', call, kind, file, fence }))
      .then((value) => {
        this.#ready = true
        return checkedDescription(value)
      })
    loading.catch(() => this.#loaded.delete(kind))
    this.#loaded.set(kind, loading)
    return loading
  }

  /** What a module that was loaded declares its options by: a JSON Schema as it says, or null. */
  declaredOptions(kind: PluginKind): Promise<unknown> {
    return this.#calls.make(callMs, (call) => void this.#process.send({ type: 'declared', call, kind }))
  }

  /** The variables that the options name with what the plugin's schema adds to them. Rejects where it does not accept them. */
  async checkOptions(kind: PluginKind, use: PluginUse): Promise<readonly string[]> {
    const named = await this.#calls.make(callMs, (call) => {
      this.#process.send({ type: 'options', call, kind, use })
    })
    return variablesIn(named)
  }

  /** Makes an instance, once. */
  async make(instance: HostedInstance): Promise<void> {
    const { kind, number, host } = instance
    await this.load(kind)
    if (instance.madeIn === this) return
    instance.madeIn = this
    const { module, stateFolder } = this.#options
    const { file } = module
    this.#process.send({
      type: 'create',
      instance: number,
      kind,
      name: host.name,
      use: { kind, plugin: file, options: host.options, where: { file }, optionsAt: {} },
      stateFolder: stateFolder ?? '/nonexistent',
      env: valuesOf(this.#options.variablesOf(host.options)),
    })
  }

  /** Calls `start` of an instance, once; of a source each time. */
  begin(instance: HostedInstance, deadlineMs: number | null = callMs): Promise<unknown> {
    const { begun } = instance
    if (begun?.in === this && instance.kind !== 'source') return begun.work
    const work = this.ask(instance, { verb: 'start', given: null, deadlineMs })
    const beginning = { in: this, work }
    instance.begun = beginning
    work.catch(() => {
      // What failed is tried again with the next call.
      if (instance.begun === beginning) instance.begun = begun?.in === this ? null : begun
    })
    return work
  }

  /** Calls a function of an instance that was made. */
  async ask({ number }: HostedInstance, { verb, given, deadlineMs = callMs }: AskedCall): Promise<unknown> {
    const send = async (call: number) => {
      const isList = given !== null && Symbol.iterator in given
      if (isList) await this.#sendList(call, given)
      this.#process.send({ type: 'call', call, instance: number, verb, given: isList ? null : given })
    }
    return this.#calls.make(deadlineMs, send, { what: `${verb}()` })
  }

  /** As `EachCall` says. Resolves when all that were begun have ended. */
  async askEach({ number }: HostedInstance, { verb, items, atOnce, deadlineMs, carried }: EachCall): Promise<void> {
    const settled = new Uint8Array(items.length)
    let [left, failed] = [items.length, false]
    const once: Carried = (index, error) => {
      if (settled[index] !== 0) throw new NotAllowed('an item that nobody asked for')
      settled[index] = 1
      left--
      failed ||= error !== null
      carried(index, error)
    }
    const send = async (call: number) => {
      await this.#sendList(call, items)
      this.#process.send({ type: 'each', call, instance: number, verb, atOnce, deadlineMs })
    }
    await this.#calls.make(deadlineMs + eachGraceMs, send, { what: `${verb}()`, carried: once })
    if (left > 0 && !failed) throw new BailiffError('unavailable', `it said nothing of ${left} calls`)
  }

  /** Resolves when the instance has ended, or the process. */
  async untilEnd(signal: AbortSignal): Promise<void> {
    await this.#calls.make(null, (call) => {
      signal.addEventListener('abort', () => this.#calls.drop(call), { once: true })
    })
  }

  /** Tells a source what became of something that it emitted. */
  taken(instance: number, emit: number, error: string | null): void {
    this.#process.send({ type: 'taken', instance, emit, error })
  }

  /** The agent has ended an instance. */
  end({ number }: HostedInstance): void {
    this.#process.send({ type: 'end', instance: number })
  }

  forget({ number }: HostedInstance): void {
    this.#process.send({ type: 'forget-instance', instance: number })
  }

  /** Fails all that waits. */
  fail(error: Error): void {
    this.#calls.end(error)
  }

  kill(why: string): void {
    this.#process.kill(why)
  }

  async close(): Promise<void> {
    await this.#process.close()
  }

  async #sendList(call: number, items: Iterable<ActionBan | AgentEvent>): Promise<void> {
    for (const part of inParts(items)) {
      this.#process.send({ type: 'part', call, items: part })
      await this.#process.drained()
    }
  }

  #take(message: FromHost, bytes: Uint8Array): void {
    const { log, module, instances, fault } = this.#options
    const plugin = module.name
    switch (message.type) {
      case 'answer':
        return this.#calls.answer(message.call, message.value)
      case 'failure':
        return this.#calls.fail(message.call, message.failure)
      case 'carried':
        return this.#calls.carried(message.call, message.done, message.failed)
      case 'log':
        if (!this.#logged.take()) return undefined
        return log[message.level]({ plugin, ...message.fields }, message.message)
      case 'stray':
        fault(message.what)
        return log.error({ plugin }, `${plugin}: ${message.what}`)
      case 'denied':
        return this.#denied(message.what)
      case 'emit': {
        const instance = instances.numbered(message.instance)
        if (instance === undefined && instances.wasGiven(message.instance)) return undefined
        if (!instance?.source) throw new NotAllowed('bytes of what is no source')
        return instance.source.emit(message, bytes)
      }
      case 'forget':
        return instances.numbered(message.instance)?.source?.forget(message.log)
      case 'ended':
        return instances.numbered(message.instance)?.source?.ended()
      case 'firewall': {
        const instance = instances.numbered(message.instance)
        if (instance?.kind !== 'action') throw new NotAllowed('a question to the firewall that is of no action')
        return this.#firewall.take(message, () => (instance.host as ActionHost).firewall)
      }
      default:
        return undefined
    }
  }

  #answer(question: Exclude<Question, { readonly ask: 'fault' }>): Reply {
    const source = this.#options.instances.numbered(question.instance)?.source
    if (!source) return { error: 'this is no source that runs' }
    if (question.ask !== 'follow' && question.ask !== 'follow-matching') return source.answer(question)
    try {
      const { module, stateFolder } = this.#options
      const denied = notToFollow(question, { manifest: module.manifest, stateFolder })
      if (denied === null) return source.answer(question)
      this.#denied(denied)
      return { error: `${denied}: the manifest of the plugin does not name it` }
    } catch (error) {
      return { error: describeError(error) }
    }
  }

  /** Of lines that it logged and that nobody sees. */
  #tellLeft(): void {
    const left = this.#logged.takeLeft()
    if (left === 0) return
    const { log, module, fault } = this.#options
    fault(`it logs too much: ${left} lines were not shown`)
    log.warn({ plugin: module.name }, `${module.name} logs too much: ${left} more lines are not shown`)
  }

  #denied(what: string): void {
    const { log, module, fault } = this.#options
    fault(what)
    log.warn({ plugin: module.name }, `the plugin ${module.name} reaches too far: ${what}`)
  }
}

function* inParts<T>(items: Iterable<T>): Generator<T[]> {
  let part: T[] = []
  for (const item of items) {
    if (part.push(item) < listPart) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}
