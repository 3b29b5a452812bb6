/** Whether the agent, as the user that it becomes, can write where the configuration sends it. */
import { existsSync, statSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { BailiffError } from '../errors.ts'
import type { Account } from '../rights/accounts.ts'
import { marker } from '../rights/root-folder.ts'
import type { Settings } from '../settings/load-settings.ts'
import { agentAccount } from './named-accounts.ts'

/** Why the agent cannot write in a folder that is there, for people, and the command that mends it; null: it can. */
export function closedTo(account: Account, folder: string): { readonly why: string; readonly mend: string } | null {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found === undefined || (found.isDirectory() && willBelongTo(account, folder, found))) return null
  if (!found.isDirectory()) return { why: `${folder} is no folder`, mend: `mv ${folder} ${folder}.old` }
  return {
    why: `the user ${account.name} may not write in ${folder}, so the agent does not start`,
    mend: `chown -R ${account.name}: ${folder}, where nothing else lies in it; else name a folder of its own`,
  }
}

/** Problems of `state` and `control`, as far as root sees them: others are not to become another user. */
export function closedFolders(settings: Settings): BailiffError[] {
  if (process.geteuid?.() !== 0) return []
  try {
    const account = agentAccount(settings)
    if (account === null) return []
    const named = { state: settings.state, control: dirname(settings.control) }
    return Object.entries(named).flatMap(([option, folder]) => {
      const closed = closedTo(account, folder)
      return closed === null
        ? []
        : [new BailiffError('config', closed.why, { where: { file: settings.file, option }, hint: closed.mend })]
    })
  } catch (error) {
    // Users that there are not are told elsewhere.
    if (error instanceof BailiffError) return []
    throw error
  }
}

/** Whether the user may write there, or is given the folder at the start, as one that an agent of root has made. */
function willBelongTo({ uid, groups }: Account, folder: string, { uid: owner, gid, mode }: Stats): boolean {
  if (uid === 0 || owner === uid || (mode & 0o002) !== 0) return true
  if (groups.includes(gid) && (mode & 0o020) !== 0) return true
  return owner === 0 && [marker, 'bailiff.sqlite'].some((name) => existsSync(join(folder, name)))
}
