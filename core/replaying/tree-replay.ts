/** What stands before the judge for jails of a Fail2ban tree, on the clock of stored logs. */
import { BailiffError, describeError } from '../errors.ts'
import type { Failure, FilterHit } from '../events.ts'
import type { TreeParts } from '../fail2ban-settings.ts'
import { FailureGate } from '../fail2ban/counting/failure-gate.ts'
import { DateForms } from '../fail2ban/dates/date-forms.ts'
import { JailLines, lineHit } from '../fail2ban/lines/jail-lines.ts'
import { Sessions } from '../fail2ban/lines/sessions.ts'
import { brokenFilter } from '../fail2ban/running/filter-problem.ts'
import { OptionPlaces } from '../fail2ban/running/option-place.ts'
import { treeFailure } from '../fail2ban/running/tree-failures.ts'
import { textsOfKind } from '../fail2ban/tree/texts-of-kind.ts'
import type { OrderedJail } from '../matching/ordered-jails.ts'

/** A jail of a tree as far as a replay needs it. */
export interface ReplayedTreeJail {
  readonly name: string
  readonly filterName: string
  readonly parts: TreeParts
}

export interface TreeReplayOptions {
  /** Counts a failure that nothing ignores, at this time (unix ms). */
  readonly count: (failure: Failure, time: number) => void
  readonly onIgnored: (jail: string) => void
  /** Hears what somebody should know. */
  readonly tell: (message: string) => void
}

/**
 * Makes failures of the hits of stored logs: sessions, names, whom the jail ignores. Names are looked up as the jail
 * says; an `ignorecommand` is not run, for who asks what would be wants nothing to be done.
 */
export class TreeReplay {
  /** The jails for the scanner; those with a broken filter are left out, and told. */
  readonly ordered: readonly OrderedJail[]
  readonly #jails: ReadonlyMap<string, ReplayedTreeJail>
  readonly #sessions: ReadonlyMap<string, Sessions>
  readonly #gate: FailureGate
  readonly #options: TreeReplayOptions

  constructor(jails: readonly ReplayedTreeJail[], options: TreeReplayOptions) {
    this.#options = options
    this.#jails = new Map(jails.map((jail) => [jail.name, jail]))
    const forms = new DateForms()
    this.ordered = jails.flatMap((jail) => this.#lines(jail, forms))
    this.#sessions = new Map(
      jails.map(({ name, parts }) => [name, new Sessions({ raw: parts.texts?.usedns === 'raw' })] as const),
    )
    this.#gate = new FailureGate({
      count: (failure, { arrivedAt }) => options.count(failure, arrivedAt),
      onIgnored: (jail) => options.onIgnored(jail),
      warn: (jail, message) => options.tell(jail === null ? message : `${jail}: ${message}`),
    })
  }

  /** To be awaited before the first hit. */
  async start(): Promise<void> {
    const rules = [...this.#jails.values()].map(({ parts }) => parts.gate)
    for (const { name, ignorecommand } of rules)
      if (ignorecommand !== '') this.#options.tell(`${name}: its ignorecommand is not run, so it ignores nobody here`)
    const wrong = await this.#gate.configure(rules.map((one) => ({ ...one, ignorecommand: '' })))
    for (const [jail, problem] of wrong) this.#options.tell(`${jail}: ${describeError(problem)}`)
  }

  /** Takes a hit at the time that the clock of the logs has. A promise where something has to be waited for. */
  take(hit: FilterHit, time: number): Promise<void> | undefined {
    const jail = this.#jails.get(hit.jail)
    const raw = this.#sessions.get(hit.jail)?.merge(lineHit(hit), time / 1000)
    const failure = raw && jail ? treeFailure(raw, { ...hit, filter: jail.filterName }) : null
    if (failure === null) return undefined
    this.#gate.take(failure, { arrivedAt: time, live: true, undatedAt: time })
    return this.#gate.settled()
  }

  stop(): void {
    this.#gate.stop()
  }

  /** Stored logs are files, also of jails that read the journal. */
  #lines({ name, filterName, parts }: ReplayedTreeJail, forms: DateForms): OrderedJail[] {
    const { tree, folder } = parts
    try {
      const ofFiles = textsOfKind(folder, tree, false)
      return ofFiles === null ? [] : [new JailLines({ jail: name, texts: ofFiles, findtimeSeconds: null }, forms)]
    } catch (error) {
      const list = error instanceof Error && 'list' in error ? String(error.list) : 'failregex'
      const where = new OptionPlaces(folder).ofFilter(name, filterName, list)
      const message = error instanceof Error ? error.message : String(error)
      const hint = error instanceof BailiffError ? error.hint : undefined
      this.#options.tell(`${name} is left out: ${describeError(brokenFilter({ message, hint }, where))}`)
      return []
    }
  }
}
