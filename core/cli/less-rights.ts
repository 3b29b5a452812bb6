import { accessSync, constants, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { refuseSecondAgent } from '../control/server.ts'
import { BailiffError, describeError } from '../errors.ts'
import type { UserIds } from '../firewall/helper-command.ts'
import { HelperProcess } from '../firewall/helper-process.ts'
import type { Logger } from '../plugin.ts'
import type { Account } from '../rights/accounts.ts'
import { becomeUser } from '../rights/become-user.ts'
import { describeHand, type ForeignHand } from '../rights/foreign-hands.ts'
import { handOver, makeFolder } from '../rights/hand-over.ts'
import { handOverFile } from '../rights/hand-over-file.ts'
import { isUserOfProcess, unusedUser } from '../rights/unused-user.ts'
import type { Settings } from '../settings/load-settings.ts'
import { defaultPlaces } from '../settings/places.ts'
import { agentAccount, agentUser, helperAccount, helperUser, makeUser } from './named-accounts.ts'
import { foreignFile, refuseChosenRights, refuseToStayRoot } from './trusted-configuration.ts'

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
  await refuseSecondAgent(settings.control)
  const hands = makeFolders(settings, account, log)
  const starting = needed ? startHelper(settings, account, log) : Promise.resolve(null)
  const [outcome] = await Promise.allSettled([starting])
  const helper = outcome.status === 'fulfilled' ? outcome.value : null
  try {
    if (account !== null) {
      handOwnLog(settings, account, log)
      becomeUser(account)
      // Says more than the start of the helper, where a folder is the reason for both.
      checkAccess(settings, account, hands)
      log.info({}, `the agent is now the user ${account.name}, without rights of root`)
    }
    if (outcome.status === 'rejected') throw outcome.reason
    return helper
  } catch (error) {
    await helper?.stop()
    throw error
  }
}

/** Whom the agent becomes; null: it stays root. */
function ownAccount(settings: Settings, log: Logger): Account | null {
  if (settings.user === 'root') {
    refuseToStayRoot(settings)
    return null
  }
  const foreign = foreignFile(settings)
  if (foreign !== null) refuseChosenRights(settings, foreign, [agentUser, helperUser])
  const account = agentAccount(settings)
  if (account !== null) return account
  if (foreign !== null)
    log.warn(
      {},
      `others than root may change the configuration of an agent that is root: ${describeHand(foreign.hand)}`,
    )
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

/**
 * Makes the folders as root, where others than root cannot turn that to their account: neither by what
 * they may change on the way, which is answered by folder, nor by what they wrote into the configuration.
 */
function makeFolders(settings: Settings, account: Account | null, log: Logger): ReadonlyMap<string, ForeignHand> {
  const hands = new Map<string, ForeignHand>()
  const foreign = foreignFile(settings)
  const sockets = [settings.control, helperSocket(settings)].map((path) => basename(path))
  const usual = defaultPlaces()
  for (const folder of foldersOf(settings)) {
    const asked = foreign !== null && ![usual.state, dirname(usual.control)].includes(folder)
    const made = () => (account === null ? makeFolder(folder) : handOver(folder, sockets, account))
    const hand = asked ? foreign.hand : made()
    if (hand === null) continue
    hands.set(folder, hand)
    if (account === null)
      log.warn({}, `others than root can lead the agent, which is root, away from ${folder}: ${describeHand(hand)}`)
  }
  return hands
}

/** The agent writes this log, and it lies where only root may make files. Without it all else goes on. */
function handOwnLog({ ownLog }: Settings, account: Account, log: Logger): void {
  if (ownLog?.target.type !== 'file') return
  const { path } = ownLog.target
  const kept = (why: string) =>
    log.warn({}, `the user ${account.name} is not given ${path}, and may not be able to write it: ${why}`)
  try {
    const hand = handOverFile(path, account)
    if (hand !== null) kept(describeHand(hand))
  } catch (error) {
    kept(describeError(error))
  }
}

/** What the agent needs is told now and not at the next reload. */
function checkAccess(settings: Settings, { name }: Account, hands: ReadonlyMap<string, ForeignHand>): void {
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
  for (const folder of foldersOf(settings)) checkFolder(folder, name, hands.get(folder))
}

/** One that root did not make is made with the rights of the user, if they suffice. */
function checkFolder(folder: string, name: string, hand: ForeignHand | undefined): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    // That it may not write there is what matters.
  }
  if (may(join(folder, '.'), constants.W_OK | constants.X_OK)) return
  const what = `the user ${name} may not write in ${folder}`
  if (hand === undefined)
    throw new BailiffError('no-permission', what, {
      hint: `give it a folder of its own, or all of this one: chown -R ${name}: ${folder}`,
    })
  const why = 'and root makes and gives away nothing where others than root may say what it is'
  throw new BailiffError('no-permission', `${what}, ${why}: ${describeHand(hand)}`, {
    hint: 'name one in the configuration below folders that only root may change, such as /var/lib/bailiff',
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
