import type { Failregex } from '../regex/failregex.ts'

/**
 * Words of ASCII one of which stands in every text in which one of the failregexes finds something; with a prefregex
 * the texts are those before it. Null: there are none, as each text may match.
 */
export function candidateWords(failregex: readonly Failregex[], prefregex: Failregex | null): readonly string[] | null {
  const literals = failregex.map((regex) => regex.literals)
  const own = literals.every((list) => list !== null) ? withoutSuperfluous(literals.flat()) : null
  const before = prefregex?.literals ?? null
  // Fewer words are found sooner, and are rarer.
  const chosen = own !== null && (before === null || own.length <= mostWords) ? own : before
  if (chosen === null || chosen.length === 0) return null
  return chosen.some((literal) => /[^\0-\x7f\n]|\n/.test(literal)) ? null : chosen
}

/** An expression that finds one of `candidateWords`; null: there are none. */
export function candidateSearch(failregex: readonly Failregex[], prefregex: Failregex | null): RegExp | null {
  const words = candidateWords(failregex, prefregex)
  return words && wordSearch(words)
}

/** Finds one of these words. */
export function wordSearch(words: readonly string[]): RegExp {
  return new RegExp(words.map(escaped).join('|'))
}

const mostWords = 50

/** Words that have another one in them say nothing more. */
function withoutSuperfluous(words: readonly string[]): readonly string[] {
  const all = [...new Set(words)]
  return all.filter((word) => !all.some((other) => other !== word && word.includes(other)))
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
