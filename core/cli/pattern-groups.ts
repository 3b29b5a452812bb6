import { inherit, searchGroups } from '../fail2ban/lines/captured-groups.ts'
import type { FilterTexts } from '../fail2ban/lines/filter-texts.ts'
import { compileFailregex, type Failregex } from '../fail2ban/regex/failregex.ts'
import { pythonDictionary } from './failure-output.ts'

/** What a session takes out of its groups when it is not set. */
const ofSessions = new Set(['nofail', 'mlfforget', 'mlfgained'])

/** The groups of the patterns of a filter, as `fail2ban-regex` prints them: also those that captured nothing. */
export class PatternGroups {
  readonly #texts: FilterTexts
  #prefregex: Failregex | null | undefined
  readonly #names = new Map<number, readonly string[]>()

  constructor(texts: FilterTexts) {
    this.#texts = texts
  }

  /** The names of the groups of the prefregex and of a failregex, in their order. */
  ofRule(index: number): readonly string[] {
    const known = this.#names.get(index)
    if (known !== undefined) return known
    const { usedns, maxlines, failregex } = this.#texts
    const prefregex = this.#compiled
    const options = { usedns, multiline: maxlines > 1, kind: 'failregex', index, prefregex } as const
    const all = [...(prefregex?.names ?? []), ...compileFailregex(failregex[index] ?? '', options).names]
    const isSession = all.includes('mlfid')
    const names = all.filter((name) => name !== 'content' && !(isSession && ofSessions.has(name)))
    this.#names.set(index, names)
    return names
  }

  /** What the prefregex captures in a text, as Python writes it; null: it does not match. */
  ofPrefix(text: string): string | null {
    const prefregex = this.#compiled
    const found = prefregex === null ? null : searchGroups(prefregex, `${text}\n`, undefined)
    if (prefregex === null || found === null) return null
    const content = found.captured.values[found.captured.names.indexOf('content')]
    const groups = inherit(null, found.captured)
    return pythonDictionary(typeof content === 'string' ? { ...groups, content } : groups, prefregex.names)
  }

  get #compiled(): Failregex | null {
    const { prefregex: text, usedns } = this.#texts
    if (this.#prefregex === undefined)
      this.#prefregex = text === null ? null : compileFailregex(text, { usedns, multiline: false, kind: 'prefregex' })
    return this.#prefregex
  }
}
