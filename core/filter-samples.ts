/** Runs the lines that come with a filter through the real scanner. */
import { BailiffError, quote, type Where } from './errors.ts'
import type { Match } from './events.ts'
import { createLogScanner, type LogScanner } from './matching/scan.ts'
import type { CompiledFilter, MatcherPlugin } from './plugin.ts'
import type { FilterSettings } from './settings/filter-file.ts'

/** What became of the samples of a filter in one mode. */
export interface SampleReport {
  /** How many lines were tried. */
  readonly tried: number
  /** One for each line that did not do what the filter promises, at the place of the sample. */
  readonly problems: readonly BailiffError[]
}

/**
 * Tries the samples in the mode of `filter`, which `compiled` was made of. A line of `match` must tell
 * of its address, and of its user if it names one, unless it belongs to other modes; a line of `pass`
 * must not match; one of `hostile` may tell of its address and of no other.
 */
export function trySamples(
  filter: FilterSettings,
  compiled: CompiledFilter,
  engines: readonly MatcherPlugin[],
): SampleReport {
  const scanner = createLogScanner({ jails: [{ jail: 'samples', filter: compiled }], engines })
  const word = filter.structure === null ? 'failregex' : 'match'
  const match = filter.samples.match.filter(({ modes }) => modes?.includes(filter.mode) ?? true)
  const flaws = [
    ...match.map((sample) => ({ sample, flaw: flawOfMatch(sample, matchesOf(scanner, sample.line), word) })),
    ...filter.samples.pass.map((sample) => ({
      sample,
      flaw: flawOfOther(null, matchesOf(scanner, sample.line), word),
    })),
    ...filter.samples.hostile.map((sample) => ({
      sample,
      flaw: flawOfOther(sample.address, matchesOf(scanner, sample.line), word),
    })),
  ]
  return {
    tried: flaws.length,
    problems: flaws.flatMap(({ sample, flaw }) => (flaw === undefined ? [] : [wrong(filter, sample, flaw)])),
  }
}

function matchesOf(scanner: LogScanner, line: string): readonly Match[] {
  const data = Buffer.from(`${line}\n`)
  const chunk = { log: 'samples', jails: ['samples'], data, arrivedAt: Date.now(), live: false }
  return scanner.scan({ ...chunk, undatedAt: null, insideLine: false }).matches
}

function flawOfMatch(
  { address, user }: FilterSettings['samples']['match'][number],
  [match]: readonly Match[],
  word: string,
): string | undefined {
  if (match === undefined) return 'does not match'
  const rule = `${word} ${match.rule + 1}`
  if (match.address !== address) return `tells of ${match.address} instead of ${address}, by ${rule}`
  if (user !== null && (match.groups.user ?? '') !== user)
    return `tells of the user ${quote(match.groups.user ?? '')} instead of ${quote(user)}, by ${rule}`
  return undefined
}

function flawOfOther(address: string | null, matches: readonly Match[], word: string): string | undefined {
  const match = matches.find((one) => one.address !== address)
  return (
    match &&
    `tells of ${match.address} by ${word} ${match.rule + 1}, and ${address ? `may only of ${address}` : 'must not match'}`
  )
}

function wrong(
  { name, mode }: FilterSettings,
  { line, where }: { line: string; where: Where },
  flaw: string,
): BailiffError {
  return new BailiffError('config', `in mode ${mode} of ${name}, this sample ${flaw}: ${quote(line)}`, { where })
}
