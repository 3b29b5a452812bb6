/** How jails name filters and actions: `name[option=value, other="a,b"][third='c']`, several of them in a list. */
import { isSpace, space, strip, word } from './python-text.ts'

/** A name with the options it is given. */
export interface NamedOptions {
  readonly name: string
  readonly options: Map<string, string>
}

/** Whether an option may be named for addresses of one family alone: `block?family=inet6`. */
export type OptionNames = 'plain' | 'families'

/** What is wrong with a text, in Fail2ban's words, which its command stream has. */
export class OptionSyntaxError extends Error {}

const words = new RegExp(`[${space},]+`)

/** Words split by commas and white space, as those of `ignoreip`: by any of it, or by blanks and newlines alone. */
export function splitWords(text: string, splitsAtAnySpace: boolean): string[] {
  return text
    .split(splitsAtAnySpace ? words : /[ ,\n]+/)
    .map(strip)
    .filter((one) => one !== '')
}

/**
 * Reads `name[option=value, ...]`. White space before the bracket belongs to the name, as in Fail2ban. Throws an
 * OptionSyntaxError.
 */
export function splitOptions(text: string, names: OptionNames = 'families'): NamedOptions {
  const bracket = text.indexOf('[')
  if (text === '' || bracket === 0) throw new OptionSyntaxError('unexpected option syntax')
  if (bracket < 0) return { name: text, options: new Map() }
  const inside = strip(text).endsWith(']') ? text.slice(bracket + 1, text.lastIndexOf(']')) : undefined
  if (inside === undefined) throw new OptionSyntaxError('unexpected option syntax')
  return { name: text.slice(0, bracket), options: readOptions(inside, names) }
}

/**
 * The parts of a list of actions, split by white space that stands in no brackets, as `splitOptions` takes them. What
 * follows a part (white space but the last character of it) belongs to it. Brackets that are not closed, or hold no
 * options, do not keep a part together.
 */
export function splitList(text: string, names: OptionNames = 'families'): string[] {
  const list = new ListReader(text, names)
  const parts: string[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const end = list.endOfPart(at)
    parts.push(text.slice(at, end))
    at = end
  }
  return parts
}

/** What an option is called; since 1.1.1 that for addresses of one family is `name?family=inet6`. */
const optionName = { plain: `[${word}\\-.]+`, families: `[${word}\\-.]+(?:\\?[${word}]+=[${word}]+(?==))?` }
const options = {
  plain: new RegExp(`[${space}]*(${optionName.plain})=`, 'uy'),
  families: new RegExp(`[${space}]*(${optionName.families})=`, 'uy'),
}
/** What follows the value of an option: the next one, in these brackets or in others, or the end. */
const separator = new RegExp(`,|\\][${space}]*\\[|\\n?$`, 'y')
const nothingMore = new RegExp(`,?[${space}]*$`, 'y')

/** The options inside of the brackets. */
function readOptions(text: string, names: OptionNames): Map<string, string> {
  const read = new Map<string, string>()
  for (let at = 0; at < text.length;) {
    const name = matchAt(options[names], text, at)
    if (name === null) {
      if (matchAt(nothingMore, text, at) !== null) return read
      throw new OptionSyntaxError(`expected option, wrong syntax at ${position(text, at)}: ${excerpt(text, at)}`)
    }
    const [value, end] = valueAt(text, at + name[0].length)
    const next = matchAt(separator, text, end)
    if (next === null) {
      const what = `unexpected syntax at ${position(text, end)} after option '${name[1]}': ${excerpt(text, end)}`
      throw new OptionSyntaxError(what)
    }
    read.set(name[1] ?? '', strip(value))
    at = end + (next[0].startsWith('\n') ? 0 : next[0].length)
  }
  return read
}

/** A value, without its quotes, and where it ends. A quote that is not closed is part of the value. */
function valueAt(text: string, at: number): [value: string, end: number] {
  const closing = closingQuote(text, at)
  if (closing >= 0) return [text.slice(at + 1, closing), closing + 1]
  const end = plainEnd(text, at)
  return [text.slice(at, end), end]
}

function closingQuote(text: string, at: number): number {
  const quote = text.charAt(at)
  return quote === '"' || quote === "'" ? text.indexOf(quote, at + 1) : -1
}

/** Where a value without quotes ends: before `,` or `]`. */
function plainEnd(text: string, at: number): number {
  let end = at
  while (end < text.length && text[end] !== ',' && text[end] !== ']') end += 1
  return end
}

const openBracket = new RegExp(`[${space}]*\\[[${space}]*`, 'y')
const listOptions = {
  plain: new RegExp(`${optionName.plain}=`, 'uy'),
  families: new RegExp(`${optionName.families}=`, 'uy'),
}
const listSeparators = [
  new RegExp(`[${space}]*,[${space}]*`, 'y'),
  new RegExp(`[${space}]*\\][${space}]*\\[[${space}]*`, 'y'),
  new RegExp(`[${space}]*`, 'y'),
]

/** Finds where parts of a list end. It tries what Fail2ban's pattern tries, each place once. */
class ListReader {
  readonly #text: string
  readonly #option: RegExp
  /** By where an option may begin: where the part ends if one does, -1 if it cannot. */
  readonly #ends = new Map<number, number>()

  constructor(text: string, names: OptionNames) {
    this.#text = text
    this.#option = listOptions[names]
  }

  /** The end of the part that begins at `at`, which is no white space. */
  endOfPart(at: number): number {
    const name = endOfWord(this.#text, at, true)
    const inBrackets = name === at ? -1 : this.#endOfBrackets(name)
    if (inBrackets >= 0) return this.#withSpace(inBrackets)
    const isPlain = name > at && (name === this.#text.length || isSpace(this.#text.charAt(name)))
    return isPlain ? this.#withSpace(name) : endOfWord(this.#text, at, false)
  }

  #endOfBrackets(at: number): number {
    const open = matchAt(openBracket, this.#text, at)
    return open === null ? -1 : this.#endOfOptions(at + open[0].length)
  }

  /** The end of a part whose options go on at `at`: behind a `]` that white space follows, or the end of the text. */
  #endOfOptions(at: number): number {
    const known = this.#ends.get(at)
    if (known !== undefined) return known
    // In a circle there is none, but for what is found now.
    this.#ends.set(at, -1)
    const end = this.#tryOption(at)
    const behind = end >= 0 || this.#text.charAt(at) !== ']' ? end : this.#ifFree(at + 1)
    this.#ends.set(at, behind)
    return behind
  }

  #tryOption(at: number): number {
    const name = matchAt(this.#option, this.#text, at)
    if (name === null) return -1
    const value = at + name[0].length
    const closing = closingQuote(this.#text, value)
    const quoted = closing < 0 ? -1 : this.#behindValue(closing + 1)
    if (quoted >= 0) return quoted
    for (let end = plainEnd(this.#text, value); end >= value; end -= 1) {
      const found = this.#behindValue(end)
      if (found >= 0) return found
    }
    return -1
  }

  #behindValue(at: number): number {
    for (const pattern of listSeparators) {
      const found = matchAt(pattern, this.#text, at)
      const end = found === null ? -1 : this.#endOfOptions(at + found[0].length)
      if (end >= 0) return end
    }
    return -1
  }

  #ifFree(at: number): number {
    return at === this.#text.length || isSpace(this.#text.charAt(at)) ? at : -1
  }

  #withSpace(at: number): number {
    const end = skipSpace(this.#text, at)
    return end === this.#text.length ? end : Math.max(at, end - 1)
  }
}

/** In the middle of a character a pattern with the flag `u` begins before it; nothing begins there. */
function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  const found = pattern.exec(text)
  return found?.index === at ? found : null
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && isSpace(text.charAt(at))) at += 1
  return at
}

function endOfWord(text: string, at: number, endsAtBracket: boolean): number {
  while (at < text.length && !isSpace(text.charAt(at)) && !(endsAtBracket && text[at] === '[')) at += 1
  return at
}

/** Places are counted in characters, not in UTF-16 units. */
function position(text: string, at: number): number {
  return Array.from(text.slice(0, at)).length
}

function excerpt(text: string, at: number): string {
  return Array.from(text.slice(at, at + 50))
    .slice(0, 25)
    .join('')
}
