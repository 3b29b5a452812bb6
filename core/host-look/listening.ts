/** On which ports programs listen: proc_net_tcp (Documentation/networking/proc_net_tcp.rst) and the descriptors of processes. */
import type { HostTree } from './host-tree.ts'
import type { Process } from './processes.ts'

/** `TCP_LISTEN` of net/tcp_states.h. */
const listen = '0A'
/** As many descriptors of a process are looked at: sockets it listens on are opened early. */
const mostDescriptors = 2000

/**
 * The TCP ports below 32768 that these processes listen on at other addresses than loopback, ascending. Empty
 * also where this user may not look at their descriptors.
 */
export function listeningPorts(host: HostTree, processes: readonly Process[]): number[] {
  const byInode = portsByInode(host)
  if (byInode.size === 0) return []
  const found = new Set<number>()
  for (const { pid } of processes) {
    for (const name of host.names(`/proc/${pid}/fd`).slice(0, mostDescriptors)) {
      const inode = /^socket:\[(\d+)\]$/.exec(host.link(`/proc/${pid}/fd/${name}`) ?? '')?.[1]
      const port = inode === undefined ? undefined : byInode.get(inode)
      if (port !== undefined) found.add(port)
    }
  }
  return [...found].toSorted((a, b) => a - b)
}

function portsByInode(host: HostTree): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const file of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    for (const row of host.text(file).split('\n')) {
      const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/)
      const [address = '', port = ''] = local.split(':')
      if (state !== listen || inode === undefined || isLoopback(address)) continue
      const number = Number.parseInt(port, 16)
      // Ports above are given out by the kernel: those of a forwarding or a transfer, not of a service.
      if (number > 0 && number < 32_768) found.set(inode, number)
    }
  }
  return found
}

/** In the byte order of the machine: 127.0.0.0/8 ends or begins in 7F. */
function isLoopback(address: string): boolean {
  if (address.length === 8) return address.endsWith('7F') || address.startsWith('7F')
  return /^0{24}(?:01000000|00000001)$/.test(address) || /^0{16}(?:0000FFFF|FFFF0000)(?:7F|.{6}7F)/.test(address)
}
