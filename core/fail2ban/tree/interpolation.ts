/** Puts `%(name)s` in, as Python's `configparser` does, with the names of Fail2ban: `known/x`, `default/x`, `section/x`. */
import { quote, type Where } from '../../errors.ts'
import { treeProblem } from './problem.ts'
import { word } from './python-text.ts'

/** What names mean inside one section. */
export interface Scope {
  /** The text of a plain name, lower case: given by the caller, of the section, or of `[DEFAULT]`; null: it has no value. */
  plain(name: string): string | null | undefined
  /** The text of `section/name`, as written. */
  qualified(section: string, name: string): string | undefined
}

/** A text longer than this is taken for a mistake: options that multiply each other. */
export const longestText = 1 << 20

/** Uses within uses of names that Python allows. */
const deepest = 10

/**
 * The text with every `%(name)s` put in and `%%` made `%`. Throws a BailiffError for a name that there is not, for a `%`
 * that begins nothing, beyond ten uses within each other, and beyond a million characters.
 */
export function interpolate(text: string, scope: Scope, where: Where | undefined): string {
  if (!text.includes('%')) return text
  return new Interpolation(scope, where).expand(text, new Map(), 1)
}

const placeholder = /%\(([^)]+)\)s/y
const qualifiedPlaceholder = new RegExp(`%\\(([${word}\\-]+)/([^)]+)\\)s`, 'gu')

class Interpolation {
  readonly #scope: Scope
  readonly #where: Where | undefined
  /** Characters made so far, on all levels. */
  #made = 0

  constructor(scope: Scope, where: Where | undefined) {
    this.#scope = scope
    this.#where = where
  }

  expand(text: string, outer: ReadonlyMap<string, string>, depth: number): string {
    if (depth > deepest)
      throw this.#problem(
        'uses of options within each other are more than 10 deep',
        'do they use each other in a circle?',
      )
    const names = this.#qualifiedNames(text, outer)
    let result = ''
    for (let at = 0; at < text.length;) {
      const sign = text.indexOf('%', at)
      if (sign < 0) return this.#within(result + text.slice(at))
      result += text.slice(at, sign)
      if (text.startsWith('%%', sign)) {
        result += '%'
        at = sign + 2
        continue
      }
      const name = this.#nameAt(text, sign)
      const value = this.#value(name, names)
      result = this.#within(result + (value.includes('%') ? this.expand(value, names, depth + 1) : value))
      at = sign + name.length + '%()s'.length
    }
    return this.#within(result)
  }

  #nameAt(text: string, at: number): string {
    placeholder.lastIndex = at
    const name = placeholder.exec(text)?.[1]
    if (name !== undefined) return name
    throw this.#problem(`${quote(text.slice(at, at + 20))} is no "%(name)s"`, 'write "%%" for a percent sign')
  }

  #value(name: string, names: ReadonlyMap<string, string>): string {
    const key = name.toLowerCase()
    const value = names.get(key) ?? this.#scope.plain(key)
    if (value === undefined)
      throw this.#problem(`there is no option ${quote(name)}, which "%(${name})s" uses`, 'set it here or in [DEFAULT]')
    if (value === null)
      throw this.#problem(`the option ${quote(name)}, which "%(${name})s" uses, has no valid value`, 'mend that option')
    return value
  }

  /**
   * Names with a section, looked up as they are written in this text: what a name of another spelling finds is what
   * some text around it used.
   */
  #qualifiedNames(text: string, outer: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    if (!text.includes('/')) return outer
    let names: Map<string, string> | undefined
    for (const [, section = '', name = ''] of text.matchAll(qualifiedPlaceholder)) {
      const key = `${section}/${name}`
      if (outer.has(key) || this.#scope.plain(key) !== undefined) continue
      const value = this.#scope.qualified(section, name)
      if (value !== undefined) names = (names ?? new Map(outer)).set(key, value)
    }
    return names ?? outer
  }

  #within(text: string): string {
    this.#made += text.length
    if (text.length > longestText || this.#made > 16 * longestText)
      throw this.#problem('the value grows past a million characters', 'do options use each other many times?')
    return text
  }

  #problem(message: string, hint: string) {
    return treeProblem(message, this.#where, hint)
  }
}
