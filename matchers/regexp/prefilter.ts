import type { CompiledFilter, LineBlock } from '../../core/plugin.ts'

/** Goes through the lines of a block that may match. `end` is the newline. */
export type Prefilter = (block: LineBlock, candidate: (start: number, end: number) => void) => void

/**
 * Passes over the lines that contain none of the literals which the filters require. One alternation
 * over the whole block is the fastest search V8 has for several literals (0.8 GB/s against 0.4 for an
 * `indexOf` each); `indexOf` of the newline costs 16 ns a line. A filter of which nothing is known
 * makes every line a candidate.
 */
export function createPrefilter(filters: readonly CompiledFilter[]): Prefilter {
  const literals = filters.map(literalsOf)
  if (literals.some((one) => one === null)) return (block, candidate) => block.lines(null, candidate)
  const distinct = [...new Set(literals.flatMap((one) => one ?? []))]
  if (distinct.length === 0) return () => {}
  const search = new RegExp(distinct.map(escape).join('|'), 'g')
  return (block, candidate) => block.lines(search, candidate)
}

/** One of these stands in every line that the filter matches; null where nothing is known. */
export function literalsOf(filter: CompiledFilter): readonly string[] | null {
  const own = filter.failregex.map((pattern) => pattern.literals)
  if (own.every((one) => one !== null)) return own.flatMap((one) => one ?? [])
  return filter.prefregex?.literals ?? null
}

function escape(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
