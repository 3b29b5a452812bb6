/** The users of the agent and its helper, made where they are missing and would be of use. */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BailiffError } from '../errors.ts'
import { findAccount, type Account } from '../rights/accounts.ts'
import { agentUser, helperUser, makeUser } from './named-accounts.ts'

/** What there is, and what would have to be done. */
export interface UserPlan {
  readonly agent: Account | null
  /** The commands that make those that are missing. */
  readonly commands: readonly string[]
  /** Why they cannot be made here and now; null: they can. */
  readonly obstacle: string | null
}

/**
 * Whether the users can be made. Not where the agent would then be a user that may read neither its program nor
 * its configuration: as root it would run, as that user not.
 */
export function planUsers(config: string): UserPlan {
  const agent = findAccount(agentUser, null)
  const commands = [
    agent === null ? makeUser(agentUser) : null,
    findAccount(helperUser, []) === null ? makeUser(helperUser) : null,
  ]
  const program = fileURLToPath(new URL('.', import.meta.url))
  const closed = closedFolder(program) ?? closedFolder(dirname(config))
  const obstacle =
    process.geteuid?.() !== 0
      ? 'only root can make them'
      : closed === null
        ? null
        : `they could not enter ${closed}; install Bailiff, and keep its configuration, where other users may look`
  return { agent, commands: commands.filter((each) => each !== null), obstacle }
}

/** Makes the users; throws a BailiffError with what useradd says. Answers the user of the agent. */
export function makeUsers({ commands }: UserPlan): Account | null {
  for (const command of commands) {
    const [word = '', ...rest] = command.split(' ')
    try {
      execFileSync(word, rest, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000, encoding: 'utf8' })
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
      const why = said === '' && error instanceof Error ? error.message : said
      throw new BailiffError('os', `the user cannot be made: ${why}`, {
        hint: `"${command}" failed; --no-users goes on without`,
        cause: error,
      })
    }
  }
  return findAccount(agentUser, null)
}

/** The first folder on the way that others may not enter; null: there is none. What is not there is not closed. */
export function closedFolder(folder: string): string | null {
  const above = dirname(folder) === folder ? null : closedFolder(dirname(folder))
  if (above !== null) return above
  const found = statSync(folder, { throwIfNoEntry: false })
  return found === undefined || (found.mode & 0o001) !== 0 ? null : folder
}
