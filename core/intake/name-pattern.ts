import picomatch from 'picomatch'

const any = Symbol('*')
const one = Symbol('?')
/** A letter that stands for itself, a wild card, or a bracket expression for one letter. */
type Part = string | RegExp | typeof any | typeof one

/** An escaped letter, a bracket expression, or any letter. */
const parts = /\\[^]|\[[!^]?\]?(?:\\[^]|\[:\w+:\]|[^\]\\])*\]|[^]/g

/**
 * One name with wild cards: `*`, `?`, `[a-z]`, `[!a]`, `[[:digit:]]`, and a backslash that takes the meaning away. A look at
 * a name takes no more steps than the letters of both multiplied, whatever the pattern.
 */
export class NamePattern {
  readonly #parts: readonly Part[]
  readonly #dot: boolean

  /** `dot`: wild cards match a dot at the begin of a name, too. Throws an Error for a bracket without its partner. */
  constructor(text: string, dot: boolean) {
    this.#parts = (text.match(parts) ?? []).map(partOf).filter((part, at, all) => part !== any || all[at - 1] !== any)
    this.#dot = dot
  }

  test(name: string): boolean {
    const all = this.#parts
    if (name === '' || (!this.#dot && name.startsWith('.') && all[0] !== '.')) return false
    let [at, part] = [0, 0]
    // Where the last star stands, and up to where it reaches: only that one may have to reach further.
    let [star, reach] = [-1, 0]
    while (at < name.length) {
      if (all[part] === any) [star, reach, part] = [part, at, part + 1]
      else if (fits(all[part], name[at] ?? '')) [at, part] = [at + 1, part + 1]
      else if (star >= 0) [at, reach, part] = [reach + 1, reach + 1, star + 1]
      else return false
    }
    return part === all.length || (part === all.length - 1 && all[part] === any)
  }
}

function partOf(text: string): Part {
  if (text === '*') return any
  if (text === '?') return one
  if (text === '[' || text === ']') throw new Error('a bracket without its partner')
  if (text.length === 1) return text
  return text.startsWith('\\')
    ? text.slice(1)
    : picomatch.makeRe(text, { dot: true, posix: true, strictBrackets: true })
}

function fits(part: Part | undefined, letter: string): boolean {
  if (part === one) return true
  return typeof part === 'object' ? part.test(letter) : part === letter
}
