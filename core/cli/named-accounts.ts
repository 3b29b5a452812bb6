/** The users that the configuration names for the agent and its helper, or those that are looked for. */
import { BailiffError, printable, quote, type Where } from '../errors.ts'
import { findAccount, type Account } from '../rights/accounts.ts'
import type { Settings } from '../settings/load-settings.ts'

/** The users that are looked for where the configuration names none. */
export const agentUser = 'bailiff'
export const helperUser = 'bailiff-firewall'

/** The command that makes a user. */
export const makeUser = (name: string) =>
  `useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${printable(name)}`

/**
 * Whom an agent that root started is to become; null: nobody, since the configuration says `root`, or
 * names nobody and there is no `bailiff`. Throws a BailiffError, at its place, for a user that is named
 * and not there, for root by another name, and for a group that is not there.
 */
export function agentAccount({ user, groups, accountsAt }: Settings): Account | null {
  if (user === 'root') return null
  return accountOf(user, agentUser, groups, { user: accountsAt.user, groups: accountsAt.groups })
}

/**
 * Whom the helper of this agent is to become; null: there is nobody. Throws as `agentAccount` does, and
 * where the configuration names the user of the agent; the one that is looked for may be that.
 */
export function helperAccount({ firewallUser, accountsAt }: Settings, agent: Account | null): Account | null {
  const where = accountsAt.firewallUser
  const account = accountOf(firewallUser, helperUser, [], { user: where, groups: where })
  if (firewallUser !== null && account !== null && account.uid === agent?.uid)
    throw new BailiffError('config', `${quote(firewallUser)} is the user of the agent`, {
      where,
      hint: 'leave it out, or name a user that nothing else runs as: a taken agent could take the helper over',
    })
  return account
}

/** What `agentAccount` and `helperAccount` would refuse. */
export function accountProblems(settings: Settings): BailiffError[] {
  const problems: BailiffError[] = []
  const orProblem = (find: () => Account | null): Account | null => {
    try {
      return find()
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error
      problems.push(error)
      return null
    }
  }
  const agent = orProblem(() => agentAccount(settings))
  orProblem(() => helperAccount(settings, agent))
  return problems
}

function accountOf(
  named: string | null,
  usual: string,
  groups: readonly string[] | null,
  at: Readonly<Record<'user' | 'groups', Where>>,
): Account | null {
  const name = named ?? usual
  const account = withPlace(() => findAccount(name, groups), at.groups)
  if (account?.uid === 0) throw new BailiffError('config', `${quote(name)} is root by another name`, { where: at.user })
  if (account !== null || named === null) return account
  throw new BailiffError('config', `there is no user ${quote(name)}`, {
    where: at.user,
    hint: `make one with "${makeUser(name)}"`,
  })
}

/** The rights know no configuration, and so no place. */
function withPlace<T>(find: () => T, where: Where): T {
  try {
    return find()
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    throw new BailiffError(error.kind, error.message, {
      where,
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}
