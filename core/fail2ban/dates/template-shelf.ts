/** The templates of one detector: each pattern has one, however often it is asked for. */
import { epochTemplate, epochToken, patternTemplate, tai64nTemplate, type DateTemplate } from './date-template.ts'
import { dateTokens, type DateToken } from './date-tokens.ts'
import { defaultPatterns } from './default-patterns.ts'
import { withoutBounds } from './word-bounds.ts'

/** Copies of default templates at the start of a line weigh that much, so that they stay in front. */
const lineBeginWeight = 100

export class TemplateShelf {
  readonly #templates = new Map<string, DateTemplate>()
  readonly #tokens: ReadonlyMap<string, DateToken>

  /** `year`: that in which the program was started. */
  constructor(year: number) {
    this.#tokens = dateTokens(year)
  }

  /**
   * The templates of a line of `datepattern`. `{DEFAULT}` adds none, as in the running program, which then takes
   * the default list where no other pattern is. Throws an `UnknownToken`.
   */
  ofPatternLine(line: string): readonly DateTemplate[] {
    const key = keyOf(line)
    const known = this.#templates.get(key)
    if (known !== undefined) return [known]
    if (key === '{DEFAULT}') return []
    if (key === '{^LN-BEG}') return this.defaultList().filter(({ beginsLine }) => beginsLine)
    if (key.includes('{DATE}')) return this.#defaults().map((one) => this.#insideOf(one, line))
    return [key === '{NONE}' ? this.#ofPattern('{UNB}^', key) : this.#ofPattern(line, key)]
  }

  /** The forms that Fail2ban knows: their copies at the start of a line, then those anywhere. */
  defaultList(): readonly DateTemplate[] {
    const defaults = this.#defaults()
    const copies = defaults
      .filter(({ name }) => !name.startsWith('{^LN-BEG}') && !name.startsWith('^'))
      .map((one) => ({ one, copy: this.#wrapped(one, (text) => `{^LN-BEG}${text}`) }))
      .filter(({ one, copy }) => copy.name !== one.name)
      .map(({ copy }) => copy)
    for (const copy of copies) copy.weight = lineBeginWeight
    return [...copies, ...defaults]
  }

  #defaults(): readonly DateTemplate[] {
    return defaultPatterns.map((pattern) => this.#ofPattern(pattern, keyOf(pattern)))
  }

  /** A copy that stands where `{DATE}` does in a pattern. */
  #insideOf(template: DateTemplate, pattern: string): DateTemplate {
    return this.#wrapped(template, (text) => pattern.replace(/(?<!\\)\{DATE\}/gi, () => withoutBounds(text)))
  }

  #wrapped({ name, pattern }: DateTemplate, wrap: (text: string) => string): DateTemplate {
    const known = this.#templates.get(wrap(name))
    if (known !== undefined) return known
    const text = wrap(pattern ?? name)
    return this.#templates.get(text) ?? this.#ofPattern(text, keyOf(text))
  }

  #ofPattern(pattern: string, key: string): DateTemplate {
    const known = this.#templates.get(key)
    if (known !== undefined) return known
    const template = epochOf(pattern, key) ?? tai64nOf(key) ?? patternTemplate(pattern, this.#tokens)
    this.#templates.set(key, template)
    return template
  }
}

/** Patterns without a token are the same in every case. */
function keyOf(pattern: string): string {
  return pattern.includes('%') ? pattern : pattern.toUpperCase()
}

function epochOf(pattern: string, key: string): DateTemplate | null {
  if (!key.includes('EPOCH')) return null
  if (pattern.search(epochToken) >= 0) return epochTemplate({ pattern }, key.includes('LEPOCH'))
  const [, front, isLong] = /^(\{\^LN-BEG\}|\^)?(L)?EPOCH$/.exec(key) ?? []
  if (front === undefined && !/^L?EPOCH$/.test(key)) return null
  return epochTemplate(front === undefined ? 'usual' : 'line-begin', isLong !== undefined)
}

function tai64nOf(key: string): DateTemplate | null {
  const [whole, front] = /^(\{\^LN-BEG\}|\^)?TAI64N$/.exec(key) ?? []
  return whole === undefined ? null : tai64nTemplate(front === undefined ? 'none' : 'line')
}
