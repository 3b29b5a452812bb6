import type { OptionNames } from './option-syntax.ts'
import { exists, joinPath } from './path-pattern.ts'
import { installedVersion } from './installed-version.ts'

/** What versions of Fail2ban read in different ways. */
export interface VersionRules {
  /** What `%(fail2ban_version)s` is. */
  readonly version: string
  /** White space of every kind splits the words of a list, not only blanks and newlines: since 1.1.0. */
  readonly splitsAtAnySpace: boolean
  /** A jail without logs may be left out, or read the journal (`skip_if_nologs`, `systemd_if_nologs`): since 1.1.1. */
  readonly mindsMissingLogs: boolean
  /** What a jail passes in brackets also wins over `[Init?family=inet6]` of the file: since 1.1.1. */
  readonly passesToFamilies: boolean
  /** How options in brackets may be named: for one family alone since 1.1.1. */
  readonly optionNames: OptionNames
}

/** The rules of a version, `1.0.2` or `1.1.2.dev1`. */
export function versionRules(version: string): VersionRules {
  const isNewest = isSince(version, [1, 1, 1])
  return {
    version,
    splitsAtAnySpace: isSince(version, [1, 1, 0]),
    mindsMissingLogs: isNewest,
    passesToFamilies: isNewest,
    optionNames: isNewest ? 'families' : 'plain',
  }
}

/**
 * The version whose rules hold for a tree: that of the Fail2ban which is installed, or that which the tree's stock files
 * are of, whichever is newer, as trees go to machines without Fail2ban; `1.0.2` where nothing tells.
 */
export function versionOfTree(folder: string): string {
  const installed = installedVersion()
  const [stock, numbers] = stockVersions.find(([, , files]) => files.every((name) => isFilter(folder, name))) ?? []
  if (installed === null) return stock ?? '1.0.2'
  return stock === undefined || isSince(installed, numbers) ? installed : stock
}

/** Filters that came with a version, the newest first. One alone may be somebody's own. */
const stockVersions: readonly (readonly [version: string, numbers: Numbers, filters: readonly string[]])[] = [
  ['1.1.1', [1, 1, 1], ['openvpn', 'vaultwarden', 'xrdp', 'routeros-auth']],
  ['1.1.0', [1, 1, 0], ['dante', 'nginx-error-common', 'nginx-forbidden', 'routeros-auth']],
]

type Numbers = readonly [major: number, minor: number, patch: number]

function isFilter(folder: string, name: string): boolean {
  return exists(joinPath(joinPath(folder, 'filter.d'), `${name}.conf`))
}

/** A version of development counts as the one it leads to. */
function isSince(version: string, since: Numbers = [0, 0, 0]): boolean {
  const numbers = version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  for (const [place, least] of since.entries()) {
    const number = numbers[place] ?? 0
    if (number !== least) return number > least
  }
  return true
}
