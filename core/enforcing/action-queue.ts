import {
  RetryLater,
  type ActionBan,
  type ActionHost,
  type ActionPlugin,
  type Host,
  type Logger,
  type Refusal,
  type Refused,
} from '../plugin.ts'
import type { Prefix } from '../address.ts'
import { BailiffError, describeError } from '../errors.ts'
import { callEach, takesEach, type TakesEach } from './call-each.ts'
import { entryKey } from './wanted-set.ts'
import { withDeadline } from './deadline.ts'

/** Entries handed over in one call of `banMany` or `unbanMany`. */
const batchSize = 5000
/** Calls of `ban` and `unban` at the same time, for actions that take one at a time. */
const concurrency = 8
const callDeadlineMs = 10_000
/** The firewall helper has deadlines of its own, and a first sync may be large. */
const firewallDeadlineMs = 600_000
const firstPauseMs = 500
const longestPauseMs = 60_000
/** A firewall that works again is not to wait long for the bans it missed. */
const longestFirewallPauseMs = 2000
/** An action that goes on failing is told about again after so long. */
const alarmAgainMs = 10 * 60_000

type Settle = (refusal: string | null) => void

interface Task {
  readonly verb: 'ban' | 'unban'
  readonly ban: ActionBan
  readonly settle: Settle
  /** Of the bans of the same entry that it has overtaken: the first of each jail. */
  readonly overtaken: ReadonlyMap<string, Settle>
}

interface Restoring {
  readonly bans: Iterable<ActionBan>
  /** How many they are, about. */
  readonly count: number
  readonly refused: (ban: ActionBan, reason: string) => void
}

/** How an action is doing. */
export interface ActionState {
  readonly action: string
  /** Bans and unbans that it has not confirmed. */
  readonly pending: number
  /** Why the last call failed; null while all is well. */
  readonly failure: string | null
}

/**
 * Carries bans to one action, one batch after the other, bans before unbans. Of several changes of
 * one entry only the last is carried out, so the queue never holds more than one task an entry. What
 * fails is tried again after growing pauses, and alarms; other actions do not wait for it.
 */
export class ActionQueue {
  readonly #plugin: ActionPlugin
  readonly #host: ActionHost
  readonly #log: Logger
  readonly #alarm: (subject: string, message: string) => void
  readonly #tasks = new Map<string, Task>()
  #restoring: Restoring | null = null
  #paused = false
  #running: Promise<void> | null = null
  #started = false
  /** Whether nothing is known of what the action holds: before the first sync, and after one that failed. */
  #inDoubt = true
  #stopped = false
  #failures = 0
  #failure: string | null = null
  #alarmedAt = Number.NEGATIVE_INFINITY
  #wake: (() => void) | null = null

  constructor(plugin: ActionPlugin, host: ActionHost, alarm: (subject: string, message: string) => void) {
    this.#plugin = plugin
    this.#host = host
    this.#log = host.log
    this.#alarm = alarm
  }

  get #isFirewall(): boolean {
    return this.#plugin.capabilities?.includes('firewall') ?? false
  }

  get #deadlineMs(): number {
    return this.#isFirewall ? firewallDeadlineMs : callDeadlineMs
  }

  get name(): string {
    return this.#host.name
  }

  /** What its plugin sees, by which an instance is known. */
  get host(): Host {
    return this.#host
  }

  get state(): ActionState {
    return {
      action: this.name,
      pending: this.#tasks.size + (this.#inDoubt ? (this.#restoring?.count ?? 0) : 0),
      failure: this.#failure,
    }
  }

  /** Whether the action holds this ban, as far as it has confirmed. */
  confirmed(ban: Pick<ActionBan, 'prefix' | 'ports'>): boolean {
    if (this.#paused || (this.#inDoubt && this.#restoring !== null)) return false
    // Most often there is none, and who asks about a million bans need not spell their keys.
    return this.#tasks.size === 0 || !this.#tasks.has(entryKey(ban))
  }

  /**
   * `settle` is called once: with null when the action has confirmed the ban, with the reason when it refuses it for
   * good; never when the end of the ban overtakes it. Bans that overtake each other are settled together: the last,
   * and of each jail the first. For the action the last is as new as the first was.
   */
  ban(ban: ActionBan, settle: Settle): void {
    const before = this.#tasks.get(entryKey(ban))
    if (before?.verb !== 'ban') return this.#put({ verb: 'ban', ban, settle, overtaken: new Map() })
    const { jail, reason } = before.ban
    const overtaken = new Map(before.overtaken)
    if (!overtaken.has(jail)) overtaken.set(jail, before.settle)
    this.#put({ verb: 'ban', ban: reason === 'new' ? { ...ban, reason } : ban, settle, overtaken })
  }

  unban(ban: ActionBan): void {
    this.#put({ verb: 'unban', ban, settle: () => {}, overtaken: new Map() })
  }

  /**
   * Makes the action hold exactly these bans (`count`, about), if it can. They are walked through when it is their
   * turn, and again when that fails, each time as they are then. What waits in the queue is carried out after that, so
   * nothing decided meanwhile is lost. `refused` hears of each ban that the action refuses.
   */
  restore(bans: Iterable<ActionBan>, count: number, refused: Restoring['refused']): void {
    if (this.#paused) return
    if (this.#plugin.sync ?? this.#plugin.syncEach) this.#restoring = { bans, count, refused }
    else if (this.#plugin.restored)
      for (const ban of bans) this.ban(ban, (reason) => reason !== null && refused(ban, reason))
    this.#run()
  }

  /**
   * Makes the action hold nothing, and carries nothing out until `resume`. Only for actions with
   * `sync`. What is decided meanwhile is not kept here: `resume` is to be followed by `restore`.
   */
  pause(): void {
    this.#paused = true
    this.#tasks.clear()
    this.#restoring = { bans: [], count: 0, refused: () => {} }
    this.#wake?.()
    this.#run()
  }

  resume(): void {
    this.#paused = false
  }

  /** What failed is tried again now, and not after the pause: there is reason to believe that it works. */
  retryNow(): void {
    this.#wake?.()
  }

  /** The clock was set by so many milliseconds: what waits here ends at another time. What is to be restored is told as it is then. */
  shift(ms: number): void {
    const moved = (ban: ActionBan): ActionBan => ({ ...ban, until: ban.until === null ? null : ban.until + ms })
    for (const [key, task] of this.#tasks) this.#tasks.set(key, { ...task, ban: moved(task.ban) })
  }

  /** Resolves when all that waits has been carried out or has failed once. */
  async settled(): Promise<void> {
    while (this.#running && this.#failures === 0) await Promise.race([this.#running, pause(20)])
  }

  /** Ends the queue and the action. What is in force stays in force. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    await this.#running
    if (this.#started) await this.#call((host) => this.#plugin.stop?.(host)).catch(() => {})
  }

  #put(task: Task): void {
    if (this.#paused) return
    const key = entryKey(task.ban)
    // A later change goes to the end: order within an entry is kept because there is only one.
    this.#tasks.delete(key)
    this.#tasks.set(key, task)
    this.#run()
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = null
    })
  }

  async #work(): Promise<void> {
    // Whatever else is decided in this turn goes into the same batch.
    await pause(0)
    while (!this.#stopped && (this.#restoring || this.#tasks.size > 0 || !this.#started)) {
      try {
        await this.#start()
        if (this.#restoring) await this.#restore(this.#restoring)
        else await this.#batch()
        this.#failures = 0
        this.#failure = null
      } catch (error) {
        await this.#backOff(error)
      }
    }
  }

  async #start(): Promise<void> {
    if (this.#started) return
    await this.#call((host) => this.#plugin.start?.(host))
    this.#started = true
  }

  async #restore(restoring: Restoring): Promise<void> {
    const { bans } = restoring
    const refused = refusals(
      await this.#call((host) => {
        return this.#plugin.syncEach ? this.#plugin.syncEach(bans, host) : this.#plugin.sync?.([...bans], host)
      }),
    )
    this.#inDoubt = false
    if (this.#restoring === restoring) this.#restoring = null
    if (refused.size === 0) return
    const settle = (ban: ActionBan) => (reason: string | null) => reason !== null && restoring.refused(ban, reason)
    for (const ban of bans) {
      const refusal = refused.get(ban.prefix)
      if (refusal?.again && !this.#tasks.has(entryKey(ban))) this.ban(ban, settle(ban))
      else if (refusal && !refusal.again) restoring.refused(ban, refusal.reason)
    }
  }

  async #batch(): Promise<void> {
    let tasks = this.#first('ban')
    const verb = tasks.length > 0 ? 'ban' : 'unban'
    if (verb === 'unban') tasks = this.#first('unban')
    const many = verb === 'ban' ? this.#plugin.banMany : this.#plugin.unbanMany
    if (!many) return takesEach(this.#plugin) ? this.#each(this.#plugin, verb, tasks) : this.#oneByOne(tasks)
    const bans = tasks.map(({ ban }) => ban)
    const refused = refusals(await this.#call((host) => many.call(this.#plugin, bans, host)))
    for (const task of tasks) {
      const refusal = refused.get(task.ban.prefix)
      if (!refusal?.again) this.#settle(task, refusal?.reason ?? null)
    }
    const again = [...refused.values()].find((refusal) => refusal.again)
    if (again) throw new BailiffError('try-again', `${again.prefix} and ${refused.size - 1} others: ${again.reason}`)
  }

  /** The tasks that have waited longest, as many as go into one batch. */
  #first(verb: Task['verb']): Task[] {
    const tasks: Task[] = []
    for (const task of this.#tasks.values()) {
      if (task.verb !== verb) continue
      if (tasks.push(task) === batchSize) break
    }
    return tasks
  }

  /** As `oneByOne`, in a process of its own. */
  async #each(plugin: TakesEach, verb: Task['verb'], tasks: readonly Task[]): Promise<void> {
    const failures: unknown[] = []
    const carried = (index: number, error: unknown) => {
      const task = tasks[index]
      if (error !== null) failures.push(error)
      else if (task) this.#settle(task, null)
    }
    const items = tasks.map(({ ban }) => ban)
    const calls = { verb, items, host: this.#host, atOnce: concurrency, deadlineMs: this.#deadlineMs, carried }
    await withDeadline(this.#host, null, () => plugin[callEach](calls))
    if (failures.length > 0) throw failures[0]
  }

  async #oneByOne(tasks: Task[]): Promise<void> {
    const failures: unknown[] = []
    const rest = [...tasks]
    const carryOut = async () => {
      for (let task = rest.shift(); task && !this.#stopped; task = rest.shift()) {
        const { verb, ban } = task
        try {
          await this.#call((host) => this.#plugin[verb](ban, host))
          this.#settle(task, null)
        } catch (error) {
          failures.push(error)
        }
      }
    }
    await Promise.all(Array.from({ length: concurrency }, carryOut))
    if (failures.length > 0) throw failures[0]
  }

  #settle(task: Task, refusal: string | null): void {
    const key = entryKey(task.ban)
    // A later change of the entry has taken the place of this one.
    if (this.#tasks.get(key) !== task) return
    this.#tasks.delete(key)
    for (const [jail, settle] of task.overtaken) if (refusal === null || jail !== task.ban.jail) settle(refusal)
    task.settle(refusal)
  }

  async #backOff(error: unknown): Promise<void> {
    this.#failures++
    if (this.#restoring) this.#inDoubt = true
    this.#failure = describeError(error).replace(/\n\s*/g, '; ')
    const later = error instanceof RetryLater
    const ms = later
      ? error.afterMs
      : Math.min(
          this.#isFirewall ? longestFirewallPauseMs : longestPauseMs,
          firstPauseMs * 2 ** Math.min(this.#failures - 1, 10),
        )
    const now = this.#host.now()
    if (!later && now - this.#alarmedAt >= alarmAgainMs) {
      this.#alarmedAt = now
      this.#alarm(this.name, `the action ${this.name} fails and is tried again: ${this.#failure}`)
    }
    // One that goes on failing for a week is not told every two seconds.
    const level = this.#failures === 1 ? 'warn' : 'debug'
    this.#log[level]({ action: this.name, pending: this.state.pending, retryInMs: ms }, this.#failure)
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = null
  }

  #call<T>(work: (host: ActionHost) => T | Promise<T>): Promise<T> {
    return withDeadline(this.#host, this.#deadlineMs, () => work(this.#host))
  }
}

function refusals(refused: Refused): Map<Prefix, Refusal> {
  return new Map((refused ?? []).map((refusal) => [refusal.prefix, refusal]))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)))
}
