import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { whyUnreadable } from '../errors.ts'
import type { Settings } from '../settings/load-settings.ts'
import { diskOf } from './doctor-host.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { closedTo } from './agent-folders.ts'
import { agentAccount } from './named-accounts.ts'
import { amount } from './progress.ts'

/** The folder of the bans: whether it is there, has room, and holds a store (https://sqlite.org/fileformat2.html). */
export function storeFindings(settings: Settings): DoctorFinding[] {
  const { state } = settings
  const folder = statSync(state, { throwIfNoEntry: false })
  if (folder === undefined) return [ok('store', `${state} is made at the first start`)]
  if (!folder.isDirectory()) return [problem('store', `${state} is no folder`, `mv ${state} ${state}.old`)]
  const account = process.geteuid?.() === 0 ? agentAccount(settings) : null
  const closed = account === null ? null : closedTo(account, state)
  if (closed !== null) return [problem('store', closed.why, closed.mend)]
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
