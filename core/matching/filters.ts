/** Makes the filters of the configuration ready for matchers. */
import type { CompiledFilter, Pattern, Structure } from '../plugin.ts'
import { sidesOfAddresses } from './address-sides.ts'
import { whyBacktracking } from './linear.ts'
import { PatternError, type PatternPlace } from './pattern-error.ts'
import { emitPattern } from './pattern-emitter.ts'
import { useOfGroups } from './pattern-groups.ts'
import { firstCharacters, literalChoices } from './pattern-literals.ts'
import { parsePattern } from './pattern-parser.ts'
import { children, type PatternNode } from './pattern-tree.ts'
import { compileStructure, type AddressCount, type ConditionPattern } from './structures.ts'

/** A filter as the configuration gives it. */
export interface FilterSource {
  readonly name: string
  /** Null: patterns see the whole line without its date. See `CompiledFilter`. */
  readonly programs: readonly string[] | null
  readonly prefregex: string | null
  readonly failregex: readonly string[]
  readonly ignoreregex: readonly string[]
  /** Null, or absent: plain text. */
  readonly structure?: Structure<ConditionPattern> | null
}

/**
 * Compiles a filter of the native dialect. Throws a PatternError that names list, index and position
 * of what is wrong; a failregex whose match would leave the address unset, or name two, is wrong.
 */
export function compileFilter(source: FilterSource): CompiledFilter {
  const prefregex = source.prefregex === null ? null : compile(source.prefregex, { list: 'prefregex', index: 0 })
  const inherited = prefregex === null ? none : countAddresses(prefregex.tree)
  if (prefregex !== null && inherited.max > 1) refuseAddresses(prefregex)
  return {
    name: source.name,
    programs: source.programs,
    prefregex: prefregex?.pattern ?? null,
    failregex: source.failregex.map((text, index) => {
      const compiled = compile(text, { list: 'failregex', index })
      const own = countAddresses(compiled.tree)
      if (own.max > 1 || own.min + inherited.min === 0) refuseAddresses(compiled)
      return compiled.pattern
    }),
    ignoreregex: source.ignoreregex.map((text, index) => compile(text, { list: 'ignoreregex', index }).pattern),
    structure: source.structure ? compileStructure(source.structure, compileCondition) : null,
  }
}

/** The pattern of a condition on a field. */
function compileCondition(text: string): { readonly pattern: Pattern; readonly addresses: AddressCount } {
  const compiled = compile(text, { list: 'regex', index: 0 })
  const addresses = countAddresses(compiled.tree)
  if (addresses.max > 1) refuseAddresses(compiled)
  return { pattern: compiled.pattern, addresses }
}

/** Compiles one pattern. Throws a PatternError; whether it has an address is not looked at. */
export function compilePattern(text: string, place: PatternPlace): Pattern {
  return compile(text, place).pattern
}

interface Compiled {
  readonly pattern: Pattern
  readonly tree: PatternNode
  readonly place: PatternPlace
}

function compile(text: string, place: PatternPlace): Compiled {
  const tree = parsePattern(text, place)
  const use = useOfGroups(tree, text, place)
  const sides = sidesOfAddresses(tree)
  const ascii = emitPattern(tree, use, sides, 'ascii')
  const unicode = emitPattern(tree, use, sides, 'unicode')
  checkSize(ascii.source, '', text, place)
  checkSize(unicode.source, 'u', text, place)
  const [literals = null, ...otherLiterals] = literalChoices(tree)
  const pattern = {
    text,
    ascii: ascii.source,
    unicode: unicode.source,
    flags: '',
    groups: ascii.groups,
    literals,
    otherLiterals,
    firstCharacters: firstCharacters(tree),
    backtracking: whyBacktracking(tree, use, sides),
  }
  return { pattern, tree, place }
}

/** V8 compiles an expression when it is first used, and only then says that it is too large. */
function checkSize(source: string, flags: string, text: string, place: PatternPlace): void {
  try {
    new RegExp(source, flags).exec('')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^.*: /, '') : String(cause)
    throw new PatternError(place, text, 0, `V8 refuses the pattern: ${reason}`, 'use smaller counts in {m,n}')
  }
}

const none: AddressCount = { min: 0, max: 0 }

/** How many address tags a match fills, at least and at most. */
function countAddresses(node: PatternNode): AddressCount {
  const inside = children(node).map(countAddresses)
  switch (node.type) {
    case 'address':
      return { min: 1, max: 1 }
    case 'alternation':
    case 'conditional':
      return { min: Math.min(...inside.map((one) => one.min)), max: Math.max(...inside.map((one) => one.max)) }
    case 'repeat': {
      const item = inside[0] ?? none
      return { min: node.min > 0 ? item.min : 0, max: node.max > 1 ? item.max * 2 : item.max * node.max }
    }
    case 'look':
      return { min: node.negated || node.behind ? 0 : (inside[0]?.min ?? 0), max: inside[0]?.max ?? 0 }
    default:
      return inside.reduce((sum, one) => ({ min: sum.min + one.min, max: sum.max + one.max }), none)
  }
}

function refuseAddresses({ tree, pattern, place }: Compiled): never {
  const [at] = [...addressPositions(tree)]
  const message =
    at === undefined
      ? `no address tag${/<(host|addr)>/i.test(pattern.text) ? ' (tags are in upper case)' : ''}`
      : 'a match may leave the address unset, or find two'
  const allowed = 'every match needs exactly one <HOST>, <ADDR>, <IP4> or <IP6>'
  throw new PatternError(place, pattern.text, at ?? 0, message, allowed)
}

function* addressPositions(node: PatternNode): Generator<number> {
  if (node.type === 'address') yield node.at
  for (const child of children(node)) yield* addressPositions(child)
}
