import type { Failregex } from '../regex/failregex.ts'

/** A failregex and its index in the filter. */
export interface NumberedRule {
  readonly index: number
  readonly regex: Failregex
}

const asciiCodes = 128

/**
 * Which failregexes may match a text, by its first character: most begin with `^` and a word, so few of many are left.
 * Their order is kept. With `multiline` a `^` is the begin of any line, and all are always left.
 */
export class RuleDispatch {
  readonly #all: readonly NumberedRule[]
  readonly #multiline: boolean
  #byCode: readonly (readonly NumberedRule[])[] | null = null

  constructor(failregex: readonly Failregex[], multiline: boolean) {
    this.#all = failregex.map((regex, index) => ({ index, regex }))
    this.#multiline = multiline
  }

  for(text: string): readonly NumberedRule[] {
    if (this.#multiline) return this.#all
    this.#byCode ??= this.#sorted()
    // All other characters share the last place.
    return this.#byCode[Math.min(text.charCodeAt(0), asciiCodes)] ?? this.#all
  }

  #sorted(): readonly (readonly NumberedRule[])[] {
    const firsts = this.#all.map(({ regex }) => regex.firstCharacters)
    return Array.from({ length: asciiCodes + 1 }, (_, code) => {
      const character = code < asciiCodes ? String.fromCharCode(code) : null
      return this.#all.filter((_rule, at) => {
        const first = firsts[at] ?? null
        return first === null || (character !== null && first.includes(character))
      })
    })
  }
}
