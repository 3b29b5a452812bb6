/** Where each value of the configuration comes from, and what it overrides. */
import { suggest, BailiffError, quote, type Where } from '../errors.ts'
import type { FilterDefinition } from './filter-file.ts'
import type { FilterLibrary } from './filter-library.ts'
import { filterOf } from './jail.ts'
import type { ConfigurationTree } from './load-settings.ts'
import { unknownOption } from './option-kinds.ts'
import { fileSchema, jailSchema } from './schema.ts'
import { formatPath, isRecord, type Path, type Sourced } from './sourced.ts'
import { usualSource } from './usual-source.ts'
import { usuallyInWords, usualValues } from './usual-values.ts'
import { readYaml } from './yaml-file.ts'

/** A value that somebody wrote, or that is built in. */
export interface OriginatedValue {
  /** As it is written; undefined where only `says` knows. */
  readonly value: unknown
  /** Who says so. */
  readonly from: 'configuration' | 'filter' | 'built in'
  /** Null: built in. */
  readonly where: Where | null
  /** What holds, in words, where the value depends on something, or why it is this one. */
  readonly says?: string
}

/** An option with the value that counts. */
export interface Setting extends OriginatedValue {
  /** Keys from the top: `jails`, `sshd`, `maxretry`. */
  readonly path: Path
  /** What it overrides, the nearest first. */
  readonly overridden: readonly OriginatedValue[]
  /** Further values that count beside it: lists of the top add up. */
  readonly beside: readonly OriginatedValue[]
}

type Kind = 'top' | 'jail'

const topOptions = Object.keys(fileSchema.shape)
const jailOptions = Object.keys(jailSchema.shape)
const defaultsOptions = Object.keys(fileSchema.shape.defaults.unwrap().shape)
/** Lists of which every file adds to the others. */
const addingUp = ['ignoreip', 'trusted_proxies']

/** Answers where values come from. */
export class Origins {
  readonly #tree: ConfigurationTree
  readonly #filters: FilterLibrary
  readonly #ofFilters = new Map<string, { definition: FilterDefinition; given: Sourced } | null>()

  constructor(tree: ConfigurationTree, filters: FilterLibrary) {
    this.#tree = tree
    this.#filters = filters
  }

  get jails(): string[] {
    return this.#tree.tree.at('jails').keys()
  }

  /** All options that a key means: one, or those of a map such as a jail. Throws a BailiffError for one that there is not. */
  async settings(key: string | undefined): Promise<Setting[]> {
    if (key === undefined) return this.#all()
    const [first, ...rest] = keysOf(key, this.jails)
    if (first === 'jails') return this.#ofJails(rest)
    if (first === 'defaults') {
      const [name, ...inside] = rest
      return name === undefined
        ? defaultsOptions.map((one) => this.#ofDefaults(one))
        : [partOf(this.#ofDefaults(known(name, defaultsOptions, 'defaults')), inside)]
    }
    const setting = partOf(this.#ofTop(known(String(first), topOptions, '', this.jails)), rest)
    // The items of a list may come from several files.
    return [setting.from === 'configuration' ? { ...setting, where: this.#tree.tree.where(...setting.path) } : setting]
  }

  async #all(): Promise<Setting[]> {
    const top = topOptions.filter((name) => name !== 'jails' && name !== 'defaults').map((name) => this.#ofTop(name))
    return [...top, ...defaultsOptions.map((name) => this.#ofDefaults(name)), ...(await this.#ofJails([]))]
  }

  async #ofJails([jail, name, ...inside]: readonly string[]): Promise<Setting[]> {
    if (jail === undefined) {
      const all: Setting[] = []
      for (const one of this.jails) all.push(...(await this.#ofJails([one])))
      return all
    }
    if (!this.jails.includes(jail)) {
      const meant = suggest(jail, this.jails)
      const there = this.jails.length > 0 ? `there are ${this.jails.join(', ')}` : 'there is none'
      throw new BailiffError('usage', `there is no jail ${quote(jail)}; ${meant ? `did you mean ${meant}?` : there}`)
    }
    if (name !== undefined) return [partOf(await this.#ofJail(jail, known(name, jailOptions, `jails.${jail}`)), inside)]
    const all: Setting[] = []
    for (const one of await this.#optionsOf(jail)) all.push(await this.#ofJail(jail, one))
    return all
  }

  /** Those that mean something for the jail, or are written there: one that counts bans reads no lines. */
  async #optionsOf(jail: string): Promise<string[]> {
    const isWritten = (name: string) => this.#tree.tree.at('jails', jail, name).value !== undefined
    const counts = (await this.#filterOf(jail))?.definition.counts ?? 'lines'
    const idle =
      counts === 'bans' ? ['source', 'sources', 'datepattern'] : ['jails', isWritten('sources') ? 'source' : 'sources']
    return jailOptions.filter((name) => isWritten(name) || !idle.includes(name))
  }

  #ofTop(name: string): Setting {
    const written = this.#written(name)
    const values = [...builtIn('top', name), ...written]
    if (!addingUp.includes(name)) return settingOf([name], values)
    const [last, ...others] = written.toReversed()
    if (last === undefined) return settingOf([name], values)
    const { value } = this.#tree.tree.at(name)
    return { path: [name], ...last, value, overridden: [], beside: others.toReversed() }
  }

  #ofDefaults(name: string): Setting {
    return settingOf(['defaults', name], [...builtIn('jail', name), ...this.#written('defaults', name)])
  }

  async #ofJail(jail: string, name: string): Promise<Setting> {
    const setting = settingOf(
      ['jails', jail, name],
      [
        ...builtIn('jail', name),
        ...(defaultsOptions.includes(name) ? this.#written('defaults', name) : []),
        ...(await this.#ofFilter(jail, name)),
        ...this.#written('jails', jail, name),
      ],
    )
    return addingUp.includes(name) ? { ...setting, beside: this.#written(name) } : setting
  }

  /** What each file says, in the order in which they are read. */
  #written(...path: Path): OriginatedValue[] {
    return this.#tree.layers.flatMap((layer) => {
      const { value } = layer.at(...path)
      return value === undefined ? [] : [{ value, from: 'configuration' as const, where: layer.where(...path) }]
    })
  }

  /** What the filter of the jail says of it. */
  async #ofFilter(jail: string, name: string): Promise<OriginatedValue[]> {
    const filter = await this.#filterOf(jail)
    if (filter === null) return []
    const { definition, given } = filter
    if (name === 'source') {
      const usual = usualSource(definition.sources)
      if (usual === null) return []
      const { plugin, options } = usual.use
      const path =
        plugin === 'file' && isRecord(options) && Object.keys(options).length === 1 ? options.path : undefined
      return [{ value: path ?? { [plugin]: options }, from: 'filter', where: usual.use.where, says: usual.why }]
    }
    const path = ['findtime', 'maxretry', 'bantime'].includes(name) ? ['usual', name] : [name]
    const isOfFilter = path.length === 2 || ['ports', 'ipv6prefix', 'datepattern'].includes(name)
    const { value } = given.at(...path)
    if (!isOfFilter || value === undefined) return []
    return [{ value, from: 'filter', where: given.where(...path) }]
  }

  async #filterOf(jail: string): Promise<{ definition: FilterDefinition; given: Sourced } | null> {
    const known = this.#ofFilters.get(jail)
    if (known !== undefined) return known
    const { tree } = this.#tree
    const given = tree.at('jails', jail)
    const definition = (await filterOf(jail, given, this.#filters, []))?.definition
    const isInside = isRecord(given.at('filter').value) && definition?.where.file === given.where('filter').file
    const filter = definition && {
      definition,
      given: isInside ? given.at('filter') : await readYaml(definition.where.file),
    }
    this.#ofFilters.set(jail, filter ?? null)
    return filter ?? null
  }
}

/** The last of the values counts. */
function settingOf(path: Path, values: readonly OriginatedValue[]): Setting {
  const [last = { value: undefined, from: 'built in', where: null, says: 'not set' } as const, ...others] =
    values.toReversed()
  return { path, ...last, overridden: others, beside: [] }
}

function builtIn(kind: Kind, name: string): OriginatedValue[] {
  const values: Readonly<Record<string, unknown>> = usualValues[kind]
  const words: Readonly<Record<string, string>> = usuallyInWords[kind]
  if (Object.hasOwn(values, name)) return [{ value: values[name], from: 'built in', where: null }]
  const says = words[name]
  return says === undefined ? [] : [{ value: undefined, from: 'built in', where: null, says }]
}

/** A part of what counts; of what it overrides, the same part. */
function partOf(setting: Setting, inside: readonly string[]): Setting {
  if (inside.length === 0) return setting
  const isBantime = setting.path.at(-1) === 'bantime'
  const part = ({ value, ...rest }: OriginatedValue): OriginatedValue => {
    const found = dig(isBantime ? wholeBantime(value) : value, inside)
    if (found === undefined) return { ...rest, value: undefined, says: 'not set' }
    return dig(value, inside) === undefined && isRecord(value)
      ? { value: found, from: 'built in', where: null }
      : { ...rest, value: found }
  }
  const index = (key: string) => (/^\d+$/.test(key) ? Number(key) : key)
  const counts = part(setting)
  const overridden = setting.overridden
    .map(part)
    .filter(({ from }) => from !== 'built in' || counts.from !== 'built in')
  return { ...setting, ...counts, path: [...setting.path, ...inside.map(index)], overridden }
}

/** As `bantime` reads it: a length alone does not grow. */
function wholeBantime(value: unknown): unknown {
  const usual = usualValues.jail.bantime
  return isRecord(value)
    ? { ...usual, ...value }
    : { base: value, increment: 'off', factor: usual.factor, max: 'permanent' }
}

function dig(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce((part, key) => (isRecord(part) || Array.isArray(part) ? Object(part)[key] : undefined), value)
}

/** The keys of `jails.my.jail.maxretry`: names of jails may have dots. */
function keysOf(key: string, jails: readonly string[]): string[] {
  const jail = jails
    .filter((name) => key === `jails.${name}` || key.startsWith(`jails.${name}.`))
    .toSorted((a, b) => b.length - a.length)[0]
  const keys = (text: string) => text.split(/\.|\[(\d+)\]/).filter((part) => part !== undefined && part !== '')
  return jail === undefined ? keys(key) : ['jails', jail, ...keys(key.slice(`jails.${jail}`.length))]
}

function known(name: string, allowed: readonly string[], around: string, jails: readonly string[] = []): string {
  if (allowed.includes(name)) return name
  // The most likely slip: the option without the place it stands in.
  const better = jails.includes(name)
    ? `jails.${name}`
    : around === '' && defaultsOptions.includes(name)
      ? `defaults.${name}, or jails.NAME.${name}`
      : around === '' && jailOptions.includes(name)
        ? `jails.NAME.${name}`
        : undefined
  if (better !== undefined)
    throw new BailiffError('usage', `${quote(name)} is no option of the top; did you mean ${better}?`)
  throw new BailiffError('usage', `${around === '' ? '' : `${around}: `}${unknownOption(name, allowed)}`, {
    hint: 'bailiff config explain shows all options',
  })
}

/** `jails.sshd.maxretry`. */
export function optionName({ path }: Setting): string {
  return formatPath(path)
}
