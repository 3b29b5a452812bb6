import type { Where } from '../../errors.ts'
import type { IniFile, Section } from './ini.ts'
import { interpolate } from './interpolation.ts'
import { placeOf } from './problem.ts'
import { space, word } from './python-text.ts'

/** An option once its type is known; null: its value was no valid one and there is no default. */
export type OptionValue = string | number | bigint | boolean | null

/** Options that come from outside of a file and win over it, by lower-case name. */
export type GivenOptions = ReadonlyMap<string, OptionValue>

const none: GivenOptions = new Map()

/** Several files of a configuration laid over each other, the later over the earlier ones, option by option. */
export class Configuration {
  readonly defaults: Section = new Map()
  /** By name, in order. `KNOWN/x` has what options of `x` were before a later file set them. */
  readonly sections = new Map<string, Section>()

  /** Lays a file over what is there. Options of `[Init?family=inet6]` are those of `[Init]`, named `option?family=inet6`. */
  add({ defaults, sections }: IniFile): void {
    for (const [option, setting] of defaults) this.defaults.set(option, setting)
    for (const [header, settings] of sections) {
      const [, plain, condition] = conditional.exec(header) ?? []
      const name = plain ?? header
      const own = condition === undefined ? settings : withCondition(settings, condition)
      const before = this.sections.get(name)
      if (before !== undefined) this.merge(`KNOWN/${name}`, new Map([...before].filter(([option]) => own.has(option))))
      this.merge(name, own)
    }
  }

  /** Adds options to a section, which is made where it is missing. */
  merge(name: string, options: Section): void {
    const section = this.sections.get(name)
    if (section === undefined) this.sections.set(name, new Map(options))
    else for (const [option, setting] of options) section.set(option, setting)
  }

  /** Names of the sections that files have, in order. */
  names(): string[] {
    return [...this.sections.keys()].filter((name) => !name.startsWith('KNOWN/'))
  }

  /** The options a section has itself, in order. */
  optionsOf(section: string): string[] {
    return [...(this.sections.get(section)?.keys() ?? [])].filter((name) => name !== '__name__')
  }

  /**
   * The value of an option, interpolated: the given one, that of the section, or that of `[DEFAULT]`. Undefined where
   * there is none, or no such section. Throws a BailiffError where it cannot be interpolated.
   */
  value(section: string, option: string, given: GivenOptions = none): string | null | undefined {
    const own = section === 'DEFAULT' ? this.defaults : this.sections.get(section)
    if (own === undefined) return undefined
    const rawText = (name: string): string | null | undefined => {
      const value = given.get(name)
      return value === undefined ? (own.get(name) ?? this.defaults.get(name))?.text : optionText(value)
    }
    const text = rawText(option.toLowerCase())
    if (!text?.includes('%')) return text
    const plain = (name: string) => (name === '__name__' ? section : rawText(name))
    const qualified = (other: string, name: string) => this.#rawOf(section, other, name)
    return interpolate(text, { plain, qualified }, this.whereIs(section, option))
  }

  /** As `value`, for names that may have a section: `known/x`, `default/x`, `section/x`. */
  qualifiedValue(section: string, name: string, given: GivenOptions): string | null | undefined {
    const [, other = '', option = ''] = name.includes('/') ? (sectionAndOption.exec(name) ?? []) : []
    if (option === '') return this.value(section, name, given)
    const places = { known: [`KNOWN/${section}`, section], default: ['DEFAULT'] }[other.toLowerCase()] ?? [other]
    for (const place of places) {
      const value = this.value(place, option)
      if (value !== undefined) return value
    }
    return this.value(section, name, given)
  }

  /** Where an option that counts was set. */
  whereIs(section: string, option: string): Where | undefined {
    const name = option.toLowerCase()
    const own = this.sections.get(section)?.get(name)
    const where = (own ?? this.defaults.get(name))?.where
    return placeOf(where, own === undefined ? 'DEFAULT' : section, option)
  }

  /** Where a section begins to say something. */
  whereIsSection(section: string): Where | undefined {
    const [first] = [...(this.sections.get(section)?.values() ?? [])].filter(({ where }) => where !== undefined)
    return first?.where && { file: first.where.file, option: `[${section}]` }
  }

  /** What `%(other/option)s` means inside of a section, nothing put in yet. */
  #rawOf(section: string, other: string, option: string): string | undefined {
    const kind = other.toLowerCase()
    const place = kind === 'known' ? `KNOWN/${section}` : other
    const own = kind === 'default' ? undefined : this.sections.get(place)
    if (own === undefined && kind !== 'default' && kind !== 'known') return undefined
    return (own?.get(option) ?? this.defaults.get(option))?.text
  }
}

/** Options by lower-case name; of those that differ in case alone the last counts. */
export function lowerCased(options: ReadonlyMap<string, OptionValue>): GivenOptions {
  return new Map(Array.from(options, ([name, value]) => [name.toLowerCase(), value]))
}

/** How an option is written inside of others: `True`, `5`. */
export function optionText(value: Exclude<OptionValue, null>): string
export function optionText(value: OptionValue): string | null
export function optionText(value: OptionValue): string | null {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value === null ? null : String(value)
}

/** The plain name and the condition of an option or section with one: `[w, ?family=inet6]`. Null: it has none. */
export function splitCondition(name: string): readonly [plain: string, condition: string] | null {
  const [, plain, condition] = conditional.exec(name) ?? []
  return plain === undefined || condition === undefined ? null : [plain, condition]
}

const conditional = new RegExp(`^([${word}]+)(\\?.+)$`, 'su')
const sectionAndOption = new RegExp(`^([${word}\\-]+)/([^${space}>]+)$`, 'u')

function withCondition(settings: Section, condition: string): Section {
  return new Map(Array.from(settings, ([option, setting]) => [option + condition, setting]))
}
