import type { Prefix } from '../address.ts'
import type { Ban, Ports } from '../events.ts'
import { banLength, foreverIfLong, type Bantime } from './bantime.ts'
import type { Excerpt } from './excerpts.ts'
import type { Reached } from './failure-counter.ts'
import type { JailRules } from './jail-rules.ts'
import { Offences, type Offence } from './offences.ts'
import type { RuleNumbers } from './rule-numbers.ts'

/** A ban that a person asks for. */
export interface Decree {
  readonly prefix: Prefix
  readonly jail: string
  /** Of the jail, if there is such a one. */
  readonly rules: JailRules | undefined
  readonly since: number
  /** Null: for ever; absent: as long as the jail says. */
  readonly lengthMs: number | null | undefined
}

/** Decides how long bans last, by how often somebody was banned before. */
export class Sentences {
  readonly #offences: Offences
  readonly #rules: RuleNumbers
  /** What was made of the lines asked for last: several jails may ban for the same. */
  #evidence: { readonly of: readonly Excerpt[]; readonly is: Pick<Ban, 'lines' | 'rules'> } = {
    of: [],
    is: { lines: [] },
  }

  constructor(known: Iterable<Offence>, rules: RuleNumbers) {
    this.#offences = new Offences(known)
    this.#rules = rules
  }

  /** Knows of a ban that was decided elsewhere. */
  note(offence: Offence): void {
    this.#offences.note(offence)
  }

  before(prefix: Prefix, jail: string): number {
    return this.#offences.count(prefix, jail)
  }

  /** The ban; null where it would be over already, since the lines were read too late. That makes the next no longer. */
  ban(rules: JailRules, { prefix, failures, lines }: Reached, since: number, now: number): Ban | null {
    const { name, ports, bantime } = rules
    if (prefix === null) return null
    const count = this.#offences.count(prefix, name) + 1
    const length = banLength(bantime, count)
    const until = length === null ? null : since + length
    if (until !== null && until <= now) return null
    this.#offences.add(prefix, name)
    return { prefix, jail: name, ports, since, until, count, failures, ...this.#evidenceOf(lines()) }
  }

  #evidenceOf(excerpts: readonly Excerpt[]): Pick<Ban, 'lines' | 'rules'> {
    if (this.#evidence.of !== excerpts) this.#evidence = { of: excerpts, is: evidence(excerpts, this.#rules) }
    return this.#evidence.is
  }

  /** A ban that a person asks for; of no jail it is for all ports, and as long as `fallback` says. */
  decree({ prefix, jail, rules, since, lengthMs }: Decree, fallback: Bantime): Ban {
    const count = this.#offences.add(prefix, jail)
    const length = lengthMs === undefined ? banLength(rules?.bantime ?? fallback, count) : foreverIfLong(lengthMs)
    return decreed(prefix, jail, rules, since, length, count)
  }
}

/** The ban by a person that lasts so long. */
export function decreed(
  prefix: Prefix,
  jail: string,
  rules: JailRules | undefined,
  since: number,
  lengthMs: number | null,
  count: number,
): Ban {
  const ports: Ports = rules?.ports ?? { protocol: 'all', ports: [] }
  const until = lengthMs === null ? null : since + lengthMs
  return { prefix, jail, ports, since, until, count, failures: 0, lines: [] }
}

/** The lines of a ban, and what found them where that is known. */
export function evidence(excerpts: readonly Excerpt[], names: RuleNumbers): Pick<Ban, 'lines' | 'rules'> {
  const lines = excerpts.map(({ line }) => line)
  const rules = excerpts.map(({ rule }) => names.name(rule))
  return rules.some((rule) => rule !== '') ? { lines, rules } : { lines }
}
