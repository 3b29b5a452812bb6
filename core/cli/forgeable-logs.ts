/** Warnings of logs that a jail reads though a peer can write whole lines into them. */
import { BailiffError } from '../errors.ts'
import { forgeableAmong } from '../forgeable-logs.ts'
import { filesMatching } from '../intake/matched-files.ts'
import { isPattern } from '../intake/path-pattern.ts'
import type { ReadyJail } from '../jails.ts'
import { logsOf } from './missing-files.ts'

/** One warning for each such log, with the advice of the filter. */
export function forgeableLogs({ name, sources, filterDefinition, where }: ReadyJail): BailiffError[] {
  const logs = sources.flatMap(logsOf).flatMap((log) => [log, ...filesMeant(log)])
  return forgeableAmong(filterDefinition, logs).map(({ log, advice }) => {
    const message = `${name} reads ${log}, into which a peer can write lines of his own and have anybody banned`
    return new BailiffError('config', message, { where, hint: advice })
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
