import { parsePrefix, type Prefix } from './address.ts'
import type { Agent } from './agent.ts'
import type { AllowAnswer, AllowReport, AllowRequest, DisallowAnswer } from './control/api.ts'
import { BailiffError, describeError, quote } from './errors.ts'
import type { Ban } from './events.ts'
import { addressesOf, AllowList } from './judging/allow-list.ts'
import { maxAllows, readStoredAllows, storeAllows } from './stored-allows.ts'

/** Whom people let in: kept in a file of the state, so that no restart and no damaged store shuts them out. */
export class AgentAllowing {
  readonly list: AllowList
  readonly #agent: Agent
  readonly #state: string
  #writing: Promise<void> = Promise.resolve()

  /** `state`: the folder of the state. */
  constructor(agent: Agent, state: string) {
    this.#agent = agent
    this.#state = state
    this.list = new AllowList({
      onChange: () => this.#changed(),
      onNameFailure: (name, error) =>
        agent.alarm('allow', `the name ${name} cannot be looked up: ${error.message}; its last addresses stay allowed`),
    })
  }

  /** Reads what holds over the restart. A file that cannot be read is told, and stays. */
  async load(): Promise<void> {
    try {
      const allows = await readStoredAllows(this.#state)
      if (allows === null) return
      for (const allow of allows) this.list.put(allow)
    } catch (error) {
      this.#agent.alarm('allow', `who was allowed before is not known any more: ${describeError(error)}`)
    }
    this.list.expire(Date.now())
    this.list.start()
    void this.list.follow()
  }

  stop(): void {
    this.list.stop()
  }

  reports(): readonly AllowReport[] {
    return this.list.allows
  }

  /** Lets them in at once. Throws a BailiffError, and changes nothing, where a name cannot be looked up. */
  async allow({ subjects, lengthMs }: AllowRequest): Promise<AllowAnswer> {
    const known = new Set(this.list.allows.map(({ subject }) => subject))
    if (subjects.filter((subject) => !known.has(subject)).length + known.size > maxAllows)
      throw new BailiffError('data', `more than ${maxAllows} addresses and names cannot be allowed at once`, {
        hint: 'write those that are always allowed into "ignoreip" of the configuration',
      })
    const found = await Promise.all(subjects.map(async (subject) => [subject, await prefixesOf(subject)] as const))
    const since = Date.now()
    const until = lengthMs === null ? null : since + lengthMs
    for (const [subject, prefixes] of found) this.list.put({ subject, since, until, prefixes })
    const ended = this.enforce()
    await this.#save()
    return { allowed: this.list.allows.filter(({ subject }) => subjects.includes(subject)), ended }
  }

  /** Ends the permission of some, or of all. */
  async disallow(subjects: readonly string[] | 'all'): Promise<DisallowAnswer> {
    const all = subjects === 'all' ? this.list.allows.map(({ subject }) => subject) : subjects
    const results = all.map((subject) => ({ subject, ended: this.list.remove(subject) }))
    this.#tellHelper()
    this.#agent.lists.again()
    await this.#save()
    return {
      ended: results.filter(({ ended }) => ended).map(({ subject }) => subject),
      absent: results.filter(({ ended }) => !ended).map(({ subject }) => subject),
    }
  }

  /** Ends every ban that holds an allowed address, and answers those. To be called when the helper is there, too. */
  enforce(): readonly Ban[] {
    this.#tellHelper()
    const { wanted, observed, lists } = this.#agent
    return this.list.prefixes.flatMap((prefix) => {
      observed.removeTouching(prefix)
      const ended = wanted.removeTouching(prefix)
      for (const ban of ended) lists.spared(ban)
      return ended
    })
  }

  /** To be called every second. */
  expire(now: number): void {
    const over = this.list.expire(now)
    if (over.length === 0) return
    for (const { subject } of over)
      this.#agent.options.log.info({}, `${subject} is not allowed any more: its time is over`)
    this.#tellHelper()
    this.#agent.lists.again()
    void this.#save()
  }

  shift(ms: number): void {
    if (this.list.allows.length === 0) return
    this.list.shift(ms)
    void this.#save()
  }

  /** It refuses these, too: a second lock, for which this agent need not be right. */
  #tellHelper(): void {
    const told = this.#agent.firewall.helper?.spare(this.list.prefixes)
    told?.catch((error: unknown) => this.#agent.options.log.warn({}, describeError(error)))
  }

  #changed(): void {
    this.enforce()
    this.#agent.lists.again()
    void this.#save()
  }

  /** One after the other, each with what holds when its turn comes. Never rejects. */
  #save(): Promise<void> {
    this.#writing = this.#writing
      .then(() => storeAllows(this.#state, this.list.allows))
      .catch((error: unknown) =>
        this.#agent.alarm('allow', `who is allowed will not outlast a restart: ${describeError(error)}`),
      )
    return this.#writing
  }
}

async function prefixesOf(subject: string): Promise<readonly Prefix[]> {
  const prefix = parsePrefix(subject)
  if (prefix !== null) return [prefix]
  try {
    return await addressesOf(subject)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BailiffError('no-input', `the name ${quote(subject)} cannot be looked up: ${why}`, {
      hint: 'nothing was changed: name its address, or let the agent reach a name server',
      cause,
    })
  }
}
