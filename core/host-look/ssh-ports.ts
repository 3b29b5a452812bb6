/** The ports that sshd is told to listen on: sshd_config(5), and systemd's socket. */
import type { HostTree } from './host-tree.ts'

/** Ascending; empty where nothing is said, which is 22. */
export function configuredSshPorts(host: HostTree): number[] {
  const folder = '/etc/ssh/sshd_config.d'
  const included = host.names(folder).filter((name) => name.endsWith('.conf'))
  const files = [...included.map((name) => `${folder}/${name}`), '/etc/ssh/sshd_config']
  const sockets = ['/etc/systemd/system/ssh.socket.d', '/run/systemd/generator/ssh.socket.d']
  const drops = sockets.flatMap((each) => host.names(each).map((name) => `${each}/${name}`))
  const ports = [
    ...files.flatMap((file) => host.lines(file).map(portOf)),
    ...drops.flatMap((file) => host.lines(file).map((line) => /^ListenStream=(?:.*:)?(\d+)$/.exec(line)?.[1])),
  ]
  const numbers = ports.map(Number).filter((port) => port > 0 && port < 65_536)
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}

/** `Port 2222`, `ListenAddress 192.0.2.1:2222`, `ListenAddress [2001:db8::1]:2222`. */
function portOf(line: string): string | undefined {
  return /^(?:port[\s=]+|listenaddress[\s=]+(?:\[[^\]]*\]|[^\s:]+):)(\d+)(?:\s|$)/i.exec(line)?.[1]
}
