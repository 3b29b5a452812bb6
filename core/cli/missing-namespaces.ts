import { possibleNamespaces } from '../plugin-host/host-command.ts'
import { namespacesMissing } from '../plugin-host/namespaces.ts'
import { findAccount } from '../rights/accounts.ts'
import type { Settings } from '../settings/load-settings.ts'
import { agentAccount, agentUser } from './named-accounts.ts'

/**
 * What plugins of others are not kept from on this machine, in words; null: all namespaces are there. Tried out as the
 * user that an agent becomes which is started here. Throws a BailiffError for a user that is named and not there.
 */
export function missingNamespaces(settings: Settings | null): string | null {
  const root = process.geteuid?.() === 0
  const account = !root ? null : settings === null ? findAccount(agentUser, null) : agentAccount(settings)
  return namespacesMissing(possibleNamespaces(account ?? undefined))
}

/** What mostly lets them be made. */
export const namespacesMend =
  'allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; see "What it may do" in docs/using-plugins.md'
