import { setTimeout as sleep } from 'node:timers/promises'
import {
  BailiffError,
  describeError,
  type ActionBan,
  type ActionHost,
  type Ports,
  type Prefix,
} from '../../../core/plugin.ts'
import { formats, type Format } from './formats.ts'
import { replaceOwned } from './owned-file.ts'
import { SharedRun } from './shared-run.ts'

/** What is decided in so short a time is one change of the file, and one reload. */
const gatherMs = 50

/** The checked options of the action. */
export interface DenyFileOptions {
  readonly path: string
  readonly format: Format
  readonly value: string
  readonly reload?: readonly string[] | undefined
  readonly pause: number
}

/**
 * The list of one instance: who is on it, and what of that the file and the program that reads it know. A prefix is on
 * it while it is banned from any ports, since the file knows none.
 */
export class DenyList {
  readonly #host: ActionHost<DenyFileOptions>
  readonly #writing: SharedRun
  readonly #reloading: SharedRun
  /** The ports that each prefix is banned from, as texts with a space between them. */
  #listed = new Map<Prefix, string>()
  /** Counts the changes of the list, of the file, and of what was reloaded. At first nobody knows what the file is. */
  #version = 1
  #written = 0
  #reloaded = 0
  #reloadedAt = Number.NEGATIVE_INFINITY
  #warned = false

  constructor(host: ActionHost<DenyFileOptions>) {
    this.#host = host
    this.#writing = new SharedRun(
      async () => {},
      () => this.#write(),
    )
    this.#reloading = new SharedRun(
      () => this.#pause(),
      () => this.#reload(),
    )
  }

  add(bans: Iterable<ActionBan>): void {
    for (const { prefix, ports } of bans) {
      const [before, key] = [this.#listed.get(prefix), keyOf(ports)]
      if (before?.split(' ').includes(key)) continue
      this.#listed.set(prefix, before === undefined ? key : `${before} ${key}`)
      if (before === undefined) this.#version++
    }
  }

  remove(bans: Iterable<ActionBan>): void {
    for (const { prefix, ports } of bans) {
      const before = this.#listed.get(prefix)
      if (before === undefined) continue
      const rest = before.split(' ').filter((key) => key !== keyOf(ports))
      if (rest.length > 0) this.#listed.set(prefix, rest.join(' '))
      else if (this.#listed.delete(prefix)) this.#version++
    }
  }

  /** Exactly these, and the file is written and reloaded whatever it was. */
  replace(bans: Iterable<ActionBan>): void {
    this.#listed = new Map()
    this.add(bans)
    this.#version++
  }

  /** Resolves when the file holds the list, and the program that reads it has reloaded it. */
  async settle(): Promise<void> {
    await this.#writing.run()
    await this.#reloading.run()
  }

  async #write(): Promise<void> {
    if (this.#written === this.#version) return
    const version = this.#version
    const { path, format, value } = this.#host.options
    const line = formats[format]
    // What is decided while it is written goes into the next file, not into half of this one.
    const prefixes = [...this.#listed.keys()]
    await replaceOwned(
      path,
      mapped(prefixes, (prefix) => line(prefix, value)),
      (message) => this.#warn(message),
    )
    this.#written = version
  }

  /** One reload for all that comes meanwhile, and not again before the program has had its pause. */
  async #pause(): Promise<void> {
    const { reload, pause } = this.#host.options
    if (reload === undefined || this.#reloaded === this.#written) return
    const waited = performance.now() - this.#reloadedAt
    await sleep(Math.max(gatherMs, pause * 1000 - waited), undefined, { signal: this.#host.signal })
  }

  async #reload(): Promise<void> {
    const { reload } = this.#host.options
    if (reload === undefined || this.#reloaded === this.#written) return
    const version = this.#written
    this.#reloadedAt = performance.now()
    await this.#host.runProgram(reload).catch((cause: unknown) => {
      throw new BailiffError('unavailable', `the list is written, but the reload failed: ${describeError(cause)}`, {
        cause,
      })
    })
    this.#reloaded = version
    this.#host.log.debug({ path: this.#host.options.path, listed: this.#listed.size }, 'the list was reloaded')
  }

  #warn(message: string): void {
    if (!this.#warned) this.#host.log.warn({ path: this.#host.options.path }, message)
    this.#warned = true
  }
}

function keyOf({ protocol, ports }: Ports): string {
  return `${protocol}:${ports.join(',')}`
}

function* mapped<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To> {
  for (const item of items) yield change(item)
}
