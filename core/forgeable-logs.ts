import type { FilterDefinition } from './settings/filter-file.ts'

/** A log that a jail reads though a peer can write whole lines into it, and so have anybody banned. */
export interface ForgeableLog {
  readonly log: string
  /** What to do about it, by the filter. */
  readonly advice: string
}

/** One for each entry of the filter's `forgeable` that one of the logs ends in. */
export function forgeableAmong({ forgeable }: FilterDefinition, logs: readonly string[]): ForgeableLog[] {
  return Object.entries(forgeable).flatMap(([ending, advice]) => {
    const log = logs.find((one) => one.endsWith(ending))
    return log === undefined ? [] : [{ log, advice }]
  })
}
