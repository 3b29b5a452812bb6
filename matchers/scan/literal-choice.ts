import type { CompiledFilter, Pattern } from '../../core/plugin.ts'

/**
 * Literals one of which stands in every line that one of the filters matches; null where there is a filter of which none
 * are known. `sample`, some of the log, says which of those that a pattern offers stand in few lines.
 */
export function rarestLiterals(filters: readonly CompiledFilter[], sample: Uint8Array): readonly string[] | null {
  const lines = Buffer.from(sample.buffer, sample.byteOffset, sample.length).toString('latin1').split('\n')
  const linesWith = (literals: readonly string[]) =>
    lines.reduce((sum, line) => (literals.some((literal) => line.includes(literal)) ? sum + 1 : sum), 0)
  const chosen = filters.map((filter) => ofFilter(filter, linesWith))
  return chosen.includes(null) ? null : chosen.flatMap((literals) => literals ?? [])
}

type LinesWith = (literals: readonly string[]) => number

/** What a prefregex requires is as good as what all failregexes do. */
function ofFilter({ failregex, prefregex }: CompiledFilter, linesWith: LinesWith): readonly string[] | null {
  const own = failregex.map((pattern) => ofPattern(pattern, linesWith))
  const all = own.includes(null) ? null : own.flatMap((literals) => literals ?? [])
  const before = prefregex === null ? null : ofPattern(prefregex, linesWith)
  if (all === null || before === null) return all ?? before
  return linesWith(before) < linesWith(all) ? before : all
}

function ofPattern({ literals, otherLiterals }: Pattern, linesWith: LinesWith): readonly string[] | null {
  if (literals === null || otherLiterals.length === 0) return literals
  return otherLiterals.reduce<{ set: readonly string[]; lines: number }>(
    (best, set) => {
      const lines = best.lines === 0 ? 0 : linesWith(set)
      return lines < best.lines ? { set, lines } : best
    },
    { set: literals, lines: linesWith(literals) },
  ).set
}
