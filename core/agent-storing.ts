import type { Agent } from './agent.ts'
import { describeError } from './errors.ts'
import { listOfJail, type Ban, type Kept, type LogPosition, type UnbanReason } from './events.ts'
import type { WantedChange } from './enforcing/wanted-set.ts'
import type { Changes } from './store/store.ts'

/** What outlives the agent: takes back what an earlier one held, and hands every change on to the store. */
export class AgentStoring {
  /** Changes that were written to the store, and how long that took for all together. */
  readonly commits = { count: 0, ms: 0 }
  /** What was handed to the store and is not on the disk yet, the oldest first; some of it where it is much. */
  readonly unstored = new Set<{ readonly since: number }>()
  readonly #agent: Agent

  /** Bans of before the start are wanted from here on. To be made before whoever hears of changes and acts on them. */
  constructor(agent: Agent) {
    this.#agent = agent
    const { store, wanted, clock } = agent
    for (const ban of store.loaded.bans) {
      wanted.add(ban, 'restored')
      clock.restored(ban)
    }
    store.hold({
      bans: () => storedBans(wanted),
      counted: () => agent.judge.counted(),
      everything: () => agent.judge.everything(),
      positions: () => agent.intake.positions(),
      kept: () => this.#kept(),
      restored: ({ bans, kept }) => this.#restore(bans, kept),
    })
    wanted.onChange((change) => this.#keep(change))
  }

  /** Nothing waits for the store; it tells itself when the disk fails, and rejects only what it cannot hold. */
  commit(changes: Changes): void {
    const mark = { since: performance.now() }
    if (this.unstored.size < 1000) this.unstored.add(mark)
    this.#agent.store
      .commit(changes)
      .catch((error: unknown) => this.#agent.options.log.warn({}, `not stored: ${describeError(error)}`))
      .finally(() => {
        this.commits.count++
        this.commits.ms += performance.now() - mark.since
        this.unstored.delete(mark)
      })
  }

  /** What stages kept by keys goes on. To be called in the turn in which the judge takes up what was counted. */
  resume(kept: readonly Kept[]): void {
    const { judge, fail2ban } = this.#agent
    judge.takeKept(kept)
    fail2ban.resume(kept)
  }

  /** What is written to an empty log from now on is new, also to an agent that was killed meanwhile. */
  seeLogs(): void {
    const isEmpty = (position: LogPosition) => 'offset' in position && position.offset + position.headLength === 0
    const { store, intake } = this.#agent
    store.seen(intake.positions().filter((position) => isEmpty(position) || 'cursor' in position))
  }

  /** Writes how far every log was read, and whatever waits. */
  async stop(): Promise<void> {
    const { store, intake } = this.#agent
    store.seen(intake.positions())
    await store.close()
  }

  /** What was there before the start and the store could not read then. */
  #restore(bans: Iterable<Ban>, kept: readonly Kept[]): void {
    for (const ban of bans) {
      this.#agent.judge.note(ban)
      this.#agent.wanted.add(ban, 'restored')
    }
    this.resume(kept)
  }

  *#kept(): Generator<Kept> {
    yield* this.#agent.judge.kept()
    yield* this.#agent.fail2ban.kept()
  }

  #keep({ before, after, reason }: WantedChange): void {
    // Lists have files of their own, and are told of as a whole.
    if (listOfJail((after ?? before)?.jail ?? '') !== null) return
    const { counts, judge } = this.#agent
    if (after) {
      if (before === null && reason === 'new') counts.add(after.jail, 'bans')
      if (reason !== 'restored') this.commit({ bans: [after] })
    } else if (before) {
      const { prefix, jail } = before
      const at = Date.now()
      counts.add(jail, 'unbans')
      this.commit({ unbans: [{ prefix, jail, at, reason: reason as UnbanReason }] })
      this.#agent.tell({ type: 'unban', time: at, ban: before, reason: reason as UnbanReason })
      if (reason === 'unbanned') judge.lifted(prefix, jail)
    }
  }
}

/** Named lists have files of their own. */
function* storedBans(wanted: Iterable<Ban>): Generator<Ban> {
  for (const ban of wanted) if (listOfJail(ban.jail) === null) yield ban
}
