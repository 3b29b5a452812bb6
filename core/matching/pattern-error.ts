import { BailiffError, quote } from '../errors.ts'

/** Which pattern of a filter it is: the list, and the index in it from 0. */
export interface PatternPlace {
  /** `regex`: that of a condition on a field. */
  readonly list: 'prefregex' | 'failregex' | 'ignoreregex' | 'datepattern' | 'regex'
  readonly index: number
}

/** A pattern that cannot be used. It names list, index and position, so that the caller can name file and line. */
export class PatternError extends BailiffError {
  readonly list: PatternPlace['list']
  readonly index: number
  /** Offset into the pattern, from 0, in UTF-16 units. */
  readonly position: number
  /** What is wrong, without the place. */
  readonly reason: string

  constructor(place: PatternPlace, text: string, position: number, message: string, hint?: string) {
    const name = place.list === 'prefregex' || place.list === 'regex' ? place.list : `${place.list} ${place.index + 1}`
    super('config', `${name}, character ${position + 1}: ${message}, in ${quote(text)}`, hint ? { hint } : {})
    this.name = 'PatternError'
    this.list = place.list
    this.index = place.index
    this.position = position
    this.reason = message
  }
}
