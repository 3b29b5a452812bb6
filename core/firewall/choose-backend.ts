/** Which tool the helper uses. */
import { BackendError, type Backend } from './backend.ts'
import type { BackendName } from './firewall-conf.ts'
import { openNetlink } from './netlink/netlink.ts'
import { NftablesBackend } from './nftables.ts'

/** Throws `BackendError` where what was asked for is not to be had. `auto` takes netlink where the launcher opened its sockets and the kernel answers, else the program nft. */
export function chooseBackend(name: BackendName): Backend {
  const netlink = name === 'nft' ? null : openNetlink()
  if (netlink !== null) return netlink
  if (name === 'netlink') {
    throw new BackendError(
      'failed',
      'the backend netlink is asked for, but launcher.pl could not open its sockets: take auto, or install perl',
    )
  }
  return new NftablesBackend()
}
