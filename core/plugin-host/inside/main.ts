/**
 * A plugin host: the process in which one module of plugins runs. The agent speaks with it over descriptor 3 (and
 * answers what it asks over 4). It ends with the agent.
 */
import * as nodeModule from 'node:module'
import { pathToFileURL } from 'node:url'
import { BailiffError } from '../../errors.ts'
import { resolve as resolvePluginImport } from '../../plugin-resolution.ts'
import type { AgentEvent } from '../../events.ts'
import type { ActionBan, Logger } from '../../plugin.ts'
import { checkShape, importDefault, optionalFunctions, requiredFunctions } from '../plugin-module.ts'
import { variablesIn } from '../hosted-module.ts'
import type { Description, Fence, ToHost } from '../messages.ts'
import { Channel } from './channel.ts'
import { failureOf, messageOf, OptionRefused } from './failure.ts'
import { putUpFence } from './fence.ts'
import { FirewallQuestions } from './firewall.ts'
import { HostedInstance, type Functions } from './hosted-instance.ts'
import { guardProcesses } from './guard-processes.ts'
import { hostLog } from './host-log.ts'
import { Outcomes } from './outcomes.ts'
import { keepThreadsSmall } from './thread-room.ts'

type Item = ActionBan | AgentEvent
type Of<Type extends ToHost['type']> = Extract<ToHost, { type: Type }>

/** Exit code of a host that a plugin brought down; EX_SOFTWARE of sysexits.h. */
const broughtDown = 70

class PluginProcess {
  readonly #channel = new Channel()
  readonly #log: Logger = hostLog(this.#channel)
  readonly #firewall = new FirewallQuestions((message) => this.#channel.send(message))
  readonly #instances = new Map<number, Promise<HostedInstance>>()
  readonly #made = new Map<number, HostedInstance>()
  /** Lists that calls hand over, as far as they have come. */
  readonly #lists = new Map<number, Item[]>()
  /** In which instance a call runs, so that it can be aborted. */
  readonly #callsIn = new Map<number, number>()
  #file = ''
  #fence: Fence | null = null
  #exported: Promise<unknown> | null = null

  run(): void {
    const { registerHooks } = nodeModule as {
      registerHooks?: (hooks: { resolve: typeof resolvePluginImport }) => void
    }
    registerHooks?.({ resolve: resolvePluginImport })
    process.on('uncaughtException', (error: unknown) => this.#goDown(error))
    // One that forgot to wait for something may well go on; it is told.
    process.on('unhandledRejection', (error: unknown) =>
      this.#channel.send({
        type: 'stray',
        what: `a promise was rejected and nobody listened: ${this.#placed(error)}`,
      }),
    )
    // A handler, whatever it does, keeps Node from opening its debugger to everybody on this machine.
    process.on('SIGUSR1', () => {})
    keepThreadsSmall()
    guardProcesses((what) => this.#channel.send({ type: 'denied', what }))
    this.#channel.listen((message) => this.#take(message))
    this.#channel.send({ type: 'ready' })
  }

  #take(message: ToHost): void {
    switch (message.type) {
      case 'ping':
        return this.#channel.send({ type: 'pong', ping: message.ping })
      case 'load':
        return this.#answer(message.call, this.#load(message))
      case 'declared':
        return this.#answer(message.call, this.#declared(message))
      case 'options':
        return this.#answer(message.call, this.#options(message))
      case 'create':
        return this.#create(message)
      case 'part':
        return this.#gather(message)
      case 'call':
        return this.#answer(message.call, this.#call(message))
      case 'each':
        return this.#answer(message.call, this.#each(message))
      case 'abort':
        return this.#made.get(this.#callsIn.get(message.call) ?? 0)?.abort(message.call)
      case 'end':
        return this.#made.get(message.instance)?.end()
      case 'forget-instance':
        this.#made.delete(message.instance)
        return void this.#instances.delete(message.instance)
      case 'taken':
        return this.#made.get(message.instance)?.emitter?.taken(message.emit, message.error)
      case 'firewall-answer':
        return this.#firewall.answer(message.question, message.value)
      case 'firewall-failure':
        return this.#firewall.fail(message.question, message.message)
    }
  }

  #gather({ call, items }: Of<'part'>): void {
    const list = this.#lists.get(call)
    if (list === undefined) this.#lists.set(call, [...items])
    else list.push(...items)
  }

  #answer(call: number, work: Promise<unknown>): void {
    work.then(
      (value) => this.#send(call, value),
      (error: unknown) => this.#channel.send({ type: 'failure', call, failure: failureOf(error, this.#file) }),
    )
  }

  #send(call: number, value: unknown): void {
    try {
      this.#channel.send({ type: 'answer', call, value: value ?? null })
    } catch (error) {
      const message = `it answers what cannot be told: ${messageOf(error)}`
      this.#channel.send({ type: 'failure', call, failure: { ...failureOf(error, this.#file), message } })
    }
  }

  async #load({ kind, file, fence }: Of<'load'>): Promise<Description> {
    const plugin = checkShape(kind, await this.#import(file, fence), file)
    const names = [...requiredFunctions[kind], ...optionalFunctions[kind]]
    const { capabilities, restored } = plugin as { capabilities?: unknown; restored?: unknown }
    return {
      functions: names.filter((name) => typeof (plugin as unknown as Functions)[name] === 'function'),
      firewall: Array.isArray(capabilities) && capabilities.includes('firewall'),
      restored: restored === true,
    }
  }

  #import(file: string, fence: Fence | null): Promise<unknown> {
    if (this.#exported !== null) return this.#exported
    this.#file = file
    this.#fence = fence
    if (fence !== null) putUpFence(fence, (what) => this.#channel.send({ type: 'denied', what }))
    this.#exported = importDefault(pathToFileURL(file), file)
    return this.#exported
  }

  async #declared({ kind }: Of<'declared'>): Promise<unknown> {
    const { options } = checkShape(kind, await this.#exported, this.#file)
    if (options === undefined) return null
    const { declaredSchema } = await import('../../plugin-options.ts')
    return declaredSchema(options)
  }

  /** The variables that options name, as the plugin's schema makes them. */
  async #options({ kind, use }: Pick<Of<'options'>, 'kind' | 'use'>): Promise<readonly string[]> {
    try {
      return variablesIn(await this.#checked({ kind, use }))
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      const { where } = error
      const at = Object.entries(use.optionsAt).find(([, place]) => JSON.stringify(place) === JSON.stringify(where))
      throw new OptionRefused(error, at?.[0] ?? '')
    }
  }

  /** Options as the plugin's schema makes them. */
  async #checked({ kind, use }: Pick<Of<'options'>, 'kind' | 'use'>): Promise<unknown> {
    const plugin = checkShape(kind, await this.#exported, this.#file)
    if (plugin.options === undefined) return use.options
    const name = this.#file.replace(/^.*\//, '').replace(/\.[^.]*$/, '')
    // What checks them is large.
    const { checkOptions } = await import('../../plugin-options.ts')
    return checkOptions(plugin.options, use, name)
  }

  #create(create: Of<'create'>): void {
    Object.assign(process.env, create.env)
    const making = this.#make(create)
    making.then(
      (made) => this.#made.set(create.instance, made),
      () => {},
    )
    this.#instances.set(create.instance, making)
  }

  async #make(create: Of<'create'>): Promise<HostedInstance> {
    const plugin = checkShape(create.kind, await this.#exported, this.#file)
    const { capabilities } = plugin as { capabilities?: readonly string[] }
    const parts = {
      create,
      channel: this.#channel,
      log: this.#log,
      firewall: this.#firewall,
      mayUseFirewall: capabilities?.includes('firewall') ?? false,
      fence: this.#fence,
    }
    return new HostedInstance(parts, plugin as unknown as Functions, await this.#checked(create))
  }

  async #call({ call, instance, verb, given }: Of<'call'>): Promise<unknown> {
    const list = this.#taken(call)
    const isMany = verb === 'banMany' || verb === 'unbanMany' || verb === 'sync'
    return this.#inside(call, instance, (made) => made.call(call, verb, isMany ? list : given))
  }

  async #each({ call, instance, ...each }: Of<'each'>): Promise<unknown> {
    const items = this.#taken(call)
    const told = new Outcomes(call, this.#channel, (error) => failureOf(error, this.#file))
    await this.#inside(call, instance, (made) =>
      made.callEach(call, { ...each, items, carried: (index, error) => told.add(index, error) }),
    )
    told.flush()
    return null
  }

  /** The list that was handed over for a call. */
  #taken(call: number): readonly Item[] {
    const list = this.#lists.get(call) ?? []
    this.#lists.delete(call)
    return list
  }

  async #inside(call: number, instance: number, work: (made: HostedInstance) => Promise<unknown>): Promise<unknown> {
    const made = this.#made.get(instance) ?? (await this.#instances.get(instance))
    if (made === undefined) return undefined
    this.#callsIn.set(call, instance)
    try {
      return await work(made)
    } finally {
      this.#callsIn.delete(call)
    }
  }

  #goDown(error: unknown): void {
    this.#channel.flush()
    this.#channel.ask({ ask: 'fault', message: `an error that nobody caught: ${this.#placed(error)}` })
    process.exit(broughtDown)
  }

  #placed(error: unknown): string {
    const { message, line } = failureOf(error, this.#file)
    return line === null ? message : `${message} (at ${this.#file}:${line})`
  }
}

new PluginProcess().run()
