import { quote, type BailiffError } from '../../errors.ts'
import { lowerCased, type Configuration, type OptionValue } from './configuration.ts'
import { treeProblem } from './problem.ts'
import { isYes, wholeNumber } from './python-text.ts'

/** What is read of a section: the type and the default of each option, in the order in which commands name them. */
export type OptionKinds = ReadonlyMap<string, OptionKind>

/** An option without a default is left out where it is not set. */
export interface OptionKind {
  readonly type: 'string' | 'int' | 'bool'
  readonly default: OptionValue
}

/** Names with their types: `string('filter', '')`. */
export function kindsOf(
  ...kinds: readonly [name: string, type: OptionKind['type'], fallback?: OptionValue][]
): OptionKinds {
  return new Map(kinds.map(([name, type, fallback = null]) => [name, { type, default: fallback }]))
}

/**
 * Reads options of a section; those that are given are left out. Without `notes` they stay text; with it they get their
 * type, and what is no value of it is noted and the default (often null) stands. Throws where one cannot be interpolated.
 */
export function readOptions(
  configuration: Configuration,
  section: string,
  kinds: OptionKinds,
  given: ReadonlyMap<string, OptionValue>,
  notes?: BailiffError[],
): Map<string, OptionValue> {
  const values = new Map<string, OptionValue>()
  const lower = lowerCased(given)
  const isThere = configuration.sections.has(section)
  for (const [name, kind] of kinds) {
    if (given.has(name)) continue
    const text = configuration.value(section, name, lower)
    if (typeof text === 'string') {
      const value = notes === undefined ? text : typedValue(text, kind)
      if (value === undefined)
        notes?.push(
          treeProblem(
            `${quote(text)} is no whole number, so it is not used`,
            configuration.whereIs(section, name),
            'write digits alone',
          ),
        )
      values.set(name, value ?? kind.default)
    } else if (!isThere || kind.default !== null) values.set(name, kind.default)
  }
  return values
}

/** A text as a value of its type; undefined where it is none. Every text is a bool. */
export function typedValue(text: string, { type }: OptionKind): OptionValue | undefined {
  if (type === 'bool') return isYes(text)
  return type === 'int' ? (wholeNumber(text) ?? undefined) : text
}
