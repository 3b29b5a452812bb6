import { closeSync, existsSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { whyUnreadable } from '../errors.ts'
import type { Account } from '../rights/accounts.ts'
import { marker } from '../rights/root-folder.ts'
import type { Settings } from '../settings/load-settings.ts'
import { diskOf } from './doctor-host.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { agentAccount } from './named-accounts.ts'
import { amount } from './progress.ts'

/** The folder of the bans: whether it is there, has room, and holds a store (https://sqlite.org/fileformat2.html). */
export function storeFindings(settings: Settings): DoctorFinding[] {
  const { state } = settings
  const folder = statSync(state, { throwIfNoEntry: false })
  if (folder === undefined) return [ok('store', `${state} is made at the first start`)]
  if (!folder.isDirectory()) return [problem('store', `${state} is no folder`, `mv ${state} ${state}.old`)]
  const account = process.geteuid?.() === 0 ? agentAccount(settings) : null
  if (account !== null && !willBelongTo(account, state, folder))
    return [
      problem(
        'store',
        `the user ${account.name} may not write in ${state}, so the agent does not start`,
        `chown -R ${account.name}: ${state}`,
      ),
    ]
  const disk = diskOf(state)
  const store = join(state, 'bailiff.sqlite')
  const found = statSync(store, { throwIfNoEntry: false })
  if (found === undefined) return [disk, ok('store', `${store} is made at the first start`)]
  try {
    const sound = startsAs(store, 'SQLite format 3\0')
    return [
      disk,
      sound
        ? ok('store', `${store} has ${amount(found.size, 'bytes')}`)
        : problem(
            'store',
            `${store} is damaged: the agent sets it aside and begins anew`,
            'start the agent, and see its log',
          ),
    ]
  } catch (error) {
    return [disk, note('store', `${store} cannot be looked at: ${whyUnreadable(error)}`)]
  }
}

/** Whether the user may write there, or is given the folder at the start, as one that an agent of root has made. */
function willBelongTo({ uid, groups }: Account, state: string, folder: Stats): boolean {
  if (uid === 0 || folder.uid === uid || (folder.mode & 0o002) !== 0) return true
  if (groups.includes(folder.gid) && (folder.mode & 0o020) !== 0) return true
  return folder.uid === 0 && [marker, 'bailiff.sqlite'].some((name) => existsSync(join(state, name)))
}

function startsAs(file: string, head: string): boolean {
  const descriptor = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(head.length)
    const length = readSync(descriptor, buffer)
    return buffer.toString('latin1', 0, length) === head
  } finally {
    closeSync(descriptor)
  }
}
