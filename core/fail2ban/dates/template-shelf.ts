/** The templates of one detector: each pattern has one, however often it is asked for. */
import type { DateForm } from './date-form.ts'
import { patternKey, type DateForms } from './date-forms.ts'
import { defaultPatterns } from './default-patterns.ts'
import { withoutBounds } from './word-bounds.ts'

/** A form of dates as one detector has it. */
export interface DateTemplate {
  readonly form: DateForm
  /** Heavier ones move to the front sooner. */
  weight: number
}

/** Copies of default templates at the start of a line weigh that much, so that they stay in front. */
const lineBeginWeight = 100

export class TemplateShelf {
  readonly #forms: DateForms
  readonly #templates = new Map<string, DateTemplate>()

  constructor(forms: DateForms) {
    this.#forms = forms
  }

  /**
   * The templates of a line of `datepattern`. `{DEFAULT}` adds none, as in the running program, which then takes
   * the default list where no other pattern is. Throws an `UnknownToken`.
   */
  ofPatternLine(line: string): readonly DateTemplate[] {
    const key = patternKey(line)
    const known = this.#templates.get(key)
    if (known !== undefined) return [known]
    if (key === '{DEFAULT}') return []
    if (key === '{^LN-BEG}') return this.defaultList().filter(({ form }) => form.beginsLine)
    if (key.includes('{DATE}')) return this.#defaults().map(({ form }) => this.#insideOf(form, line))
    return [key === '{NONE}' ? this.#ofPattern('{UNB}^', key) : this.#ofPattern(line, key)]
  }

  /** The forms that Fail2ban knows: their copies at the start of a line, then those anywhere. */
  defaultList(): readonly DateTemplate[] {
    const defaults = this.#defaults()
    const copies = defaults
      .filter(({ form: { name } }) => !name.startsWith('{^LN-BEG}') && !name.startsWith('^'))
      .map(({ form }) => this.#wrapped(form, (text) => `{^LN-BEG}${text}`))
    for (const copy of copies) copy.weight = lineBeginWeight
    return [...copies, ...defaults]
  }

  #defaults(): readonly DateTemplate[] {
    return defaultPatterns.map((pattern) => this.#ofPattern(pattern, patternKey(pattern)))
  }

  /** A copy that stands where `{DATE}` does in a pattern. */
  #insideOf(form: DateForm, pattern: string): DateTemplate {
    return this.#wrapped(form, (text) => pattern.replace(/(?<!\\)\{DATE\}/gi, () => withoutBounds(text)))
  }

  #wrapped({ name, pattern }: DateForm, wrap: (text: string) => string): DateTemplate {
    const known = this.#templates.get(wrap(name))
    if (known !== undefined) return known
    const text = wrap(pattern ?? name)
    return this.#templates.get(text) ?? this.#ofPattern(text, patternKey(text))
  }

  #ofPattern(pattern: string, key: string): DateTemplate {
    const known = this.#templates.get(key)
    if (known !== undefined) return known
    const template = { form: this.#forms.ofPattern(pattern, key), weight: 1 }
    this.#templates.set(key, template)
    return template
  }
}
