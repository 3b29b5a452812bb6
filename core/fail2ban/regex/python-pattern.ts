/**
 * A regular expression of Python, on text: the same matches and the same groups as `re.compile(…).search(…)` of Python
 * 3.11. Where JavaScript can say the same it is a RegExp. Where only the groups would differ (a group that keeps what an
 * earlier turn captured) a RegExp finds where the match begins and the machine beside this file what is in it; the rest
 * (a back-reference that ignores case …) is the machine's alone.
 */
import { whyBacktracking } from '../../matching/linear.ts'
import { emitPattern, pythonClasses, type Emitted, type Variant } from '../../matching/pattern-emitter.ts'
import type { PatternPlace } from '../../matching/pattern-error.ts'
import { beginTexts, filledGroups, laterLiteral } from '../../matching/pattern-begins.ts'
import { firstCharacters, requiredLiterals } from '../../matching/pattern-literals.ts'
import { parsePattern, pythonSyntax } from '../../matching/pattern-parser.ts'
import { children, type GroupNode, type PatternNode } from '../../matching/pattern-tree.ts'
import { chooseEngine, type EngineChoice } from './engine-choice.ts'
import { linearForm } from './linear-form.ts'
import { frontTree } from './front-tree.ts'
import { Machine, type Spans } from './machine.ts'

export interface PythonOptions {
  readonly place: PatternPlace
  /** Python's flag MULTILINE. */
  readonly multiline: boolean
  /** Whether groups without a name are told as well; as a rule nobody asks for them, and without them more is plain. */
  readonly allGroups?: boolean
}

/** What was found. All offsets are UTF-16 units. */
export interface PythonMatch {
  readonly start: number
  readonly end: number
  /** The texts of the groups in the order of `names`; undefined: it took no part. */
  readonly named: readonly (string | undefined)[]
}

/** Where a match and its groups are; null: a group took no part. */
export interface NamedSpans {
  readonly end: number
  readonly named: readonly (readonly [start: number, end: number] | null)[]
}

export interface PythonPattern {
  /** The names of the groups, in the order of their opening brackets. */
  readonly names: readonly string[]
  /** How many groups there are, with and without a name. */
  readonly groups: number
  /** ASCII texts one of which stands in everything that it finds; null: nothing is known. */
  readonly literals: readonly string[] | null
  /** The ASCII characters one of which begins every text that it matches, where it can only match there; else null. */
  readonly firstCharacters: string | null
  /** ASCII texts with one of which each text begins in which it finds something; null: nothing is known. */
  readonly begins: readonly string[] | null
  /** An ASCII text that stands in everything that it finds, and not in its begins; null: nothing is known. */
  readonly laterLiteral: string | null
  /** The names of the groups that hold a character at least whenever it finds something. */
  readonly filled: ReadonlySet<string>
  /** Null: truly regular; else what it has that needs backtracking. */
  readonly backtracking: string | null
  /** Null: V8 finds everything. Else why our own machine finds the groups, or all. */
  readonly ownMachine: string | null
  /** `from`: where the search begins (UTF-16 units); what stands before it is seen by look-behinds and boundaries. */
  search(text: string, ascii?: boolean, from?: number): PythonMatch | null
  /** Whether `search` finds something. */
  test(text: string, ascii?: boolean): boolean
  /**
   * Where the pattern ends in a group with this name of `.+` and in `$`: the same with one character in place of the
   * group, so that its matches in a line (with a newline at its end, and no other) end behind the first character of the group.
   * Null: it does not end so.
   */
  front(group: string): PythonPattern | null
  /** The source of the expression without flags that says all of texts in ASCII; null: there is none. */
  readonly asciiSource: string | null
  /** As `search` in a text in ASCII, with the places of the groups in the order of `names`. Slow. */
  namedSpans(text: string): NamedSpans | null
  /** Start and end of the match and of each group by its number; null: a group took no part, or is not told. Slow. */
  spans(text: string, from?: number): Spans | null
}

/** Compiles an expression. Throws a PatternError for what Python refuses. */
export function compilePython(text: string, options: PythonOptions): PythonPattern {
  const { place, multiline, allGroups = false } = options
  const tree = parsePattern(text, place, { ...pythonSyntax, multiline })
  return new CompiledPattern(tree, (node) => chooseEngine(node, text, place, allGroups))
}

/** What is not needed to read it is made when somebody asks: a tree has hundreds of patterns, and few see a line. */
class CompiledPattern implements PythonPattern {
  readonly names: readonly string[]
  readonly groups: number
  readonly #tree: PatternNode
  readonly #choose: (tree: PatternNode) => EngineChoice
  readonly #named: readonly GroupNode[]
  #literals: readonly string[] | null | undefined
  #plan: Plan | null = null
  /** Made when the first text asks for it; null: V8 cannot. */
  #ascii: Expression | null | undefined
  #unicode: Expression | null | undefined
  #machine: Machine | null = null

  constructor(tree: PatternNode, choose: (tree: PatternNode) => EngineChoice) {
    const groups = [...groupsOf(tree)].toSorted((a, b) => a.number - b.number)
    this.#tree = tree
    this.#choose = choose
    this.#named = groups.filter(({ tag }) => tag !== null)
    this.names = this.#named.map(({ tag }) => tag ?? '')
    this.groups = groups.length
  }

  get literals(): readonly string[] | null {
    return this.#literals === undefined ? (this.#literals = requiredLiterals(this.#tree)) : this.#literals
  }

  get firstCharacters(): string | null {
    return firstCharacters(this.#tree)
  }

  get begins(): readonly string[] | null {
    return beginTexts(this.#tree)
  }

  get laterLiteral(): string | null {
    return laterLiteral(this.#tree, this.begins ?? [])
  }

  get filled(): ReadonlySet<string> {
    return filledGroups(this.#tree)
  }

  get backtracking(): string | null {
    const { choice, linear } = this.#planned()
    return choice.finds === 'none' ? choice.reason : whyBacktracking(linear, choice.use, new Map())
  }

  get ownMachine(): string | null {
    const { choice } = this.#planned()
    if (choice.finds !== 'match') return choice.reason
    return this.#ascii === null || this.#unicode === null ? 'it is too large for V8' : null
  }

  search(text: string, ascii = isAscii(text), from = 0): PythonMatch | null {
    const expression = this.#expressionFor(text, ascii)
    if (expression === null) return this.#searchOwn(text, from)
    expression.regexp.lastIndex = from
    const found = expression.regexp.exec(text)
    if (found === null) return null
    if (!ascii && isInsidePair(text, found.index)) return this.#searchOwn(text, from)
    if (this.#plan?.choice.finds === 'start') return this.#searchOwn(text, found.index)
    const named = expression.named.map((number) => found[number])
    const end = found.index + found[0].length - newlinesTaken(found, expression.emitted)
    return { start: found.index, end, named }
  }

  test(text: string, ascii = isAscii(text)): boolean {
    const expression = ascii ? this.#expressionFor(text, ascii) : null
    if (expression === null) return this.search(text, ascii) !== null
    expression.regexp.lastIndex = 0
    return expression.regexp.test(text)
  }

  front(group: string): PythonPattern | null {
    const tree = frontTree(this.#tree, group)
    return tree && new CompiledPattern(tree, this.#choose)
  }

  get asciiSource(): string | null {
    if (this.#planned().choice.finds !== 'match') return null
    return this.#expressionFor(' ', true)?.regexp.source ?? null
  }

  namedSpans(text: string): NamedSpans | null {
    const found = this.spans(text)
    const [whole] = found ?? []
    if (!found || !whole) return null
    return { end: whole[1], named: this.#named.map(({ number }) => found[number] ?? null) }
  }

  spans(text: string, from = 0): Spans | null {
    const expression = this.#expressionFor(text, isAscii(text))
    const found = expression === null ? undefined : searchWithIndices(expression.regexp, text, from)
    if (found === null) return null
    if (expression === null || found === undefined || isInsidePair(text, found.index))
      return this.#ownMachine().search(text, from)
    if (this.#plan?.choice.finds === 'start') return this.#ownMachine().search(text, found.index)
    const { numbers } = expression.emitted
    const of = (group: number) => found.indices?.[numbers.get(group) ?? -1] ?? null
    const end = found.index + found[0].length - newlinesTaken(found, expression.emitted)
    return [[found.index, end], ...Array.from({ length: this.groups }, (_, index) => of(index + 1))]
  }

  #planned(): Plan {
    if (this.#plan !== null) return this.#plan
    const choice = this.#choose(this.#tree)
    this.#plan = { choice, linear: choice.finds === 'none' ? this.#tree : linearForm(this.#tree, choice.use) }
    return this.#plan
  }

  #searchOwn(text: string, from: number): PythonMatch | null {
    const found = this.#ownMachine().search(text, from)
    const [whole] = found ?? []
    if (!found || !whole) return null
    const named = this.#named.map(({ number }) => {
      const span = found[number]
      return span ? text.slice(...span) : undefined
    })
    return { start: whole[0], end: whole[1], named }
  }

  #ownMachine(): Machine {
    return (this.#machine ??= new Machine(this.#tree, this.groups))
  }

  /** Null: the machine must search. In the empty text Python finds neither `\b` nor `\B`. */
  #expressionFor(text: string, ascii: boolean): Expression | null {
    if (text === '' || this.#planned().choice.finds === 'none') return null
    if (ascii) return this.#ascii === undefined ? (this.#ascii = this.#express('ascii')) : this.#ascii
    return this.#unicode === undefined ? (this.#unicode = this.#express('unicode')) : this.#unicode
  }

  /** Null: V8 refuses it, which it says when the expression is first used. */
  #express(variant: Variant): Expression | null {
    const { linear, choice } = this.#planned()
    const emitted = emitPattern(linear, choice.use, new Map(), variant, pythonClasses)
    try {
      const regexp = new RegExp(emitted.source, variant === 'unicode' ? 'gu' : 'g')
      regexp.exec('')
      return { regexp, emitted, named: this.#named.map(({ number }) => emitted.numbers.get(number) ?? -1) }
    } catch {
      return null
    }
  }
}

interface Plan {
  readonly choice: EngineChoice
  /** What V8 is given. */
  readonly linear: PatternNode
}

interface Expression {
  readonly regexp: RegExp
  readonly emitted: Emitted
  /** The number in the expression of each group with a name. */
  readonly named: readonly number[]
}

function searchWithIndices({ source, flags }: RegExp, text: string, from: number): RegExpExecArray | null {
  const regexp = new RegExp(source, `${flags}d`)
  regexp.lastIndex = from
  return regexp.exec(text)
}

/** Newlines behind the match that the expression took along. */
function newlinesTaken(found: RegExpExecArray, emitted: Emitted): number {
  let taken = 0
  for (const number of emitted.newlines) taken += found[number]?.length ?? 0
  return taken
}

/** V8 also begins in the middle of a character beyond U+FFFF, where a look-around may hold. */
function isInsidePair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

function* groupsOf(node: PatternNode): Generator<GroupNode> {
  if (node.type === 'group') yield node
  for (const child of children(node)) yield* groupsOf(child)
}
