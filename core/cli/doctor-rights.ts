import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { printable } from '../errors.ts'
import { findAccount } from '../rights/accounts.ts'
import type { Settings } from '../settings/load-settings.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { agentAccount, agentUser, helperUser, makeUser } from './named-accounts.ts'
import { closedFolder } from './setup-users.ts'

/** Whom the agent and the helper become, and whether that user can read the program and the configuration. */
export function rightsFindings(settings: Settings | null): DoctorFinding[] {
  const found: DoctorFinding[] = []
  const account = settings === null ? findAccount(agentUser, null) : agentAccount(settings)
  const staysRoot = settings?.user === 'root'
  if (account === null)
    found.push(
      staysRoot
        ? note(
            'rights',
            'the configuration keeps the agent root',
            'take "user: root" out, and let it have a user of its own',
          )
        : note('rights', `there is no user ${agentUser}, so an agent that root starts stays root`, makeUser(agentUser)),
    )
  else {
    const closed = closedFolder(dirname(fileURLToPath(import.meta.url)))
    found.push(
      closed === null
        ? ok('rights', `the agent becomes ${printable(account.name)}, with ${account.groups.length} groups`)
        : problem(
            'rights',
            `the user ${printable(account.name)} cannot enter ${closed}, where the program lies`,
            `chmod o+x ${closed}, or install Bailiff for the whole system`,
          ),
    )
    if (findAccount(helperUser, []) === null && settings?.firewallUser == null)
      found.push(
        note('rights', `there is no user ${helperUser}; the helper takes an unused number`, makeUser(helperUser)),
      )
  }
  if (process.geteuid?.() !== 0)
    found.push(
      note(
        'rights',
        'this is not root, so the firewall and what only root may read are not looked at',
        'sudo bailiff doctor',
      ),
    )
  return found
}
