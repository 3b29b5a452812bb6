import { basename, dirname } from 'node:path'
import type { CompiledFilter, MatcherPlugin } from '../plugin.ts'

/** The engines in the order in which they are asked, and the files that they came from. */
export interface AskedEngines {
  readonly engines: readonly MatcherPlugin[]
  readonly files: readonly string[]
}

/** Which engine matches a filter and why those before it do not, in words. */
export function matchedBy(filter: CompiledFilter, { engines, files }: AskedEngines): string {
  const reasons: string[] = []
  for (const [index, engine] of engines.entries()) {
    const name = basename(dirname(files[index] ?? ''))
    // It takes what names a module, and nothing else is to be said of it.
    if (name === 'wasm-matcher' && !filter.module) continue
    const scanner = engine.compile([filter])
    const why = scanner.left?.[0]?.reason ?? scanner.byRegexp?.()[0]?.reason
    const taken = scanner.took.length > 0 && (scanner.byRegexp?.() ?? []).length === 0
    scanner.dispose?.()
    if (taken) return [name, ...reasons].join('; ')
    // A filter of text has nothing to do with the fields of a structured log, nor one of those with text.
    if ((filter.structure === null) === (name !== 'structured'))
      reasons.push(`not ${name}: ${why ?? 'it does not say why'}`)
    if (scanner.took.length > 0) return ['plain expressions', ...reasons].join('; ')
  }
  return reasons.join('; ')
}
