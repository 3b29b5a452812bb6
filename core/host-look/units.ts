/** What systemd starts by itself, as its folders tell; nobody is asked, so it works where systemd does not run. */
import type { HostTree } from './host-tree.ts'

const unitFolders = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']

/** Whether systemd is the first process (sd_booted(3)). */
export function systemdRuns(host: HostTree): boolean {
  return host.has('/run/systemd/system')
}

/** The names of the units that are switched on: those that a `.wants` folder or an alias of the host names. */
export function enabledUnits(host: HostTree): ReadonlySet<string> {
  const own = host.names('/etc/systemd/system')
  const wanted = own
    .filter((name) => /\.(?:wants|requires)$/.test(name))
    .flatMap((name) => host.names(`/etc/systemd/system/${name}`))
  return new Set([...wanted, ...own.filter((name) => /\.(?:service|socket)$/.test(name))])
}

/** Whether a unit of this name is installed, switched on or not. */
export function hasUnit(host: HostTree, name: string): boolean {
  return unitFolders.some((folder) => host.has(`${folder}/${name}`))
}
