/** Which tool the helper uses. */
import { BackendError, type Backend } from './backend.ts'
import type { BackendName } from './firewall-conf.ts'
import { openNetlink } from './netlink/netlink.ts'
import { NftablesBackend } from './nftables.ts'

/** `auto` takes netlink where the launcher opened its sockets and the kernel answers, else the program nft. */
export function chooseBackend(name: BackendName): Backend {
  const netlink = name === 'nft' ? null : openNetlink()
  if (netlink !== null) return netlink
  if (name === 'netlink') {
    throw new BackendError('failed', 'netlink is asked for, but its sockets (descriptors 4 and 5) were not opened')
  }
  return new NftablesBackend()
}
