/** What a command learns of the host by looking: nothing is changed, and no program is run. */
import { join } from 'node:path'
import { printable, type BailiffError } from '../errors.ts'
import { banPrograms, type BanProgram } from '../host-look/ban-programs.ts'
import { otherFirewalls, type OtherFirewall } from '../host-look/firewalls.ts'
import { HostTree } from '../host-look/host-tree.ts'
import { runningProcesses, type Process } from '../host-look/processes.ts'
import { findServices, type FoundService } from '../host-look/found-services.ts'
import { systemdRuns } from '../host-look/units.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import { builtInFilters } from '../settings/places.ts'
import { isShared, usualSource, type UsualSource } from '../settings/usual-source.ts'

/** A filter that fits a service of the host. */
export interface FittingFilter {
  readonly filter: string
  readonly description: string
  readonly service: FoundService
  /** Whether it is switched on for every server that has the service. */
  readonly usual: boolean
  /** Where its lines are, in words, and whether there is such a place. */
  readonly source: string
  readonly sourceState: UsualSource['state']
  /** Whether other programs write there, too, as into /var/log/syslog. */
  readonly sourceShared: boolean
  /** The ports that it covers by itself; empty: all. */
  readonly ports: readonly number[]
}

export interface HostFacts {
  readonly host: HostTree
  readonly processes: readonly Process[]
  readonly services: readonly FoundService[]
  readonly filters: readonly FittingFilter[]
  readonly firewalls: readonly OtherFirewall[]
  readonly banPrograms: readonly BanProgram[]
  readonly systemd: boolean
}

/** Looks at the host below `root`. `filterFolder` is that of filters beside the configuration. */
export async function lookAtHost(root: string, filterFolder: string): Promise<HostFacts> {
  const host = new HostTree(root)
  const processes = runningProcesses(host)
  const services = findServices(host, processes)
  return {
    host,
    processes,
    services,
    filters: await fittingFilters(host, services, new FilterLibrary([filterFolder, builtInFilters])),
    firewalls: otherFirewalls(host, processes),
    banPrograms: banPrograms(host, processes),
    systemd: systemdRuns(host),
  }
}

async function fittingFilters(
  host: HostTree,
  services: readonly FoundService[],
  library: FilterLibrary,
): Promise<FittingFilter[]> {
  const names = await library.names()
  const found: FittingFilter[] = []
  for (const service of services) {
    for (const filter of [...service.filters, ...service.more]) {
      const problems: BailiffError[] = []
      const file = names.get(filter)
      const definition = file === undefined ? undefined : await library.byFile(file, problems)
      if (definition === undefined) continue
      const source = usualSource(definition.sources, { root: host.root, now: Date.now() })
      found.push({
        filter,
        description: printable(definition.description),
        service,
        usual: service.filters.includes(filter),
        source: printable(source === null ? 'it has no usual place' : whyRead(source)),
        sourceState: source === null ? 'unlikely' : stateOf(source),
        sourceShared: source !== null && isShared(source.use),
        ports: definition.ports,
      })
    }
  }
  return found
}

/** Where lines are there, what else there might be is of no interest. */
function whyRead({ why, state }: UsualSource): string {
  return state === 'there' ? (why.split('; ')[0] ?? why) : why
}

/** Every host has /var/log, so that it is there promises no log in it. */
function stateOf({ use, state }: UsualSource): UsualSource['state'] {
  const paths = [(use.options as { readonly path?: unknown }).path].flat()
  const isOwnFolder = paths.every((path) => !/^\/var\/log\/[^/]*$/.test(String(path)))
  return state === 'expected' && !isOwnFolder ? 'unlikely' : state
}

/** The folder of filters beside a configuration. */
export const filtersBeside = (config: string) => join(config, '../filters')
