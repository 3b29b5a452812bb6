/** Whether something keeps the clock of the host right. */
import type { HostTree } from './host-tree.ts'
import { findProcess, type Process } from './processes.ts'

const programs = [
  'chronyd',
  'ntpd',
  'ntpd-rs',
  'ntp-daemon',
  'openntpd',
  'systemd-timesyncd',
  'systemd-timesyn',
  'ptp4l',
]

/** `synchronised`: it was set by the network since the start; `running`: a program for it runs; `nobody`: neither is seen. */
export function clockKeeping(
  host: HostTree,
  processes: readonly Process[],
): { readonly state: 'synchronised' | 'running' | 'nobody'; readonly by: string | null } {
  const by = findProcess(processes, programs)?.names.find((name) => programs.includes(name)) ?? null
  // systemd-timesyncd(8) touches it whenever it has set the clock.
  if (host.has('/run/systemd/timesync/synchronized')) return { state: 'synchronised', by: by ?? 'systemd-timesyncd' }
  return { state: by === null ? 'nobody' : 'running', by }
}

/** Whether this is a container, whose clock is that of its host. */
export function inContainer(host: HostTree): boolean {
  return (
    ['/.dockerenv', '/run/.containerenv', '/run/host/container-manager', '/run/systemd/container'].some((file) =>
      host.has(file),
    ) || /(?:^|\0)container=/.test(host.text('/proc/1/environ'))
  )
}
