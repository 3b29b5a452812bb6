/**
 * Parses a failregex: the syntax of Python's `re` (https://docs.python.org/3/library/re.html, as of
 * 3.11) with Fail2ban's tags. Recursion is bounded by `maxDepth`, counts by `maxCount`.
 */
import { characterNode, readClass, readEscape, type PatternFlags } from './pattern-atoms.ts'
import { PatternCursor } from './pattern-cursor.ts'
import type { PatternPlace } from './pattern-error.ts'
import { atClosingTag, readTag, type Tag } from './pattern-tags.ts'
import { width, type PatternNode, type PatternSpan, type RepeatNode, type SequenceNode } from './pattern-tree.ts'

const maxLength = 16_384
const maxDepth = 100
const maxCount = 1000

/** The tree of a pattern. Throws a PatternError that names the place of what is wrong or cannot be expressed. */
export function parsePattern(text: string, place: PatternPlace): PatternNode {
  return new PatternParser(text, place).parse()
}

/** As `parsePattern`, and where in the text each item of a sequence stands. */
export function locatePattern(
  text: string,
  place: PatternPlace,
): { readonly tree: PatternNode; readonly spans: ReadonlyMap<PatternNode, PatternSpan> } {
  const parser = new PatternParser(text, place)
  return { tree: parser.parse(), spans: parser.spans }
}

class PatternParser {
  readonly spans = new Map<PatternNode, PatternSpan>()
  readonly #cursor: PatternCursor
  #flags: PatternFlags = { ignoreCase: false, multiline: false, dotAll: false, verbose: false, ascii: false }
  #depth = 0
  #groups = 0
  readonly #names = new Map<string, number>()
  /** Groups whose closing bracket has not been read. */
  readonly #open = new Set<number>()

  constructor(text: string, place: PatternPlace) {
    this.#cursor = new PatternCursor(text, place)
  }

  parse(): PatternNode {
    const cursor = this.#cursor
    if (cursor.text.length > maxLength) cursor.fail(`the pattern is longer than ${maxLength} characters`, maxLength)
    this.#readGlobalFlags()
    const node = this.#alternatives()
    if (cursor.peek() === ')') cursor.fail(') closes nothing', cursor.position, 'write \\) for a bracket')
    const at = cursor.position
    if (!cursor.done) cursor.fail(`${cursor.match(/<[^>]*>/y)?.[0]} closes nothing that is open here`, at)
    return node
  }

  #readGlobalFlags(): void {
    for (let found = this.#flagGroup(); found !== null; found = this.#flagGroup()) this.#flags = found
  }

  #flagGroup(): PatternFlags | null {
    const at = this.#cursor.position
    const found = this.#cursor.match(/\(\?([A-Za-z]+)\)/y)
    return found ? this.#changedFlags(found[1] ?? '', '', at) : null
  }

  #alternatives(): PatternNode {
    const cursor = this.#cursor
    if (++this.#depth > maxDepth) cursor.fail(`brackets are nested more than ${maxDepth} deep`)
    const branches = [this.#sequence()]
    while (cursor.eat('|')) branches.push(this.#sequence())
    this.#depth--
    return branches.length === 1 && branches[0] ? branches[0] : { type: 'alternation', branches }
  }

  #sequence(): SequenceNode {
    const cursor = this.#cursor
    const items: PatternNode[] = []
    while (!cursor.done && cursor.peek() !== '|' && cursor.peek() !== ')' && !atClosingTag(cursor)) {
      if (this.#flags.verbose && cursor.match(/[ \t\n\r\f\v]+|#[^\n]*\n?/y)) continue
      const start = cursor.position
      const last = items.at(-1)
      const quantifier = this.#quantifier(last)
      if (quantifier) {
        items[items.length - 1] = quantifier
        this.#span(quantifier, (last && this.spans.get(last)?.start) ?? start)
      } else {
        const node = this.#atom()
        if (node) items.push(node)
        if (node) this.#span(node, start)
      }
    }
    return { type: 'sequence', items }
  }

  #span(node: PatternNode, start: number): void {
    this.spans.set(node, { start, end: this.#cursor.position })
  }

  /** `item` repeated, if a quantifier comes next; null where an atom does. */
  #quantifier(item: PatternNode | undefined): RepeatNode | null {
    const cursor = this.#cursor
    const at = cursor.position
    const found = cursor.match(/([*+?])|\{([0-9]*)(,?)([0-9]*)\}/y)
    if (!found || found[0] === '{}') {
      cursor.position = at
      return null
    }
    const [text, sign, low, comma, high] = found
    if (!item || item.type === 'assertion') return cursor.fail(`${text} has nothing to repeat`, at)
    if (item.type === 'repeat') return cursor.fail(`${text} repeats what is repeated already`, at)
    const min = sign ? Number(sign === '+') : Number(low)
    const max = sign ? (sign === '?' ? 1 : Infinity) : high ? Number(high) : comma ? Infinity : min
    if (min > max) cursor.fail(`${text} asks for at least ${min} and at most ${max}`, at)
    if (min > maxCount || (max > maxCount && max !== Infinity)) cursor.fail(`${text} counts beyond ${maxCount}`, at)
    const kind = cursor.eat('?') ? 'lazy' : cursor.eat('+') ? 'possessive' : 'greedy'
    return { type: 'repeat', item, min, max, kind }
  }

  /** The next node; null after a comment. */
  #atom(): PatternNode | null {
    const cursor = this.#cursor
    const at = cursor.position
    const tag = cursor.peek() === '<' ? readTag(cursor) : null
    if (tag) return this.#tagNode(tag, at)
    if (cursor.eat('(')) return this.#bracket(at)
    if (cursor.eat('[')) return readClass(cursor, this.#flags)
    if (cursor.eat('.')) return this.#dot()
    if (cursor.eat('^')) return { type: 'assertion', kind: this.#flags.multiline ? 'line-start' : 'start' }
    if (cursor.eat('$')) return { type: 'assertion', kind: this.#flags.multiline ? 'line-end' : 'end' }
    if (!cursor.eat('\\')) return characterNode(cursor.take(), this.#flags)
    const escape = readEscape(cursor, this.#flags)
    return escape.type === 'group-number' ? this.#reference(escape.number, at) : escape
  }

  #dot(): PatternNode {
    const newline = this.#flags.dotAll ? [] : [{ from: 10, to: 10 }]
    return { type: 'set', negated: true, ranges: newline, classes: [] }
  }

  #tagNode(tag: Tag, at: number): PatternNode {
    if (tag.type === 'address') return { type: 'address', family: tag.family, brackets: tag.brackets, at }
    const node = this.#group(tag.fills, at, () => this.#alternatives())
    if (!this.#cursor.eat(`</${tag.word}>`)) {
      this.#cursor.fail(`<${tag.word}> is not closed here`, at, `write <${tag.word}>…</${tag.word}>`)
    }
    return node
  }

  #group(tag: string | null, at: number, read: () => PatternNode): PatternNode {
    if (tag !== null && tag in {}) this.#cursor.fail(`a group cannot be named ${tag}`, at)
    const number = ++this.#groups
    this.#open.add(number)
    const item = read()
    this.#open.delete(number)
    return { type: 'group', number, tag, item, at }
  }

  /** What an opening bracket begins; the cursor is behind it. */
  #bracket(at: number): PatternNode | null {
    const cursor = this.#cursor
    if (!cursor.eat('?')) return this.#group(null, at, () => this.#inner(at))
    if (cursor.eat('#')) return this.#comment(at)
    if (cursor.eat(':')) return this.#inner(at)
    if (cursor.eat('>')) return { type: 'atomic', item: this.#inner(at) }
    if (cursor.eat('P=')) return this.#reference(this.#numberOf(this.#name(')'), at), at)
    if (cursor.eat('P<')) return this.#named(at)
    if (cursor.eat('(')) return this.#conditional(at)
    const look = cursor.match(/<?[=!]/y)
    if (look) return this.#look(look[0], at)
    if (cursor.match(/P?</y)) cursor.fail('(?< begins nothing', at, 'a named group is written (?P<name>…)')
    return this.#scopedFlags(at)
  }

  /** The inside of brackets, with the closing one. */
  #inner(at: number): PatternNode {
    const node = this.#alternatives()
    if (!this.#cursor.eat(')')) this.#cursor.fail('this bracket is not closed', at)
    return node
  }

  #comment(at: number): null {
    if (!this.#cursor.match(/[^)]*\)/y)) this.#cursor.fail('this comment is not closed', at)
    return null
  }

  #named(at: number): PatternNode {
    const name = this.#name('>')
    if (this.#names.has(name)) this.#cursor.fail(`there are two groups ${name}`, at, 'a tag <F-NAME> may stand twice')
    const fills = name.toLowerCase()
    if (fills === 'addr') this.#cursor.fail('the address is not a group', at, 'write <ADDR>')
    this.#names.set(name, this.#groups + 1)
    return this.#group(fills, at, () => this.#inner(at))
  }

  #name(end: string): string {
    const at = this.#cursor.position
    const found = this.#cursor.match(/[A-Za-z_][A-Za-z0-9_]*/y)
    if (!found || !this.#cursor.eat(end)) {
      return this.#cursor.fail(`the name of a group is missing or has no ${end} behind it`, at)
    }
    return found[0]
  }

  #numberOf(name: string, at: number): number {
    return this.#names.get(name) ?? this.#cursor.fail(`there is no group ${name} before this place`, at)
  }

  #reference(number: number, at: number): PatternNode {
    this.#checkReference(number, at)
    if (this.#flags.ignoreCase) {
      this.#cursor.fail('a back-reference ignores no case', at, 'write (?-i:…) around it')
    }
    return { type: 'reference', number, at }
  }

  #checkReference(number: number, at: number): void {
    if (number > this.#groups || number === 0) this.#cursor.fail(`there is no group ${number} before this place`, at)
    if (this.#open.has(number)) this.#cursor.fail(`group ${number} is still open here`, at)
  }

  #conditional(at: number): PatternNode {
    const cursor = this.#cursor
    const digits = cursor.match(/([0-9]{1,3})\)/y)
    const number = digits ? Number(digits[1]) : this.#numberOf(this.#name(')'), at)
    this.#checkReference(number, at)
    if (++this.#depth > maxDepth) cursor.fail(`brackets are nested more than ${maxDepth} deep`)
    const yes = this.#sequence()
    const no: SequenceNode = cursor.eat('|') ? this.#sequence() : { type: 'sequence', items: [] }
    this.#depth--
    if (cursor.peek() === '|') cursor.fail('a conditional has two branches at most')
    if (!cursor.eat(')')) cursor.fail('this bracket is not closed', at)
    return { type: 'conditional', number, yes, no, at }
  }

  #look(sign: string, at: number): PatternNode {
    const behind = sign.startsWith('<')
    const item = this.#inner(at)
    const { min, max } = width(item)
    if (behind && min !== max) {
      this.#cursor.fail('a look-behind must have a fixed width', at, 'use alternatives of the same length')
    }
    return { type: 'look', behind, negated: sign.endsWith('!'), item }
  }

  #scopedFlags(at: number): PatternNode {
    const found = this.#cursor.match(/([A-Za-z]*)(?:-([A-Za-z]+))?([:)])/y)
    if (!found) return this.#cursor.fail('unknown kind of bracket', at, 'a group without a name is written (?:…)')
    const [, on = '', off = '', end] = found
    if (end === ')') this.#cursor.fail('flags for the whole pattern belong to its start', at, 'or write (?i:…)')
    const outside = this.#flags
    this.#flags = this.#changedFlags(on, off, at)
    const node = this.#inner(at)
    this.#flags = outside
    return node
  }

  #changedFlags(on: string, off: string, at: number): PatternFlags {
    const letters = `${on}${off}`
    const wrong = /[^aimsux]/.exec(letters)?.[0]
    if (wrong !== undefined) this.#cursor.fail(`unknown flag ${wrong}`, at, 'allowed are a, i, m, s, u, x')
    if (/[au]/.test(off)) this.#cursor.fail('the flags a and u cannot be switched off', at)
    if (/a/.test(on) && /u/.test(on)) this.#cursor.fail('the flags a and u exclude each other', at)
    const state = (letter: string, now: boolean) => (on.includes(letter) ? true : off.includes(letter) ? false : now)
    return {
      ignoreCase: state('i', this.#flags.ignoreCase),
      multiline: state('m', this.#flags.multiline),
      dotAll: state('s', this.#flags.dotAll),
      verbose: state('x', this.#flags.verbose),
      ascii: on.includes('u') ? false : state('a', this.#flags.ascii),
    }
  }
}
