import { PatternError, type PatternPlace } from './pattern-error.ts'

/** Reads the text of a pattern from left to right and knows how to complain about a place in it. */
export class PatternCursor {
  readonly text: string
  readonly place: PatternPlace
  position = 0

  constructor(text: string, place: PatternPlace) {
    this.text = text
    this.place = place
  }

  get done(): boolean {
    return this.position >= this.text.length
  }

  /** The next UTF-16 unit; empty at the end. */
  peek(): string {
    return this.text[this.position] ?? ''
  }

  /** Takes `expected` if it comes next. */
  eat(expected: string): boolean {
    if (!this.text.startsWith(expected, this.position)) return false
    this.position += expected.length
    return true
  }

  /** Takes the next character and gives its code point. */
  take(): number {
    const code = this.text.codePointAt(this.position)
    if (code === undefined) return this.fail('the pattern ends too early')
    this.position += code > 0xffff ? 2 : 1
    return code
  }

  /** Takes what a sticky expression matches here. */
  match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.position
    const found = sticky.exec(this.text)
    if (found) this.position += found[0].length
    return found
  }

  fail(message: string, at = this.position, hint?: string): never {
    throw new PatternError(this.place, this.text, at, message, hint)
  }
}
