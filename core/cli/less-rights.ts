import { accessSync, constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { claimSocket } from '../control/server.ts'
import { BailiffError } from '../errors.ts'
import type { UserIds } from '../firewall/helper-command.ts'
import { HelperProcess } from '../firewall/helper-process.ts'
import type { Logger } from '../plugin.ts'
import type { Account } from '../rights/accounts.ts'
import { becomeUser } from '../rights/become-user.ts'
import { handOver } from '../rights/hand-over.ts'
import { isUserOfProcess, unusedUser } from '../rights/unused-user.ts'
import type { Settings } from '../settings/load-settings.ts'
import { agentAccount, agentUser, helperAccount, makeUser } from './named-accounts.ts'

/** Where the helper that this agent starts listens: beside the control socket. */
export const helperSocket = ({ control }: Settings): string => `${control}.fw`

/**
 * What an agent that root started does before it opens a log or loads a plugin: what needs root, that is
 * the folders and the launcher of the helper, and then it becomes its own user. Answers the helper;
 * null where none is needed, or this process is not root and the helper is started when it is needed.
 * Throws a `BailiffError`, after which the process must end, when the user that the configuration names,
 * or the user `bailiff` where there is one, cannot be become for good.
 */
export async function takeLessRights(
  settings: Settings,
  { helper: needed, log }: { readonly helper: boolean; readonly log: Logger },
): Promise<HelperProcess | null> {
  if (process.geteuid?.() !== 0) return null
  const account = ownAccount(settings, log)
  await claimSocket(settings.control)
  if (account !== null) for (const folder of foldersOf(settings)) handOver(folder, account)
  const helper = needed ? await startHelper(settings, account, log) : null
  if (account === null) return helper
  try {
    becomeUser(account)
    checkAccess(settings, account)
  } catch (error) {
    await helper?.stop()
    throw error
  }
  log.info({}, `the agent is now the user ${account.name}, without rights of root`)
  return helper
}

/** Whom the agent becomes; null: it stays root. */
function ownAccount(settings: Settings, log: Logger): Account | null {
  const account = agentAccount(settings)
  if (account !== null || settings.user === 'root') return account
  const what = `there is no user ${agentUser}, so the agent keeps the rights of root`
  log.warn({}, `${what}; make one with "${makeUser(agentUser)}"`)
  return null
}

function startHelper(settings: Settings, account: Account | null, log: Logger): Promise<HelperProcess> {
  const user = userOfHelper(settings, account, log)
  return HelperProcess.start({
    log,
    socket: helperSocket(settings),
    ...(account === null ? {} : { owner: account }),
    ...(user === null ? {} : { user }),
  })
}

/**
 * Never that of the agent: a process may signal all others of its user, and on SIGUSR1 Node lets whoever
 * connects steer it. Null: the agent stays root, and so does the helper.
 */
function userOfHelper(settings: Settings, account: Account | null, log: Logger): UserIds | null {
  const named = helperAccount(settings, account)
  if (named === null || named.uid === account?.uid) return account === null ? null : unusedUser()
  if (isUserOfProcess(named.uid))
    log.warn({}, `other processes run as ${named.name} too, and could take the firewall helper over`)
  return named
}

const foldersOf = ({ state, control }: Settings) => [state, dirname(control)]

/** What the agent needs is told now and not at the next reload. */
function checkAccess(settings: Settings, { name }: Account): void {
  const program = fileURLToPath(new URL('./main.js', import.meta.url))
  if (!may(program, constants.R_OK))
    throw new BailiffError('no-permission', `the user ${name} may not read ${program}`, {
      hint: 'install Bailiff where everybody may read it, for example with "npm install --global"',
    })
  for (const file of settings.files)
    if (!may(file, constants.R_OK))
      throw new BailiffError('no-permission', `the user ${name} may not read this file`, {
        where: { file },
        hint: `chgrp ${name} ${file} && chmod g+r ${file}, and let it enter ${dirname(file)}`,
      })
  for (const folder of foldersOf(settings))
    if (!may(join(folder, '.'), constants.W_OK | constants.X_OK))
      throw new BailiffError('no-permission', `the user ${name} may not write in ${folder}`, {
        hint: `give it a folder of its own, or all of this one: chown -R ${name}: ${folder}`,
      })
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
