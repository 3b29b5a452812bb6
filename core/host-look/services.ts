/** Which services this host has. */
import type { HostTree } from './host-tree.ts'
import { listeningPorts } from './listening.ts'
import type { Process } from './processes.ts'
import { known } from './service-signs.ts'
import { configuredSshPorts } from './ssh-ports.ts'
import { enabledUnits, systemdRuns } from './units.ts'

/** A service of this host, and the filters there are for it. */
export interface FoundService {
  readonly name: string
  /** Those to switch on, and those that only some servers want. */
  readonly filters: readonly string[]
  readonly more: readonly string[]
  /** By what it was found: `it runs`, `nginx.service is switched on`, `/usr/sbin/nginx is installed`. */
  readonly sign: string
  readonly runs: boolean
  /** Whether a unit of it is switched on. */
  readonly switchedOn: boolean
  /** Whether it runs, or systemd is there to start it. */
  readonly active: boolean
  /** TCP ports that it listens on for others than this machine, as far as can be seen. */
  readonly ports: readonly number[]
}

/** The services that run, are switched on or are installed, in the order of the catalogue. */
export function findServices(host: HostTree, processes: readonly Process[]): FoundService[] {
  const units = enabledUnits(host)
  const systemd = systemdRuns(host)
  return known.flatMap(({ name, filters, more = [], processes: names, files, units: own }) => {
    const running = processes.filter((each) => each.names.some((one) => names.includes(one)))
    const unit = own.find((each) => units.has(each))
    const file = files.find((each) => host.has(each))
    const sign =
      running[0] !== undefined
        ? `it runs as process ${running[0].pid}`
        : unit !== undefined
          ? `${unit} is switched on`
          : file !== undefined
            ? `there is ${file}`
            : null
    // A unit can be left behind by a package that is gone.
    if (sign === null || (running.length === 0 && file === undefined && files.length > 0)) return []
    const heard = listeningPorts(host, running.filter(isServer))
    const configured = name === 'OpenSSH' ? configuredSshPorts(host) : []
    const ports = [...new Set([...heard, ...configured])].toSorted((a, b) => a - b)
    const runs = running.length > 0
    const switchedOn = unit !== undefined
    const active = runs || (switchedOn && systemd)
    return [{ name, filters, more, sign, runs, switchedOn, active, ports }]
  })
}

/** `sshd: alice@pts/0` serves one person: what it listens on is forwarded for that person. */
function isServer({ command }: Process): boolean {
  return !/^sshd(?:-session)?: (?!.*\[listener\])/.test(command)
}
