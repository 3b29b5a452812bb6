import { statfsSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { banPrograms } from '../host-look/ban-programs.ts'
import { clockKeeping, inContainer } from '../host-look/clock-keeping.ts'
import { otherFirewalls } from '../host-look/firewalls.ts'
import type { HostTree } from '../host-look/host-tree.ts'
import { findProcess, type Process } from '../host-look/processes.ts'
import { cgroupLimit } from '../memory-watch.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { amount } from './progress.ts'

/** Of package.json: the first minor release of 20 that works. */
const oldestNode = [20, 19] as const
const leastMemory = 160 * 1024 * 1024
const leastDisk = 50 * 1024 * 1024
const littleDisk = 500 * 1024 * 1024

/** Node, memory and the disk of the logs. */
export function machineFindings(host: HostTree): DoctorFinding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])
  const node = isOld
    ? problem(
        'node',
        `Node ${process.versions.node} is too old: 20.19 or later is needed`,
        'install Node 20.19 or later for the whole system',
      )
    : ok('node', `Node ${process.versions.node}`)
  const allowed = Math.min(totalmem(), cgroupLimit())
  const memory =
    allowed < leastMemory
      ? problem(
          'memory',
          `this machine or its cgroup allows ${amount(allowed, 'bytes')}; the agent needs about 160 MB`,
          'give it more memory',
        )
      : ok('memory', `${amount(allowed, 'bytes')} in all, ${amount(Math.min(freemem(), allowed), 'bytes')} unused`)
  return [node, memory, ...(host.isLive ? [diskOf('/var/log')] : [])]
}

/** How much room is left where a folder lies. */
export function diskOf(folder: string): DoctorFinding {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const text = `${amount(free, 'bytes')} are free where ${folder} is`
  if (free < leastDisk) return problem('disk', `${text}: nothing can be kept, and logs cannot grow`, `df -h ${folder}`)
  return free < littleDisk ? note('disk', text, `df -h ${folder}`) : ok('disk', text)
}

/** Who keeps the clock right; bans end by it, and dates in logs are compared with it. */
export function clockFindings(host: HostTree, processes: readonly Process[]): DoctorFinding[] {
  const { state, by } = clockKeeping(host, processes)
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (state === 'synchronised') return [ok('clock', `set by ${by ?? 'the network'}, time zone ${zone}`)]
  if (state === 'running') return [ok('clock', `${by ?? 'a program'} keeps it right, time zone ${zone}`)]
  if (inContainer(host)) return [ok('clock', `that of the container's host, time zone ${zone}`)]
  return [note('clock', `nothing is seen to keep it right (time zone ${zone})`, 'apt-get install systemd-timesyncd')]
}

/** Other programs that ban, other firewalls, and containers. */
export function neighbourFindings(host: HostTree, processes: readonly Process[]): DoctorFinding[] {
  const programs = banPrograms(host, processes).map(({ name, running, switchOff }) =>
    running
      ? note('ban programs', `${name} bans here too, so nobody knows who banned whom`, switchOff)
      : ok('ban programs', `${name} is installed and does not run`),
  )
  const firewalls = otherFirewalls(host, processes).map(({ name, meaning }) =>
    ok('other firewalls', `${name}: ${meaning}`),
  )
  const rootless = findProcess(processes, ['rootlessport', 'docker-proxy'])
  const proxied =
    rootless?.names.includes('rootlessport') === true
      ? [
          note(
            'containers',
            'rootless Podman hides the client: services in its containers log its own address',
            'publish with --network=pasta or slirp4netns:port_handler=slirp4netns',
          ),
        ]
      : []
  return [...(programs.length > 0 ? programs : [ok('ban programs', 'no other is installed')]), ...firewalls, ...proxied]
}
