import { join } from 'node:path'
import { jailCandidate, unusedCandidate, type Candidate } from '../explaining/candidate.ts'
import { LineExplainer } from '../explaining/line-explainer.ts'
import { treePartsOf } from '../jails.ts'
import type { FilterDefinition } from '../settings/filter-file.ts'
import type { JailSettings } from '../settings/jail.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import { InstalledPackages } from '../settings/installed-packages.ts'
import type { Settings } from '../settings/load-settings.ts'
import { builtInFilters } from '../settings/places.ts'
import type { AddressReports } from './address-reports.ts'
import { loadEngines } from './load-engines.ts'

/**
 * Leads lines through the jails of a configuration, and where none has to do with a line through the filters that no
 * jail uses; `among: 'jails'` leaves those out.
 */
export async function configuredExplainer(
  settings: Settings,
  reports: AddressReports,
  among: 'jails' | 'all filters' = 'all filters',
): Promise<LineExplainer> {
  let unused: Promise<readonly Candidate[]> | null = null
  return new LineExplainer({
    candidates: [...sound(settings.jails, 'on'), ...(await treeCandidates(settings)), ...sound(settings.off, 'off')],
    unused: () =>
      (unused ??=
        among === 'jails' || settings.jails.some(treePartsOf) ? Promise.resolve([]) : unusedCandidates(settings)),
    engines: await loadEngines(),
    report: (address) => reports.of(address),
  })
}

/** The filters, built in or beside the configuration, that no jail uses. */
export async function unusedFilters(settings: Settings): Promise<readonly FilterDefinition[]> {
  const packages = new InstalledPackages(settings.plugins)
  const library = new FilterLibrary([join(settings.file, '../filters'), builtInFilters], packages)
  const used = new Set([...settings.jails, ...settings.off].map(({ filterDefinition }) => filterDefinition.where.file))
  const definitions = await Promise.all(
    [...(await library.names()).values()].filter((file) => !used.has(file)).map((file) => library.byFile(file, [])),
  )
  return definitions.filter((definition) => definition !== undefined)
}

/** Without the jails whose filter does not compile: "bailiff check" tells of those. */
function sound(jails: readonly JailSettings[], state: 'on' | 'off'): Candidate[] {
  return jails.flatMap((jail) => {
    try {
      // A jail that counts bans reads no lines.
      return jail.bansOf === null && treePartsOf(jail) === null ? [jailCandidate(jail, state)] : []
    } catch {
      return []
    }
  })
}

/** Their code is loaded only where there are some. */
async function treeCandidates({ jails }: Settings): Promise<Candidate[]> {
  if (!jails.some(treePartsOf)) return []
  const { treeCandidate } = await import('../explaining/tree-candidate.ts')
  return jails.flatMap((jail) => {
    const parts = treePartsOf(jail)
    try {
      return (parts && treeCandidate(jail, parts)) ?? []
    } catch {
      return []
    }
  })
}

async function unusedCandidates(settings: Settings): Promise<readonly Candidate[]> {
  return (await unusedFilters(settings)).flatMap((definition) => {
    try {
      return [unusedCandidate(definition)]
    } catch {
      return []
    }
  })
}
