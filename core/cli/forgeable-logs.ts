/** Logs that a jail reads though a peer can write whole lines into them, and so have anybody banned. */
import { BailiffError } from '../errors.ts'
import { filesMatching } from '../intake/matched-files.ts'
import { isPattern } from '../intake/path-pattern.ts'
import type { ReadyJail } from '../jails.ts'
import { logsOf } from './missing-files.ts'

/** One warning for each entry of the filter's `forgeable` that a log of the jail ends in, with the advice of the filter. */
export function forgeableLogs({ name, sources, filterDefinition, where }: ReadyJail): BailiffError[] {
  const logs = sources.flatMap(logsOf).flatMap((log) => [log, ...filesMeant(log)])
  return Object.entries(filterDefinition.forgeable).flatMap(([ending, hint]) => {
    const log = logs.find((one) => one.endsWith(ending))
    if (log === undefined) return []
    const message = `${name} reads ${log}, into which a peer can write lines of his own and have anybody banned`
    return [new BailiffError('config', message, { where, hint })]
  })
}

function filesMeant(log: string): readonly string[] {
  try {
    return isPattern(log) ? filesMatching(log) : []
  } catch {
    // What is no pattern is told where it stands.
    return []
  }
}
