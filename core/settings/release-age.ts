import { parseDuration } from './duration.ts'
import type { Sourced } from './sourced.ts'

/**
 * So long a version must have been in the registry: what is published by who took over the account of an author is most
 * often found and taken away within hours.
 */
export const usualReleaseAgeMs = 3 * 86_400_000

/** Reads a length of time, or `off`, which is 0. Throws a BailiffError that says what is allowed. */
export function parseReleaseAge(given: unknown): number {
  // YAML 1.1 editors write it as false.
  return given === 'off' || given === false ? 0 : (parseDuration(given) ?? Number.MAX_SAFE_INTEGER)
}

/** That of a configuration, whatever else is wrong with it. Throws a BailiffError where this is. */
export function releaseAgeOf(tree: Sourced): number {
  const { value } = tree.at('release_age')
  return value === undefined ? usualReleaseAgeMs : parseReleaseAge(value)
}
