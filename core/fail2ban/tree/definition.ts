import { quote, type BailiffError, type Where } from '../../errors.ts'
import {
  lowerCased,
  optionText,
  splitCondition,
  type Configuration,
  type GivenOptions,
  type OptionValue,
} from './configuration.ts'
import { readOptions, typedValue, type OptionKinds } from './option-kinds.ts'
import { treeProblem } from './problem.ts'
import { substituteTags } from './tags.ts'
import type { VersionRules } from './version-rules.ts'

/** `[Definition]` and `[Init]` of a filter or an action, as one jail uses it. */
export class Definition {
  readonly #configuration: Configuration
  readonly #kinds: OptionKinds
  readonly #rules: VersionRules
  /** What the jail passes in brackets, then what `[Init]` has beside it; `known/x` is what `[Init]` says of `x`. */
  readonly parameters: Map<string, string>
  #options = new Map<string, OptionValue>()
  #given: GivenOptions = new Map()
  /** Tags that are no option of the definition, as they were when first asked for. */
  readonly #lookedUp = new Map<string, string | null>()

  constructor(configuration: Configuration, kinds: OptionKinds, parameters: Map<string, string>, rules: VersionRules) {
    this.#configuration = configuration
    this.#kinds = kinds
    this.#rules = rules
    this.parameters = parameters
  }

  /** Whether the files say it under `[Definition]`. */
  defines(option: string): boolean {
    return this.#configuration.sections.get('Definition')?.has(option) ?? false
  }

  /**
   * Reads the options that the jail leaves open; with `all`, every other one of `[Definition]`, too. Throws a
   * BailiffError where one cannot be interpolated.
   */
  read(jailOptions: ReadonlyMap<string, OptionValue>, all = false): void {
    const given = new Map<string, OptionValue>([...jailOptions, ...this.parameters])
    this.#given = lowerCased(given)
    this.#options = readOptions(this.#configuration, 'Definition', this.#kinds, given)
    for (const option of this.#configuration.optionsOf('Init')) this.#takeParameter(option, given)
    if (!all) return
    for (const option of this.#configuration.optionsOf('Definition'))
      if (!this.#options.has(option)) this.#options.set(option, this.#configuration.value('Definition', option) ?? null)
  }

  /**
   * All options with tags put in, and with their types. Options that have a conditional form are left as they are, for
   * only who carries them out knows which form is meant; so are those of `ignore`.
   */
  combined(ignore: Iterable<string>, notes: BailiffError[]): Map<string, OptionValue> {
    const options = new Map<string, OptionValue>([...this.#options, ...this.parameters])
    const conditional = [...options.keys()].flatMap((name) => splitCondition(name)?.[0] ?? [])
    const substitution = {
      ignore: new Set([...ignore, ...conditional]),
      otherwise: (tag: string) => this.#lookUp(tag),
      whereIs: (option: string) => this.#whereIs(option),
    }
    const combined = new Map<string, OptionValue>(substituteTags(options, substitution))
    for (const [name, kind] of this.#kinds) {
      const value = combined.get(name) ?? null
      if (value === null || kind.type === 'string') continue
      const text = optionText(value)
      const typed = typedValue(text, kind)
      if (typed === undefined)
        notes.push(
          treeProblem(
            `${quote(name)} is ${quote(text)}, which is no whole number, so it is not used`,
            this.#whereIs(name),
          ),
        )
      combined.set(name, typed ?? kind.default)
    }
    return combined
  }

  #takeParameter(option: string, given: ReadonlyMap<string, OptionValue>): void {
    const isKnown = option.startsWith('known/')
    if (isKnown && this.parameters.has(option)) return
    const value = this.#configuration.value('Init', option) ?? ''
    if (!isKnown) this.parameters.set(`known/${option}`, value)
    if (this.parameters.has(option)) return
    const [plain] = (this.#rules.passesToFamilies && splitCondition(option)) || []
    const passed = plain === undefined ? null : (given.get(plain) ?? null)
    this.parameters.set(option, passed === null ? value : optionText(passed))
  }

  #whereIs(option: string): Where | undefined {
    const isInit = this.#configuration.sections.get('Init')?.has(option) ?? false
    return this.#configuration.whereIs(isInit ? 'Init' : 'Definition', option)
  }

  #lookUp(tag: string): string | null {
    const known = this.#lookedUp.get(tag)
    if (known !== undefined) return known
    const value = this.#configuration.qualifiedValue('Definition', tag, this.#given) ?? null
    this.#lookedUp.set(tag, value)
    return value
  }
}
