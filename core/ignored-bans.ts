import type { Agent } from './agent.ts'
import { listOfJail, type Ban } from './events.ts'

/** Bans that are told one by one; of more it is told how many. */
const mostTold = 20

/**
 * Ends the bans of whoever is never banned now: who is written into `ignoreip`, or gets a new address by a name there,
 * is let in at the reload and has not to be unbanned as well. Wider bans that hold such an address end, too. Entries
 * of named lists are left to `AgentLists.screen`.
 */
export function endIgnoredBans({ judge, wanted, observed, options: { log } }: Agent): void {
  let ended = 0
  for (const prefix of judge.spared()) {
    const ignored = ({ prefix: banned, jail }: Ban) =>
      listOfJail(jail) === null ? judge.sparing(banned, jail) : undefined
    for (const ban of wanted.touching(prefix)) {
      const why = ignored(ban)
      if (why === undefined) continue
      wanted.remove(ban.prefix, ban.jail, 'ignored')
      if (++ended <= mostTold) log.info({ jail: ban.jail }, `the ban of ${ban.prefix} ends: ${why}`)
    }
    for (const ban of observed.touching(prefix))
      if (ignored(ban) !== undefined) observed.remove(ban.prefix, ban.jail, 'ignored')
  }
  if (ended > mostTold) log.info({}, `${ended - mostTold} more bans end, since they are ignored now`)
}
