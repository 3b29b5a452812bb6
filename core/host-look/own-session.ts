/** From where the person at the terminal is logged in. */
import { parseAddress, type Address } from '../address.ts'
import type { HostTree } from './host-tree.ts'

/** sudo, su, tmux and a few shells lie between; a loop ends. */
const mostParents = 30

/**
 * The address of the SSH session that this command runs in, from what sshd tells its sessions (`SSH_CONNECTION`, ssh(1)):
 * our own environment, or that of a process above, since sudo and su clear it. Null: it is none, or from this machine itself.
 */
export function ownSession(
  host: HostTree,
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): Address | null {
  const own = addressIn(env.SSH_CONNECTION ?? env.SSH_CLIENT)
  if (own !== null) return own
  let at = pid
  for (let parents = 0; at > 1 && parents < mostParents; parents++) {
    const found = /(?:^|\0)SSH_C(?:ONNECTION|LIENT)=([^\0]*)/.exec(host.text(`/proc/${at}/environ`))
    const address = addressIn(found?.[1])
    if (address !== null) return address
    at = Number(/^PPid:\s+(\d+)/m.exec(host.text(`/proc/${at}/status`))?.[1] ?? 0)
  }
  return null
}

function addressIn(value: string | undefined): Address | null {
  const address = parseAddress((value ?? '').split(' ')[0]?.replace(/%.*/, '') ?? '')
  return address === null || address === '::1' || address.startsWith('127.') ? null : address
}
