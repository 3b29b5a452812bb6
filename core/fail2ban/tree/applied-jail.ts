import { BailiffError, quote, type Where } from '../../errors.ts'
import type { Command, CommandValue } from './command.ts'
import type { Configuration } from './configuration.ts'
import type { JailReading, PythonAction, UsedDefinition } from './jail-reading.ts'
import { logPaths } from './jail-commands.ts'
import { OptionSyntaxError, splitOptions } from './option-syntax.ts'
import { treeProblem } from './problem.ts'
import { isYes, strip, wholeNumber } from './python-text.ts'
import { timeText } from './time-text.ts'
import type {
  TreeAction,
  TreeBackend,
  TreeBantimeExtra,
  TreeFilterTexts,
  TreeIgnoreCache,
  TreeJail,
} from './tree-jail.ts'

/** A jail as read, and what became of it. */
export interface JailParts {
  readonly reading: JailReading
  readonly enabled: boolean
  readonly commands: readonly Command[]
  readonly configuration: Configuration
}

/**
 * Gives a jail its commands as Fail2ban's server would take them, beginning with the server's defaults. Throws a
 * BailiffError where a value is none the server takes.
 */
export function appliedJail({ reading, enabled, commands, configuration }: JailParts): TreeJail {
  const { name } = reading
  const said = new Said(commands, configuration, name)
  const backend = said.backend()
  const isJournal = backend.name === 'systemd'
  return {
    name,
    enabled,
    commands,
    options: optionTexts(configuration, name),
    filter: reading.filter && {
      name: reading.filter.name,
      options: Object.fromEntries(reading.filter.definition.parameters),
      texts: filterTexts(said, reading.filter, isJournal),
    },
    actions: reading.actions.map((action) => appliedAction(action, commands)),
    backend,
    logpaths: isJournal ? [] : logPathsOf(reading, said.where('logpath')),
    journalmatch: said.lists('addjournalmatch'),
    maxretry: said.number('maxretry') ?? 3,
    maxmatches: said.number('maxmatches'),
    findtime: said.time('findtime') ?? 600,
    bantime: said.time('bantime') ?? 600,
    bantimeExtra: bantimeExtra(said),
    ignoreip: said.lists('addignoreip').flat(),
    ignoreself: said.text('ignoreself') === null || isYes(said.text('ignoreself') ?? ''),
    ignorecommand: said.text('ignorecommand') || null,
    ignorecache: ignoreCache(said),
    logencoding: said.text('logencoding') || 'auto',
    logtimezone: said.text('logtimezone') || null,
    skipIfNologs: reading.noLogs.get('skip_if_nologs') === true,
  }
}

/** What commands say of a jail. */
class Said {
  readonly #values = new Map<string, CommandValue[][]>()
  readonly #configuration: Configuration
  readonly #jail: string

  constructor(commands: readonly Command[], configuration: Configuration, jail: string) {
    this.#configuration = configuration
    this.#jail = jail
    for (const [kind, , option, ...values] of commands)
      if (kind === 'set' || kind === 'multi-set') {
        const all = this.#values.get(String(option)) ?? []
        all.push(values)
        this.#values.set(String(option), all)
      } else if (kind === 'add') this.#values.set('backend', [[option ?? 'auto']])
  }

  /** The last value of an option as text. */
  text(option: string): string | null {
    const value = this.#values.get(option)?.at(-1)?.[0] ?? null
    if (value === null) return null
    return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
  }

  /** Each command's words. */
  lists(option: string): string[][] {
    return (this.#values.get(option) ?? []).map((values) => values.flat().map(String))
  }

  number(option: string): number | null {
    const text = this.text(option)
    return text === null ? null : Number(wholeNumber(text) ?? Number.NaN)
  }

  time(option: string): number | null {
    const text = this.text(option)
    return text ? timeText(text, this.where(option)) : null
  }

  backend(): TreeBackend {
    const text = this.text('backend') ?? 'auto'
    const { name, options } = this.options('backend', text)
    if (!/^(?:auto|pyinotify|gamin|polling|systemd)$/i.test(name))
      throw treeProblem(
        `there is no backend ${quote(name)}`,
        this.where('backend'),
        'it is auto, pyinotify, polling or systemd',
      )
    return { text, name: name.toLowerCase(), options: Object.fromEntries(options) }
  }

  options(option: string, text: string): ReturnType<typeof splitOptions> {
    try {
      return splitOptions(text)
    } catch (error) {
      if (!(error instanceof OptionSyntaxError)) throw error
      throw treeProblem(`${quote(text)}: ${error.message}`, this.where(option), 'write name[option=value, ...]')
    }
  }

  where(option: string): Where | undefined {
    return this.#configuration.whereIs(this.#jail, option)
  }
}

function filterTexts(said: Said, { name }: UsedDefinition, journal: boolean): TreeFilterTexts {
  const dates = said.text('datepattern')
  const usedns = said.text('usedns')?.toLowerCase() ?? 'warn'
  return {
    name,
    prefregex: said.text('prefregex') || null,
    failregex: said.lists('addfailregex').flat(),
    ignoreregex: said.lists('addignoreregex').flat(),
    maxlines: Math.max(1, said.number('maxlines') ?? 1),
    datepattern:
      dates === null
        ? null
        : dates
            .split('\n')
            .map(strip)
            .filter((one) => one !== ''),
    timezone: said.text('logtimezone') || null,
    // What is none of these is `no` for the server.
    usedns: usedns === 'yes' || usedns === 'warn' || usedns === 'raw' ? usedns : 'no',
    encoding: said.text('logencoding') || 'auto',
    journal,
  }
}

function appliedAction(action: UsedDefinition | PythonAction, commands: readonly Command[]): TreeAction {
  const { name, file } = action
  if ('path' in action) {
    const options = Object.fromEntries(action.passed)
    return { name, file: action.path, python: true, options, properties: options }
  }
  const properties = commands.flatMap(([kind, , what, of, ...values]): (readonly CommandValue[])[] => {
    if (what !== 'action' || of !== name) return []
    return kind === 'set' ? [values] : (values as CommandValue[][][]).flat()
  })
  return {
    name,
    file: file.replace(/^action\.d\//, ''),
    python: false,
    options: Object.fromEntries([...action.definition.parameters].filter(([option]) => !option.startsWith('known/'))),
    properties: Object.fromEntries(properties.map(([option, value]) => [String(option), propertyOf(value)])),
  }
}

function propertyOf(value: CommandValue | undefined): string | boolean | null {
  return typeof value === 'boolean' || value === null ? value : String(value)
}

function bantimeExtra(said: Said): TreeBantimeExtra {
  const text = (option: string) => said.text(`bantime.${option}`) || null
  return {
    increment: isYes(text('increment') ?? ''),
    factor: text('factor'),
    formula: text('formula'),
    multipliers: text('multipliers'),
    maxtime: said.time('bantime.maxtime'),
    rndtime: said.time('bantime.rndtime'),
    overalljails: isYes(text('overalljails') ?? ''),
  }
}

function ignoreCache(said: Said): TreeIgnoreCache | null {
  const text = said.text('ignorecache')
  if (!text) return null
  const where = said.where('ignorecache')
  const { options } = said.options('ignorecache', `d[${text}]`)
  const key = options.get('key')
  if (key === undefined)
    throw treeProblem(`${quote(text)} has no key`, where, 'write ignorecache = key="<ip>", max-count=100, max-time=5m')
  const count = wholeNumber(options.get('max-count') ?? '100')
  if (count === null) throw treeProblem(`max-count of ${quote(text)} is no whole number`, where)
  return { key, maxCount: Number(count), maxTime: timeText(options.get('max-time') ?? '300', where) }
}

function logPathsOf({ options }: JailReading, where: Where | undefined): TreeJail['logpaths'] {
  return logPaths(String(options.get('logpath') ?? ''))
    .filter(({ glob }) => glob !== '')
    .map(({ glob, from }) => {
      if (!/^(?:head|tail)$/i.test(from))
        throw treeProblem(
          `${quote(from)} stands behind a log`,
          where,
          'only head or tail may, behind a space; each log has a line of its own',
        )
      return { glob, tail: from.toLowerCase() === 'tail' }
    })
}

function optionTexts(configuration: Configuration, jail: string): Readonly<Record<string, string>> {
  const names = new Set([...configuration.defaults.keys(), ...configuration.optionsOf(jail)])
  const texts: [string, string][] = []
  for (const name of names) {
    if (name.startsWith('known/')) continue
    try {
      const text = configuration.value(jail, name)
      if (typeof text === 'string') texts.push([name, text])
    } catch (error) {
      // Options that only some jails can use are in [DEFAULT]; Fail2ban, too, reads them where they are used.
      if (!(error instanceof BailiffError)) throw error
    }
  }
  return Object.fromEntries(texts)
}
