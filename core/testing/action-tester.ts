import type { ActionBan, ActionPlugin } from '../plugin.ts'
import { withDeadline } from '../enforcing/deadline.ts'
import { FakeFirewall } from './fake-firewall.ts'
import { readOptions } from './option-checks.ts'
import { recordAction, type Call } from './recorded-calls.ts'
import { actionBan } from './sample-bans.ts'
import { testHost, type Logged, type TestHost } from './test-host.ts'
import { VirtualClock } from './virtual-clock.ts'

/** What an action tester may be given. */
export interface ActionTesterOptions {
  /** As they would stand in the configuration; the schema of the plugin checks them and fills defaults in. */
  readonly options?: unknown
  /** Unless given, one that stands still at the time of the test until it is told to go on. */
  readonly clock?: VirtualClock
  /** How long a call may take, in milliseconds, before `host.signal` aborts. Default 10 000, as in the agent. */
  readonly deadlineMs?: number
}

/**
 * Calls an action as the agent does, once each and without retries, and keeps what became of it. No call of it rejects
 * for what the action does: look at what it answers.
 */
export class ActionTester {
  /** What the action would have the kernel hold, where it has the capability `firewall`. */
  readonly firewall: FakeFirewall
  readonly clock: VirtualClock
  /** Everything that was called, in order. */
  readonly calls: Call[] = []
  readonly #plugin: ActionPlugin
  readonly #host: TestHost
  readonly #deadlineMs: number

  private constructor(plugin: ActionPlugin, options: unknown, given: ActionTesterOptions) {
    this.clock = given.clock ?? new VirtualClock(Date.now())
    this.firewall = new FakeFirewall(() => this.clock.now())
    this.#deadlineMs = given.deadlineMs ?? 10_000
    this.#plugin = plugin
    const firewall = plugin.capabilities?.includes('firewall') ? this.firewall : undefined
    this.#host = testHost(options, { clock: this.clock, ...(firewall && { firewall }) })
  }

  /** Checks the options and starts the action. Rejects where the options are not accepted. */
  static async start(plugin: ActionPlugin, given: ActionTesterOptions = {}): Promise<ActionTester> {
    const tester = new ActionTester(plugin, await readOptions(plugin.options, given.options ?? {}), given)
    if (plugin.start) await tester.#call((action) => action.start?.(tester.#host.host))
    return tester
  }

  /** What the action wrote to its log. */
  get logged(): readonly Logged[] {
    return this.#host.logged
  }

  /** Bans: prefixes as text (as `actionBan` makes bans of them), or whole bans; several by `banMany`, where there is one. */
  ban(...bans: readonly (string | ActionBan)[]): Promise<Call> {
    return this.#each('ban', 'banMany', bans)
  }

  unban(...bans: readonly (string | ActionBan)[]): Promise<Call> {
    return this.#each('unban', 'unbanMany', bans)
  }

  /** Makes the action hold exactly these. Rejects where it has neither `sync` nor `syncEach`. */
  async sync(...bans: readonly (string | ActionBan)[]): Promise<Call> {
    const given = bans.map(asBan)
    const { sync, syncEach } = this.#plugin
    if (!sync && !syncEach) throw new Error('the action has neither sync nor syncEach')
    return this.#call((action) =>
      syncEach ? action.syncEach?.(given, this.#host.host) : action.sync?.(given, this.#host.host),
    )
  }

  /** Aborts `host.signal` and stops the action. */
  async stop(): Promise<void> {
    this.#host.end()
    if (this.#plugin.stop) await this.#call((action) => action.stop?.(this.#host.host))
  }

  async #each(
    one: 'ban' | 'unban',
    many: 'banMany' | 'unbanMany',
    given: readonly (string | ActionBan)[],
  ): Promise<Call> {
    const bans = given.map(asBan)
    const { host } = this.#host
    if (this.#plugin[many] && bans.length > 0) return this.#call((action) => action[many]?.(bans, host))
    const calls: Call[] = []
    for (const ban of bans) calls.push(await this.#call((action) => action[one](ban, host)))
    const worst = calls.find(({ outcome }) => outcome !== 'done') ?? calls.at(-1)
    if (worst === undefined) throw new Error(`${one} needs an address`)
    return worst
  }

  /** Several may be under way: each answers its own call. */
  async #call(work: (action: ActionPlugin) => unknown): Promise<Call> {
    const made: Call[] = []
    const recorded = recordAction(this.#plugin, (call) => {
      made.push(call)
      this.calls.push(call)
    })
    await withDeadline(this.#host.host, this.#deadlineMs, async () => work(recorded)).catch(() => {})
    const [call] = made
    if (call === undefined) throw new Error('nothing was called')
    return call
  }
}

function asBan(given: string | ActionBan): ActionBan {
  return typeof given === 'string' ? actionBan(given) : given
}
