import type { Ban, Match } from '../events.ts'
import { judgedAs } from '../jails.ts'
import { Judge } from '../judging/judge.ts'
import { createSessions } from '../matching/sessions.ts'
import type { JailSettings } from '../settings/jail.ts'

/** What became of one of several lines, when they are read one after the other. */
export type Turn =
  /** Another line of its session told of the same failure (<F-ONCE>). */
  | { readonly kind: 'repeated' }
  /** `failures` of `maxretry` lie in the window with this line. */
  | { readonly kind: 'counted'; readonly failures: number; readonly maxretry: number }
  | { readonly kind: 'banned'; readonly ban: Ban }
  /** An earlier line led to a ban that would be in force. */
  | { readonly kind: 'after-ban'; readonly ban: Ban }

/** Counts the matches of several lines as an agent does that reads them as they come. It knows nothing of before. */
export class LineSequence {
  readonly #jails: readonly JailSettings[]
  readonly #judge: Judge
  readonly #bans = new Map<string, Ban>()
  #clock = 0
  readonly #sessions = createSessions({ now: () => this.#clock })

  constructor(jails: readonly JailSettings[]) {
    this.#jails = jails
    this.#judge = new Judge({
      offences: [],
      isBanned: (prefix, jail) => this.#inForce(prefix, jail) !== undefined,
      vital: () => [],
      onNameFailure: () => {},
    })
  }

  async start(): Promise<void> {
    // Who is spared was said before a line comes here.
    const ignore = { prefixes: [], names: [], self: false }
    await this.#judge.configure(this.#jails.map((jail) => ({ ...judgedAs(jail), ignore })))
  }

  take(match: Match, now: number): Turn {
    const time = match.time ?? now
    this.#clock = time
    const known = this.#inForce(match.address, match.jail)
    if (known !== undefined) return { kind: 'after-ban', ban: known }
    const [counted] = this.#sessions.merge([match])
    if (counted === undefined) return { kind: 'repeated' }
    const [ban] = this.#judge.count(counted, { arrivedAt: time, live: true, undatedAt: time })
    if (ban !== undefined) {
      this.#bans.set(`${ban.prefix} ${ban.jail}`, ban)
      return { kind: 'banned', ban }
    }
    const { failures = [] } = this.#judge.standing(match.address, match.jail) ?? {}
    const { maxretry = 0, findtimeMs = 0 } = this.#jails.find(({ name }) => name === match.jail) ?? {}
    return { kind: 'counted', failures: failures.filter((each) => each >= time - findtimeMs).length, maxretry }
  }

  #inForce(prefix: string, jail: string): Ban | undefined {
    const ban = this.#bans.get(`${prefix} ${jail}`)
    return ban !== undefined && (ban.until === null || ban.until > this.#clock) ? ban : undefined
  }
}
