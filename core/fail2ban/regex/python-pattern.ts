/**
 * A regular expression of Python, on text: the same matches and the same groups as `re.compile(…).search(…)` of Python
 * 3.11. Where JavaScript can say the same it is a RegExp; where it cannot (a condition, a group that keeps what an
 * earlier turn captured, a back-reference that ignores case …) it runs in the machine beside this file.
 */
import { whyBacktracking } from '../../matching/linear.ts'
import { emitPattern, pythonClasses, type Emitted, type Variant } from '../../matching/pattern-emitter.ts'
import { PatternError, type PatternPlace } from '../../matching/pattern-error.ts'
import { useOfGroups, type GroupUse } from '../../matching/pattern-groups.ts'
import { requiredLiterals } from '../../matching/pattern-literals.ts'
import { parsePattern, pythonSyntax } from '../../matching/pattern-parser.ts'
import { children, type GroupNode, type PatternNode } from '../../matching/pattern-tree.ts'
import { linearForm } from './linear-form.ts'
import { Machine } from './machine.ts'

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

export interface PythonPattern {
  /** The names of the groups, in the order of their opening brackets. */
  readonly names: readonly string[]
  /** How many groups there are, with and without a name. */
  readonly groups: number
  /** ASCII texts one of which stands in everything that it finds; null: nothing is known. */
  readonly literals: readonly string[] | null
  /** Null: truly regular; else what it has that needs backtracking. */
  readonly backtracking: string | null
  /** Null: V8 runs it. Else why it runs in our own machine. */
  readonly ownMachine: string | null
  /** `from`: where the search begins (UTF-16 units); what stands before it is seen by look-behinds and boundaries. */
  search(text: string, ascii?: boolean, from?: number): PythonMatch | null
  /** Start and end of the match and of each group by its number; null: a group took no part, or is not told. Slow. */
  spans(text: string, from?: number): readonly (readonly [start: number, end: number] | null)[] | null
}

/** Compiles an expression. Throws a PatternError for what Python refuses. */
export function compilePython(text: string, options: PythonOptions): PythonPattern {
  const { place, multiline, allGroups = false } = options
  const tree = parsePattern(text, place, { ...pythonSyntax, multiline })
  const groups = [...groupsOf(tree)].toSorted((a, b) => a.number - b.number)
  return new CompiledPattern(tree, groups, use(tree, text, place, allGroups), requiredLiterals(tree))
}

/** How V8 can say it; or the reason why it cannot. */
function use(tree: PatternNode, text: string, place: PatternPlace, all: boolean): GroupUse | string {
  try {
    return useOfGroups(tree, text, place, all)
  } catch (error) {
    if (error instanceof PatternError) return error.reason
    throw error
  }
}

class CompiledPattern implements PythonPattern {
  readonly names: readonly string[]
  readonly groups: number
  readonly literals: readonly string[] | null
  readonly backtracking: string | null
  ownMachine: string | null
  readonly #tree: PatternNode
  readonly #named: readonly GroupNode[]
  readonly #use: GroupUse | null
  readonly #linear: PatternNode
  readonly #expressions = new Map<string, Expression | null>()
  #machine: Machine | null = null

  constructor(
    tree: PatternNode,
    groups: readonly GroupNode[],
    groupUse: GroupUse | string,
    literals: readonly string[] | null,
  ) {
    this.#tree = tree
    this.#named = groups.filter(({ tag }) => tag !== null)
    this.names = this.#named.map(({ tag }) => tag ?? '')
    this.groups = groups.length
    this.literals = literals
    const own = typeof groupUse === 'string'
    this.#use = own ? null : groupUse
    this.#linear = own ? tree : linearForm(tree, groupUse)
    this.ownMachine = own ? groupUse : null
    this.backtracking = own ? groupUse : whyBacktracking(this.#linear, groupUse, new Map())
  }

  search(text: string, ascii = isAscii(text), from = 0): PythonMatch | null {
    const expression = this.#expressionFor(text, ascii, 'g')
    if (expression === null) return this.#searchOwn(text, from)
    expression.regexp.lastIndex = from
    const found = expression.regexp.exec(text)
    if (found === null) return null
    if (isInsidePair(text, found.index)) return this.#searchOwn(text, from)
    const named = this.#named.map(({ number }) => found[expression.emitted.numbers.get(number) ?? -1])
    const end = found.index + found[0].length - newlinesTaken(found, expression.emitted)
    return { start: found.index, end, named }
  }

  spans(text: string, from = 0): readonly (readonly [start: number, end: number] | null)[] | null {
    const expression = this.#expressionFor(text, isAscii(text), 'dg')
    if (expression === null) return this.#ownMachine().search(text, from)
    expression.regexp.lastIndex = from
    const found = expression.regexp.exec(text)
    if (found === null) return null
    if (isInsidePair(text, found.index)) return this.#ownMachine().search(text, from)
    const { numbers } = expression.emitted
    const of = (group: number) => found.indices?.[numbers.get(group) ?? -1] ?? null
    const end = found.index + found[0].length - newlinesTaken(found, expression.emitted)
    return [[found.index, end], ...Array.from({ length: this.groups }, (_, index) => of(index + 1))]
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
  #expressionFor(text: string, ascii: boolean, flags: string): Expression | null {
    if (this.#use === null || text === '') return null
    const variant = ascii ? 'ascii' : 'unicode'
    const known = this.#expressions.get(variant + flags)
    if (known !== undefined) return known
    const made = express(this.#linear, this.#use, variant, flags)
    this.#expressions.set(variant + flags, made)
    if (made === null) this.ownMachine = 'it is too large for V8'
    return made
  }
}

interface Expression {
  readonly regexp: RegExp
  readonly emitted: Emitted
}

/** Null: V8 refuses it, which it says when the expression is first used. */
function express(tree: PatternNode, groupUse: GroupUse, variant: Variant, flags: string): Expression | null {
  const emitted = emitPattern(tree, groupUse, new Map(), variant, pythonClasses)
  try {
    const regexp = new RegExp(emitted.source, variant === 'unicode' ? `${flags}u` : flags)
    regexp.exec('')
    return { regexp, emitted }
  } catch {
    return null
  }
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
