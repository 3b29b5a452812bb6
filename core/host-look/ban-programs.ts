/** Other programs that ban. Two of them on one log do no harm, but nobody knows any more who banned whom. */
import type { HostTree } from './host-tree.ts'
import { findProcess, type Process } from './processes.ts'

/** One that is installed. */
export interface BanProgram {
  readonly name: string
  readonly running: boolean
  /** The command that switches it off for good. */
  readonly switchOff: string
}

interface Signs {
  readonly name: string
  readonly processes: readonly string[]
  readonly files: readonly string[]
  readonly units: readonly string[]
}

const known: readonly Signs[] = [
  {
    name: 'Fail2ban',
    processes: ['fail2ban-server'],
    files: ['/usr/bin/fail2ban-server', '/usr/local/bin/fail2ban-server'],
    units: ['fail2ban'],
  },
  {
    name: 'SSHGuard',
    processes: ['sshguard', 'sshg-parser', 'sshg-blocker'],
    files: ['/usr/sbin/sshguard', '/usr/local/sbin/sshguard'],
    units: ['sshguard'],
  },
  {
    name: 'CrowdSec',
    processes: ['crowdsec', 'crowdsec-firewall-bouncer', 'cs-firewall-bouncer'],
    files: ['/usr/bin/crowdsec', '/usr/local/bin/crowdsec'],
    units: ['crowdsec', 'crowdsec-firewall-bouncer'],
  },
  {
    name: 'DenyHosts',
    processes: ['denyhosts', 'denyhosts.py'],
    files: ['/usr/sbin/denyhosts', '/usr/bin/denyhosts.py'],
    units: ['denyhosts'],
  },
  {
    name: 'Reaction',
    processes: ['reaction'],
    files: ['/usr/local/bin/reaction', '/usr/bin/reaction'],
    units: ['reaction'],
  },
]

/** Those that are installed or run, the running ones first. */
export function banPrograms(host: HostTree, processes: readonly Process[]): BanProgram[] {
  const found = known.flatMap(({ name, processes: names, files, units }) => {
    const running = findProcess(processes, names) !== undefined
    if (!running && !files.some((file) => host.has(file))) return []
    return [{ name, running, switchOff: `systemctl disable --now ${units.join(' ')}` }]
  })
  return found.toSorted((a, b) => Number(b.running) - Number(a.running))
}
