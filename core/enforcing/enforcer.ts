import type { Ban, BanReason } from '../events.ts'
import type { ActionBan } from '../plugin.ts'
import type { ActionQueue } from './action-queue.ts'
import { endOf, entryKey, type WantedChange, type WantedSet } from './wanted-set.ts'

/** What the enforcer tells of. */
export interface Enforcement {
  /** The first action of its jail has confirmed the ban. */
  enforced(ban: Ban, reason: BanReason, action: string): void
  /** An action refuses the ban for good. */
  refused(ban: Ban, action: string, reason: string): void
}

/**
 * Sends the wanted set to the actions. Jails share an action when they use it with the same options;
 * bans of several jails for the same prefix and ports are one entry there, which ends with the last of them.
 */
export class Enforcer {
  readonly #wanted: WantedSet
  readonly #told: Enforcement
  #queuesOf: (jail: string) => readonly ActionQueue[] = () => []

  constructor(wanted: WantedSet, told: Enforcement) {
    this.#wanted = wanted
    this.#told = told
    wanted.onChange((change) => this.#carryOut(change))
  }

  /** Takes over the actions of a new configuration. Bans of the actions that are new are sent to them whole. */
  configure(queuesOf: (jail: string) => readonly ActionQueue[], fresh: Iterable<ActionQueue>): void {
    this.#queuesOf = queuesOf
    for (const queue of fresh) this.restore(queue)
  }

  /** Makes an action hold exactly what is wanted of it. */
  restore(queue: ActionQueue): void {
    let count = 0
    for (const [jail, bans] of this.#wanted.perJail) if (this.#queuesOf(jail).includes(queue)) count += bans
    // A million at once would be a quarter of a gigabyte.
    const entries = { [Symbol.iterator]: () => this.#entriesOf(queue) }
    queue.restore(entries, count, (ban, reason) => this.#told.refused(ban, queue.name, reason))
  }

  /** What the action is to hold. */
  *#entriesOf(queue: ActionQueue): Generator<ActionBan> {
    const isIts = (jail: string) => this.#queuesOf(jail).includes(queue)
    // Of the bans that share an entry, the one whose end is the entry's. Most share none: of a million that counts.
    for (const ban of this.#wanted.ofJails(isIts))
      if (this.#wanted.isOnly(ban.prefix) || this.#effective(ban, queue)?.jail === ban.jail)
        yield forAction(ban, 'restored')
  }

  #carryOut({ before, after, reason }: WantedChange): void {
    const sameEntry = before && after && entryKey(before) === entryKey(after)
    if (before && !sameEntry) this.#leave(before)
    if (after) this.#enter(after, sameEntry ? before : null, reason as BanReason)
  }

  #enter(ban: Ban, before: Ban | null, reason: BanReason): void {
    const isAlone = this.#wanted.isOnly(ban.prefix)
    for (const [index, queue] of this.#queuesOf(ban.jail).entries()) {
      const others = isAlone ? 0 : this.#othersEnd(ban, queue)
      const heldUntil = Math.max(before ? endOf(before) : 0, others)
      const settle = (refusal: string | null) => {
        if (refusal !== null) this.#told.refused(ban, queue.name, refusal)
        else if (index === 0) this.#told.enforced(ban, reason, queue.name)
      }
      if (endOf(ban) <= heldUntil) settle(null)
      else queue.ban(forAction(ban, heldUntil > 0 && reason === 'new' ? 'extended' : reason), settle)
    }
  }

  #leave(ban: Ban): void {
    for (const queue of this.#queuesOf(ban.jail)) {
      const rest = this.#effective(ban, queue)
      if (!rest) queue.unban(forAction(ban, 'new'))
      else if (endOf(rest) < endOf(ban)) queue.ban(forAction(rest, 'extended'), () => {})
    }
  }

  /** Of the bans that share the action's entry for this prefix and these ports, the one that ends last. */
  #effective(like: Ban, queue: ActionQueue): Ban | undefined {
    return this.#wanted
      .of(like.prefix)
      .filter((ban) => entryKey(ban) === entryKey(like) && this.#queuesOf(ban.jail).includes(queue))
      .toSorted((a, b) => endOf(b) - endOf(a))[0]
  }

  #othersEnd(like: Ban, queue: ActionQueue): number {
    const others = this.#wanted
      .of(like.prefix)
      .filter((ban) => ban.jail !== like.jail && entryKey(ban) === entryKey(like))
    return Math.max(0, ...others.filter((ban) => this.#queuesOf(ban.jail).includes(queue)).map(endOf))
  }
}

/** Written out: what a spread makes has a shape of its own in V8 each time, half a kilobyte more. */
function forAction(ban: Ban, reason: BanReason): ActionBan {
  const { prefix, jail, ports, since, until, count, failures, lines } = ban
  return { prefix, jail, ports, since, until, count, failures, lines, reason }
}
