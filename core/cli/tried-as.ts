import { statSync } from 'node:fs'
import type { HostRights } from '../plugin-host/host-command.ts'

/**
 * As whom plugins of others are tried where this is root, who without its rights enters no folder of somebody else: as
 * the owner of the folder of the state, which is the user of the agent once that has run. Undefined: root owns it.
 */
export function triedAs(state: string): HostRights['user'] {
  const found = statSync(state, { throwIfNoEntry: false })
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid, groups: [] }
}
