import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { PrefixSet, type Prefix } from './address.ts'
import type { Agent } from './agent.ts'
import type { ListAnswer, ListReport, UnlistAnswer } from './control/api.ts'
import { BailiffError, describeError, quote } from './errors.ts'
import { jailOfList, listOfJail, type Ban, type Ports } from './events.ts'
import type { ReadyJail } from './jails.ts'
import { isListName, ListFiles, maxListEntries, type NamedList } from './named-lists.ts'

/** What may wait for an action before a list goes on: a task takes half a kilobyte, and lists are long. */
const mostPending = 5000
const maxLists = 100
/** Bans that are ended at once before others have their turn. */
const endedAtOnce = 2000
/** How long a command waits until the actions have all of a list; it goes on beside, and reports tell how far it is. */
const confirmWithinMs = 1000
/** How long one waits that ends a list. */
const endWithinMs = 20_000

/** A list in force. */
interface Loaded {
  list: NamedList
  /** Ends what is being done to it, for something else is wanted of it now. */
  stop: AbortController
  /** Entries that no action holds, since they would ban somebody who is never banned. */
  leftOut: number
  example: string | null
  /** What became of it when it was gone through; null: it was not yet. */
  applied: Counts | null
  /** Whether the actions have held all of it. */
  held: boolean
  /** Why it was not gone through to its end. */
  failure: string | null
}

/** Named lists of prefixes that people load: each is swapped, ended and kept over restarts as a whole. */
export class AgentLists {
  readonly #agent: Agent
  readonly #files: ListFiles
  readonly #loaded = new Map<string, Loaded>()
  #last: Promise<unknown> = Promise.resolve()
  #stopped = false

  /** `state`: the folder of the state. */
  constructor(agent: Agent, state: string) {
    this.#agent = agent
    this.#files = new ListFiles(state)
  }

  /**
   * Wants again what was loaded before the start. To be called before the firewall is asked what it holds,
   * so the judge knows of no jail yet, and `screen` has to be called when it does.
   */
  async load(jails: readonly Pick<ReadyJail, 'ignore'>[]): Promise<void> {
    const vital = this.#agent.firewall.vital().map(({ prefix }) => prefix)
    const spared = [...this.#neverBanned(), ...vital, ...jails.flatMap(({ ignore }) => ignore.prefixes)]
    for (const list of await this.#files.all()) {
      const loaded = begin(list)
      this.#loaded.set(list.name, loaded)
      if (list.until !== null && list.until <= Date.now()) continue
      await this.#want(loaded, spared).catch((error: unknown) =>
        this.#agent.alarm('lists', `the list ${list.name} cannot be read: ${describeError(error)}`),
      )
      loaded.applied = { added: this.#size(list.name), gone: 0 }
    }
  }

  stop(): void {
    this.#stopped = true
    for (const { stop } of this.#loaded.values()) stop.abort()
  }

  reports(): readonly ListReport[] {
    return [...this.#loaded.values()].map((loaded) => this.#report(loaded))
  }

  #report(loaded: Loaded): ListReport {
    this.#look(loaded)
    const { list, leftOut, example, applied, held, failure } = loaded
    const obstacle = failure ?? this.#obstacle()
    const counts = { entries: this.#size(list.name), leftOut, example, ...(applied ?? unknown) }
    return {
      ...list,
      ...counts,
      pending: held ? null : (obstacle ?? beingCarriedOut),
      working: !held && obstacle === null,
    }
  }

  /** Once the actions held all of it, bans that come beside make no difference. */
  #look(loaded: Loaded): void {
    const rest = this.#queues().some(({ state }) => state.pending > 0 || state.failure !== null)
    loaded.held ||= loaded.applied !== null && !rest && this.#agent.firewall.pausedSince === null
  }

  /**
   * Puts the prefixes of the text, one a line, in the place of the list of that name. What is new is
   * banned before what is gone is let in, so whoever is in both is never let in between.
   */
  async swap(name: string, text: AsyncIterable<Buffer>, lengthMs: number | null): Promise<ListAnswer> {
    this.#refuse(name)
    const before = this.#loaded.get(name)
    const since = Math.max(Date.now(), (before?.list.since ?? 0) + 1)
    const list = { name, since, until: lengthMs === null ? null : since + lengthMs }
    const others = [...this.#loaded.keys()].filter((other) => other !== name)
    const most = maxListEntries - others.reduce((sum, other) => sum + this.#size(other), 0)
    const lines = await this.#files.write(list, text, most)
    before?.stop.abort()
    const loaded = begin(list)
    this.#loaded.set(name, loaded)
    const work = this.#inTurn(() => this.#apply(loaded))
    work.catch((error: unknown) => {
      loaded.failure = describeError(error)
      this.#tell(loaded, error)
    })
    await this.#within(work, confirmWithinMs)
    return { ...this.#report(loaded), lines }
  }

  /** Ends a list, or all of them (null). Throws a BailiffError where there is none of that name. */
  async remove(name: string | null): Promise<UnlistAnswer> {
    const names = name === null ? [...this.#loaded.keys()] : [name]
    const found = names.map((each) => [each, this.#loaded.get(each)] as const)
    for (const [each, loaded] of found) if (loaded === undefined) throw this.#unknown(each)
    const ended = found.map(([each]) => ({ name: each, entries: this.#size(each) }))
    const work = Promise.all(found.map(([, loaded]) => loaded && this.#end(loaded)))
    const done = await this.#within(work, endWithinMs)
    return { ended, pending: done === null ? (this.#obstacle() ?? beingCarriedOut) : null }
  }

  /** A ban of a list was taken back, since somebody on it is allowed for a time. Others are no matter of this. */
  spared(ban: Ban): void {
    this.#leaveOut(ban, 'it is allowed')
  }

  /** An action refuses an entry for good. */
  refused(ban: Ban, reason: string): void {
    this.#agent.wanted.remove(ban.prefix, ban.jail)
    this.#leaveOut(ban, reason)
  }

  /** To be called when others are never banned than before: their entries are taken back. */
  screen(): void {
    if (this.#loaded.size === 0) return
    const { wanted, judge } = this.#agent
    for (const prefix of judge.spared())
      for (const ban of wanted.touching(prefix))
        if (listOfJail(ban.jail) !== null) this.refused(ban, judge.sparing(prefix, 'manual') ?? 'it is never banned')
    this.again()
  }

  /** Who was left out may not be any more: lists that left out some are gone through again. */
  again(): void {
    for (const loaded of this.#loaded.values()) {
      if (loaded.leftOut === 0 || loaded.stop.signal.aborted) continue
      void this.#inTurn(() => this.#want(loaded)).catch((error: unknown) => this.#tell(loaded, error))
    }
  }

  /** To be called every second. */
  expire(now: number): void {
    for (const loaded of this.#loaded.values()) {
      if (!loaded.held) this.#look(loaded)
      if (loaded.list.until === null || loaded.list.until > now) continue
      this.#agent.options.log.info({}, `the list ${loaded.list.name} ends: its time is over`)
      void this.#end(loaded).catch((error: unknown) => this.#tell(loaded, error))
    }
  }

  /** The clock was set: the lists go on for as long as they would have, until a restart. */
  shift(ms: number): void {
    for (const loaded of this.#loaded.values()) {
      const { until } = loaded.list
      loaded.list = { ...loaded.list, until: until === null ? null : until + ms }
    }
  }

  async #apply(loaded: Loaded): Promise<void> {
    const { name } = loaded.list
    const before = this.#size(name)
    await this.#want(loaded)
    const added = this.#size(name) - before
    const gone = await this.#dropOthers(loaded)
    loaded.applied = { added, gone }
    const all = this.#size(name)
    this.#agent.options.log.info({}, `the list ${name}: ${all} entries, ${added} new, ${gone} gone`)
  }

  /** Wants all entries of the file, but those that hold somebody who is never banned. */
  async #want(loaded: Loaded, never = this.#neverBanned()): Promise<void> {
    const { wanted, judge } = this.#agent
    const { list, stop } = loaded
    const spared = new PrefixSet(never)
    const jail = jailOfList(list.name)
    loaded.leftOut = 0
    loaded.example = null
    for await (const prefixes of this.#files.entries(list)) {
      if (stop.signal.aborted) return
      for (const prefix of prefixes) {
        const ban = banOf(list, jail, prefix)
        if (spared.overlapping(prefix) === undefined) wanted.put(ban, 'new')
        else this.#leaveOut(ban, judge.sparing(prefix, 'manual') ?? 'it is never banned')
      }
      await this.#pace(stop.signal)
    }
  }

  /** Ends the entries of earlier loadings. */
  async #dropOthers({ list, stop }: Loaded): Promise<number> {
    const { wanted } = this.#agent
    const jail = jailOfList(list.name)
    let gone = 0
    for (const ban of wanted.ofJail(jail)) {
      if (stop.signal.aborted) break
      if (ban.since === list.since) continue
      wanted.remove(ban.prefix, jail)
      if (++gone % endedAtOnce === 0) await this.#pace(stop.signal)
    }
    return gone
  }

  async #end(loaded: Loaded): Promise<void> {
    const { name } = loaded.list
    loaded.stop.abort()
    if (this.#loaded.get(name) === loaded) this.#loaded.delete(name)
    await this.#inTurn(async () => {
      // Another may have been loaded under the name meanwhile.
      if (this.#loaded.has(name)) return
      await this.#files.remove(loaded.list)
      const nothing = { ...begin(loaded.list), list: { ...loaded.list, since: -1 } }
      await this.#dropOthers(nothing)
    })
  }

  #neverBanned(): readonly Prefix[] {
    return [...this.#agent.judge.spared(), ...this.#agent.allowing.list.prefixes]
  }

  #leaveOut(ban: Ban, why: string): void {
    const loaded = this.#loaded.get(listOfJail(ban.jail) ?? '')
    if (loaded === undefined) return
    loaded.leftOut++
    loaded.example ??= `${ban.prefix}: ${why}`
  }

  #size(name: string): number {
    return this.#agent.wanted.perJail.get(jailOfList(name)) ?? 0
  }

  /** Lets others have their turn, and the actions catch up. */
  async #pace(signal: AbortSignal): Promise<void> {
    await turn()
    while (!signal.aborted && this.#queues().some(({ state }) => state.pending > mostPending)) await sleep(20)
  }

  #queues() {
    return this.#agent.enforcing.queuesOf(jailOfList(''))
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /** What came of it when the actions have all of it; null where that takes longer than a command waits. */
  async #within<Result>(work: Promise<Result>, ms: number): Promise<Result | null> {
    const late = new AbortController()
    const done = work.then(async (result) => {
      await Promise.all(this.#queues().map((queue) => queue.settled()))
      return this.#queues().some(({ state }) => state.failure !== null) ? null : result
    })
    try {
      return await Promise.race([done, sleep(ms, null, { signal: late.signal })])
    } finally {
      late.abort()
    }
  }

  /** Why nothing is carried out now; null: nothing is in the way. */
  #obstacle(): string | null {
    if (this.#agent.firewall.pausedSince !== null) return 'the firewall is paused until "bailiff resume"'
    const failing = this.#queues().find(({ state }) => state.failure !== null)
    return failing === undefined ? null : `${failing.name} fails: ${failing.state.failure}`
  }

  #tell({ list }: Loaded, error: unknown): void {
    if (!this.#stopped) this.#agent.alarm('lists', `the list ${list.name}: ${describeError(error)}`)
  }

  #refuse(name: string): void {
    if (!isListName(name))
      throw new BailiffError(
        'usage',
        `${quote(name)} cannot be the name of a list; it has up to 64 letters, digits, dots, dashes and underscores`,
      )
    if (this.#loaded.size >= maxLists && !this.#loaded.has(name))
      throw new BailiffError('data', `there are ${maxLists} lists already, and no more than that can be`)
  }

  #unknown(name: string): BailiffError {
    const names = [...this.#loaded.keys()]
    return new BailiffError(
      'no-input',
      `there is no list ${quote(name)}; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ') || 'none'}`,
    )
  }
}

interface Counts {
  readonly added: number
  readonly gone: number
}

const beingCarriedOut = 'it is still being carried out'
const unknown = { added: null, gone: null } as const

function begin(list: NamedList): Loaded {
  return { list, stop: new AbortController(), leftOut: 0, example: null, applied: null, held: false, failure: null }
}

/** Made once: a list has a million bans. */
const allPorts: Ports = { protocol: 'all', ports: [] }
const noLines: readonly string[] = []

function banOf({ since, until }: NamedList, jail: string, prefix: Prefix): Ban {
  return { prefix, jail, ports: allPorts, since, until, count: 1, failures: 0, lines: noLines }
}
