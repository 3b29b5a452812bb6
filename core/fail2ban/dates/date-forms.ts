/** The forms of dates that one thread has met, which all its detectors share: to compile one takes milliseconds. */
import { epochForm, epochToken, patternForm, tai64nForm, type DateForm } from './date-form.ts'
import { dateTokens, type DateToken } from './date-tokens.ts'

/** So many are kept; the forms of a tree of hundreds of jails are fewer. */
const maxForms = 2000

export class DateForms {
  readonly #tokens: ReadonlyMap<string, DateToken>
  readonly #forms = new Map<string, DateForm>()

  /** `year`: that in which the program was started, which bounds the years that `%ExY` finds. */
  constructor(year = new Date().getFullYear()) {
    this.#tokens = dateTokens(year)
  }

  /** The form that a pattern says. `key`: see `patternKey`. Throws an `UnknownToken`. */
  ofPattern(pattern: string, key: string): DateForm {
    const known = this.#forms.get(`${key}\n${pattern}`)
    if (known !== undefined) return known
    const form = epochOf(pattern, key) ?? tai64nOf(key) ?? patternForm(pattern, this.#tokens)
    if (this.#forms.size >= maxForms) this.#forms.clear()
    this.#forms.set(`${key}\n${pattern}`, form)
    return form
  }
}

/** What Fail2ban knows a pattern by: without a token it is the same in every case. */
export function patternKey(pattern: string): string {
  return pattern.includes('%') ? pattern : pattern.toUpperCase()
}

function epochOf(pattern: string, key: string): DateForm | null {
  if (!key.includes('EPOCH')) return null
  if (pattern.search(epochToken) >= 0) return epochForm({ pattern }, key.includes('LEPOCH'))
  const [, front, isLong] = /^(\{\^LN-BEG\}|\^)?(L)?EPOCH$/.exec(key) ?? []
  if (front === undefined && !/^L?EPOCH$/.test(key)) return null
  return epochForm(front === undefined ? 'usual' : 'line-begin', isLong !== undefined)
}

function tai64nOf(key: string): DateForm | null {
  const [whole, front] = /^(\{\^LN-BEG\}|\^)?TAI64N$/.exec(key) ?? []
  return whole === undefined ? null : tai64nForm(front === undefined ? 'none' : 'line')
}
