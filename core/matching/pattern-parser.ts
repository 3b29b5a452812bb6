/**
 * Parses a failregex: the syntax of Python's `re` (https://docs.python.org/3/library/re.html, as of
 * 3.11). In the native syntax with Fail2ban's tags; in that of Python as Python reads it, with all that
 * it allows and refuses. Recursion and counts are bounded.
 */
import { characterNode, readClass, readEscape, type PatternFlags } from './pattern-atoms.ts'
import { PatternCursor } from './pattern-cursor.ts'
import type { PatternPlace } from './pattern-error.ts'
import { atClosingTag, readTag, type Tag } from './pattern-tags.ts'
import {
  width,
  type AssertionNode,
  type PatternNode,
  type PatternSpan,
  type PatternWidth,
  type RepeatNode,
  type SequenceNode,
} from './pattern-tree.ts'

/** What a text is read as. */
export interface PatternSyntax {
  /** As Python reads it, on text: no tags, `$` also before a last newline, names as they are written. */
  readonly python: boolean
  /** Python's flag MULTILINE, as if `(?m)` stood before the pattern. */
  readonly multiline: boolean
  readonly maxLength: number
  readonly maxDepth: number
  readonly maxCount: number
}

/** The language of the native configuration. */
export const nativeSyntax: PatternSyntax = {
  python: false,
  multiline: false,
  maxLength: 16_384,
  maxDepth: 100,
  maxCount: 1000,
}

/** Python's `re`. Its parser gives up a little deeper than this, and takes no count from 2^32-1 on. */
export const pythonSyntax: PatternSyntax = {
  python: true,
  multiline: false,
  maxLength: 1 << 20,
  maxDepth: 450,
  maxCount: 2 ** 32 - 2,
}

/** The tree of a pattern. Throws a PatternError that names the place of what is wrong or cannot be expressed. */
export function parsePattern(text: string, place: PatternPlace, syntax = nativeSyntax): PatternNode {
  return new PatternParser(text, place, syntax).parse()
}

/** As `parsePattern`, and where in the text each item of a sequence stands. */
export function locatePattern(
  text: string,
  place: PatternPlace,
): { readonly tree: PatternNode; readonly spans: ReadonlyMap<PatternNode, PatternSpan> } {
  const spans = new Map<PatternNode, PatternSpan>()
  return { tree: new PatternParser(text, place, nativeSyntax, spans).parse(), spans }
}

const longestLookBehind = 2 ** 32 - 1

class PatternParser {
  /** Where each item stands, for who wants to know it. */
  readonly #spans: Map<PatternNode, PatternSpan> | null
  readonly #cursor: PatternCursor
  readonly #syntax: PatternSyntax
  #flags: PatternFlags
  #depth = 0
  #groups = 0
  readonly #names = new Map<string, number>()
  /** Groups whose closing bracket has not been read. */
  readonly #open = new Set<number>()
  /** What the groups hold that are closed. */
  readonly #closed = new Map<number, PatternNode>()
  /** Groups that were begun before the outermost look-behind that is open here; null outside of one. */
  #beforeLookBehind: number | null = null
  /** Conditions on groups that were not begun yet, and where they stand. */
  readonly #forward: { readonly number: number; readonly at: number }[] = []
  /** Whether global flags said `(?t)`, which takes no repetition, and which of `a` and `u` they said. */
  #template = false
  #kindOfText = ''

  constructor(
    text: string,
    place: PatternPlace,
    syntax: PatternSyntax,
    spans: Map<PatternNode, PatternSpan> | null = null,
  ) {
    this.#spans = spans
    this.#cursor = new PatternCursor(text, place)
    this.#syntax = syntax
    const { multiline } = syntax
    this.#flags = { ignoreCase: false, multiline, dotAll: false, verbose: false, ascii: false }
  }

  parse(): PatternNode {
    const cursor = this.#cursor
    const { maxLength } = this.#syntax
    if (cursor.text.length > maxLength) cursor.fail(`the pattern is longer than ${maxLength} characters`, maxLength)
    const node = this.#alternatives(true)
    if (cursor.peek() === ')') cursor.fail(') closes nothing', cursor.position, 'write \\) for a bracket')
    const at = cursor.position
    if (!cursor.done) cursor.fail(`${cursor.match(/<[^>]*>/y)?.[0]} closes nothing that is open here`, at)
    for (const { number, at: place } of this.#forward) {
      if (number > this.#groups) cursor.fail(`there is no group ${number}`, place)
    }
    return node
  }

  #alternatives(whole = false): PatternNode {
    const cursor = this.#cursor
    this.#deeper()
    const branches = [this.#sequence(whole)]
    while (cursor.eat('|')) branches.push(this.#sequence())
    this.#depth--
    return branches.length === 1 && branches[0] ? branches[0] : { type: 'alternation', branches }
  }

  #deeper(): void {
    const { maxDepth } = this.#syntax
    if (++this.#depth > maxDepth) this.#cursor.fail(`brackets are nested more than ${maxDepth} deep`)
  }

  /** `first`: flags for the whole pattern may stand at its begin. */
  #sequence(first = false): SequenceNode {
    const cursor = this.#cursor
    const items: PatternNode[] = []
    while (!cursor.done && cursor.peek() !== '|' && cursor.peek() !== ')' && !this.#atClosingTag()) {
      // A backslash takes what follows it along, here and in other comments: so Python cuts a pattern into pieces.
      if (this.#flags.verbose && cursor.match(/[ \t\n\r\f\v]+|#(?:\\[^]|[^\n\\])*\n?/y)) continue
      if (first && items.length === 0 && this.#globalFlags()) continue
      const start = cursor.position
      const last = items.at(-1)
      const quantifier = this.#quantifier(last)
      if (quantifier) {
        items[items.length - 1] = quantifier
        this.#span(quantifier, (last && this.#spans?.get(last)?.start) ?? start)
      } else {
        const node = this.#atom()
        if (node) items.push(node)
        if (node) this.#span(node, start)
      }
    }
    return { type: 'sequence', items }
  }

  #atClosingTag(): boolean {
    return !this.#syntax.python && atClosingTag(this.#cursor)
  }

  #globalFlags(): boolean {
    const at = this.#cursor.position
    const letters = this.#cursor.match(/\(\?([A-Za-z]+)\)/y)?.[1]
    if (letters === undefined) return false
    const template = this.#syntax.python && letters.includes('t')
    if (template) this.#template = true
    this.#flags = this.#changedFlags(template ? letters.replaceAll('t', '') : letters, '', at)
    const kind = /[au]/.exec(letters)?.[0] ?? ''
    if (kind !== '' && this.#kindOfText !== '' && kind !== this.#kindOfText) {
      this.#cursor.fail('the flags a and u exclude each other', at)
    }
    this.#kindOfText ||= kind
    return true
  }

  #span(node: PatternNode, start: number): void {
    this.#spans?.set(node, { start, end: this.#cursor.position })
  }

  /** `item` repeated, if a quantifier comes next; null where an atom does. */
  #quantifier(item: PatternNode | undefined): RepeatNode | null {
    const cursor = this.#cursor
    const at = cursor.position
    if (!'*+?{'.includes(cursor.peek())) return null
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
    const { maxCount } = this.#syntax
    if (min > maxCount || (max > maxCount && max !== Infinity)) cursor.fail(`${text} counts beyond ${maxCount}`, at)
    if (this.#template) cursor.fail('nothing can be repeated under the flag t', at)
    const kind = cursor.eat('?') ? 'lazy' : cursor.eat('+') ? 'possessive' : 'greedy'
    return { type: 'repeat', item, min, max, kind }
  }

  /** The next node; null after a comment. */
  #atom(): PatternNode | null {
    const cursor = this.#cursor
    const at = cursor.position
    if (!'<([.^$\\'.includes(cursor.peek())) return characterNode(cursor.take(), this.#flags)
    const tag = cursor.peek() === '<' && !this.#syntax.python ? readTag(cursor) : null
    if (tag) return this.#tagNode(tag, at)
    if (cursor.eat('(')) return this.#bracket(at)
    if (cursor.eat('[')) return readClass(cursor, this.#flags)
    if (cursor.eat('.')) return this.#dot()
    if (cursor.eat('^')) return { type: 'assertion', kind: this.#flags.multiline ? 'line-start' : 'start' }
    if (cursor.eat('$')) return { type: 'assertion', kind: this.#endKind() }
    if (!cursor.eat('\\')) return characterNode(cursor.take(), this.#flags)
    const escape = readEscape(cursor, this.#flags)
    return escape.type === 'group-number' ? this.#reference(escape.number, at) : escape
  }

  #endKind(): AssertionNode['kind'] {
    if (this.#flags.multiline) return 'line-end'
    return this.#syntax.python ? 'last-line-end' : 'end'
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
    if (tag !== null && tag in {} && !this.#syntax.python) this.#cursor.fail(`a group cannot be named ${tag}`, at)
    const number = ++this.#groups
    this.#open.add(number)
    const item = read()
    this.#open.delete(number)
    this.#closed.set(number, item)
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
    if (!this.#cursor.match(/(?:\\[^]|[^)\\])*\)/y)) this.#cursor.fail('this comment is not closed', at)
    return null
  }

  #named(at: number): PatternNode {
    const name = this.#name('>')
    if (this.#names.has(name)) this.#cursor.fail(`there are two groups ${name}`, at, 'a tag <F-NAME> may stand twice')
    const fills = this.#syntax.python ? name : name.toLowerCase()
    if (fills === 'addr' && !this.#syntax.python) this.#cursor.fail('the address is not a group', at, 'write <ADDR>')
    this.#names.set(name, this.#groups + 1)
    return this.#group(fills, at, () => this.#inner(at))
  }

  #name(end: string): string {
    const at = this.#cursor.position
    const found = this.#cursor.match(
      this.#syntax.python ? /[\p{XID_Start}_][\p{XID_Continue}]*/uy : /[A-Za-z_][A-Za-z0-9_]*/y,
    )
    if (!found || !this.#cursor.eat(end)) {
      return this.#cursor.fail(`the name of a group is missing or has no ${end} behind it`, at)
    }
    return found[0]
  }

  #numberOf(name: string, at: number): number {
    return this.#names.get(name) ?? this.#cursor.fail(`there is no group ${name} before this place`, at)
  }

  #reference(number: number, at: number): PatternNode {
    if (number > this.#groups || number === 0) this.#cursor.fail(`there is no group ${number} before this place`, at)
    if (this.#open.has(number)) this.#cursor.fail(`group ${number} is still open here`, at)
    this.#checkLookBehind(number, at)
    const { ignoreCase, ascii } = this.#flags
    if (ignoreCase && !this.#syntax.python) {
      this.#cursor.fail('a back-reference ignores no case', at, 'write (?-i:…) around it')
    }
    const ignoring = ignoreCase ? (ascii ? 'ascii' : 'unicode') : null
    return { type: 'reference', number, ignoring, width: this.#widthOf(number), at }
  }

  #widthOf(number: number): PatternWidth {
    const item = this.#closed.get(number)
    return item === undefined ? { min: 0, max: Infinity } : width(item)
  }

  /** Inside of a look-behind only groups can be referred to that were closed before it. */
  #checkLookBehind(number: number, at: number): void {
    if (this.#beforeLookBehind === null || !this.#syntax.python) return
    if (!this.#closed.has(number) || number > this.#beforeLookBehind) {
      this.#cursor.fail(`group ${number} is not closed before this look-behind`, at)
    }
  }

  #conditional(at: number): PatternNode {
    const cursor = this.#cursor
    const number = this.#conditionNumber(at)
    if (this.#syntax.python) this.#checkLookBehind(number, at)
    else this.#reference(number, at)
    this.#deeper()
    const yes = this.#sequence()
    const no: SequenceNode = cursor.eat('|') ? this.#sequence() : { type: 'sequence', items: [] }
    this.#depth--
    if (cursor.peek() === '|') cursor.fail('a conditional has two branches at most')
    if (!cursor.eat(')')) cursor.fail('this bracket is not closed', at)
    return { type: 'conditional', number, yes, no, at }
  }

  /** Python takes what `int` takes, and lets a condition stand before its group. */
  #conditionNumber(at: number): number {
    const cursor = this.#cursor
    const python = cursor.match(/[ \t\n\r\f\v]*\+?(\d+(?:_\d+)*)[ \t\n\r\f\v]*\)/y)
    if (!python) return this.#numberOf(this.#name(')'), at)
    const number = Number((python[1] ?? '').replaceAll('_', ''))
    if (!this.#syntax.python) return number
    if (number === 0) cursor.fail('there is no group 0', at)
    this.#forward.push({ number, at })
    return number
  }

  #look(sign: string, at: number): PatternNode {
    const behind = sign.startsWith('<')
    const outside = this.#beforeLookBehind
    if (behind) this.#beforeLookBehind ??= this.#groups
    const item = this.#inner(at)
    this.#beforeLookBehind = outside
    const { min, max } = width(item)
    if (behind && (min !== max || min > longestLookBehind)) {
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
    if ([...on].some((letter) => off.includes(letter))) this.#cursor.fail('a flag is switched on and off', at)
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
