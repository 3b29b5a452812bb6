/** How long a version has been in the registry. */
import { BailiffError } from '../errors.ts'
import { isRecord } from '../settings/sourced.ts'
import { shortName } from '../settings/package-names.ts'
import { runNpm } from './npm.ts'
import type { PackageDescription } from './read-package.ts'

const hourMs = 3_600_000

/**
 * Throws a BailiffError where the registry says that this version came less than `minMs` ago. One that does not say when
 * is believed: it has nothing to hide that it could not lie about. `folder` is ours, for npm to run in.
 */
export async function checkReleaseAge(
  { name, version }: Pick<PackageDescription, 'name' | 'version'>,
  minMs: number,
  folder: string,
  now = Date.now(),
): Promise<void> {
  if (minMs === 0) return
  const { json } = await runNpm(['view', '--', `${name}@${version}`, 'time'], folder)
  const times = Array.isArray(json) ? (json as unknown[]).at(-1) : json
  const said = isRecord(times) && Object.hasOwn(times, version) ? times[version] : null
  const published = typeof said === 'string' ? Date.parse(said) : Number.NaN
  if (Number.isNaN(published) || now - published >= minMs) return
  const older = isRecord(times) ? newestOlder(times, now - minMs) : undefined
  const instead = older === undefined ? '' : `; an older version: bailiff plugin add ${shortName(name)}@${older}`
  throw new BailiffError(
    'try-again',
    `${name} ${version} was published ${inHours(now - published)} ago, and versions younger than ${inHours(minMs)} are not installed`,
    {
      hint: `wait until ${new Date(published + minMs).toISOString().slice(0, 16)}Z; or, if you know what is in it: --any-age${instead}`,
    },
  )
}

/** The version that came last of those that came before a time. */
function newestOlder(times: Readonly<Record<string, unknown>>, before: number): string | undefined {
  const dated = Object.entries(times).flatMap(([version, said]) => {
    const time = typeof said === 'string' && /^\d+\.\d+\.\d+$/.test(version) ? Date.parse(said) : Number.NaN
    return time <= before ? [{ version, time }] : []
  })
  return dated.toSorted((a, b) => b.time - a.time)[0]?.version
}

function inHours(ms: number): string {
  const hours = Math.max(0, ms) / hourMs
  return hours < 1 ? 'less than an hour' : hours < 48 ? `${Math.floor(hours)} h` : `${Math.floor(hours / 24)} days`
}
