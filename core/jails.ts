/** Makes jails ready to run: compiles their filters, loads their plugins, and puts broken ones aside. */
import { createHash } from 'node:crypto'
import { asBailiffError, compileChecked } from './compiled-settings.ts'
import { BailiffError, quote, type Where } from './errors.ts'
import type { TreeJailSettings, TreeParts } from './fail2ban-settings.ts'
import { maxDeclared } from './firewall/messages.ts'
import { tooManyConfigured } from './firewall/port-lists.ts'
import type { Fail2banCounting } from './judging/fail2ban-counting.ts'
import type { FilterLanguage } from './matching/filter-language.ts'
import type { CompiledFilter } from './plugin.ts'
import { Registry, type LoadedPlugin } from './registry.ts'
import type { FilterSettings, PatternText } from './settings/filter-file.ts'
import { InstalledPackages } from './settings/installed-packages.ts'
import type { DateSettings, JailSettings } from './settings/jail.ts'
import type { Settings } from './settings/load-settings.ts'
import type { PluginKind, PluginUse } from './settings/plugin-use.ts'

/** A loaded plugin that runs once in the agent, whatever the number of jails that use it. */
export interface Instance<Kind extends PluginKind = PluginKind> extends LoadedPlugin<Kind> {
  /** Unique among the instances of its kind: the name of the plugin, `webhook`, and `webhook-2` with other options. */
  readonly id: string
}

/** A jail that can run. */
export interface ReadyJail extends Omit<JailSettings, 'filter' | 'sources' | 'actions' | 'notifiers'> {
  /** Jails with the same filter in the same mode share the object. Its name is that of the filter; beside `normal` with `/mode`. */
  readonly filter: CompiledFilter
  /** What it was compiled from: texts, places and samples. */
  readonly filterSettings: FilterSettings
  /** The name of each failregex: where it stands, and the version of its text (`file:line 1a2b3c4d`). */
  readonly ruleNames: readonly string[]
  /** At least one, unless it counts bans or has no filter. */
  readonly sources: readonly Instance<'source'>[]
  /** At least one, except in observe mode. */
  readonly actions: readonly Instance<'action'>[]
  readonly notifiers: readonly Instance<'notifier'>[]
  /** What a jail of a Fail2ban tree has in place of the patterns of `filter`; null: it is one of ours. */
  readonly fail2ban: TreeParts | null
  /** How it counts, where it counts as Fail2ban. */
  readonly counting: Fail2banCounting | null
}

/** What can run, and what is wrong with the rest. */
export interface ReadyJails {
  readonly jails: readonly ReadyJail[]
  /** Those who are told of everything. */
  readonly notifiers: readonly Instance<'notifier'>[]
  /** Of `settings` and of getting ready. */
  readonly problems: readonly BailiffError[]
  /** What people should know, and all runs nevertheless. */
  readonly warnings: readonly BailiffError[]
  /** The names of the jails that are on but cannot run. */
  readonly broken: readonly string[]
  /** Plugins that were not waited for. */
  readonly late: readonly Promise<LoadedPlugin>[]
}

/**
 * Gets all jails ready. A jail goes on with what is left of its plugins: one broken notifier or action
 * is told and left out, since a jail that bans by the firewall but cannot post to a web hook protects
 * better than none. It is put aside when its filter does not compile, when no source is left, or, unless
 * it only observes, no action. Plugins of others that take longer to load than `patienceMs` are left out too, and told,
 * where a jail can do without them.
 */
export async function prepareJails(
  settings: Settings,
  language: FilterLanguage,
  registry: Registry = new Registry(),
  patienceMs = Infinity,
): Promise<ReadyJails> {
  const ready = await prepare(settings, language, registry, patienceMs)
  return ready.late.length > 0 && ready.jails.length === 0 ? prepare(settings, language, registry, Infinity) : ready
}

async function prepare(
  settings: Settings,
  language: FilterLanguage,
  registry: Registry,
  patienceMs: number,
): Promise<ReadyJails> {
  const problems = [...settings.problems]
  const broken = [...settings.broken]
  const workshop = new Workshop(language, registry, new InstalledPackages(settings.plugins), patienceMs)
  const jails: ReadyJail[] = []
  workshop.begin(settings)
  for (const jail of settings.jails) {
    const ready = await workshop.prepare(jail, problems)
    if (ready === undefined) broken.push(jail.name)
    else jails.push(ready)
  }
  const notifiers = await workshop.load('notifier', settings.notifiers, problems)
  const banning = jails.filter(({ actions }) => actions.some(({ plugin }) => plugin.capabilities?.includes('firewall')))
  const lists = new Set(banning.map(({ ports }) => JSON.stringify(ports)))
  if (lists.size > maxDeclared) problems.push(tooManyConfigured(lists.size))
  const warnings = eachOnce(workshop.warnings)
  return { jails, notifiers, problems: eachOnce(problems), warnings, broken, late: workshop.late }
}

/** `file:line` and the first 8 digits of the SHA-256 of the text of a failregex. */
export function ruleName({ text, where }: PatternText): string {
  return `${placeOf(where)} ${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}

/** The name of each rule: of patterns as `ruleName`, of a matcher in WebAssembly its file, the rule and the version of its code. */
export function ruleNamesOf({ failregex }: FilterSettings, { module }: CompiledFilter): string[] {
  if (!module) return failregex.map(ruleName)
  const rules = module.rules.length > 0 ? module.rules : Array.from({ length: 16 }, (_, rule) => `rule ${rule}`)
  return rules.map((rule) => `${module.file} (${rule}) ${module.sha256.slice(0, 8)}`)
}

/** `file:line`. */
export function placeOf({ file, line }: Where): string {
  return line === undefined ? file : `${file}:${line}`
}

/** What a jail of a Fail2ban tree has that others have not; null: it is one of ours. */
export function treePartsOf(jail: JailSettings): TreeParts | null {
  return 'fail2ban' in jail ? (jail as TreeJailSettings).fail2ban : null
}

/** A jail as the judge takes it: it counts as its dialect has it. */
export function judgedAs(jail: JailSettings): JailSettings & Pick<ReadyJail, 'counting'> {
  return { ...jail, counting: treePartsOf(jail)?.counting ?? null }
}

/** What stands for the filter of a jail of a Fail2ban tree, whose patterns are those of another language. */
export const withoutPatterns: Omit<CompiledFilter, 'name'> = {
  programs: null,
  prefregex: null,
  failregex: [],
  ignoreregex: [],
  structure: null,
}

/** Compiles each filter and loads each plugin once. */
class Workshop {
  readonly #language: FilterLanguage
  readonly #registry: Registry
  readonly #packages: InstalledPackages
  readonly warnings: BailiffError[] = []
  readonly #filters = new Map<string, CompiledFilter | BailiffError>()
  readonly #instances = new Map<string, Instance | BailiffError>()
  /** Plugins of others that are being loaded, by what the configuration names. */
  readonly #loading = new Map<string, Promise<LoadedPlugin>>()
  /** Those that were waited for long enough. */
  readonly #late = new Set<Promise<LoadedPlugin>>()
  readonly #patienceMs: number
  #patience: Promise<null> | null = null

  constructor(language: FilterLanguage, registry: Registry, packages: InstalledPackages, patienceMs: number) {
    this.#patienceMs = patienceMs
    this.#language = language
    this.#registry = registry
    this.#packages = packages
  }

  /** As `ReadyJails.late`. */
  get late(): readonly Promise<LoadedPlugin>[] {
    return [...this.#late]
  }

  /** Processes for plugins of others start side by side: one that takes its time to load keeps nobody else waiting. */
  begin({ jails, notifiers }: Pick<Settings, 'jails' | 'notifiers'>): void {
    const uses = [...jails.flatMap((jail) => [...jail.sources, ...jail.actions, ...jail.notifiers]), ...notifiers]
    for (const use of uses) {
      const key = keyOf(use.kind, use)
      if (this.#loading.has(key) || this.#registry.pluginNames(use.kind).includes(use.plugin)) continue
      const loading = this.#registry.loadPlugin(use.kind, use, this.#packages)
      loading.catch(() => {})
      this.#loading.set(key, loading)
    }
    if (this.#loading.size > 0 && this.#patienceMs !== Infinity)
      this.#patience = new Promise((resolve) => setTimeout(() => resolve(null), this.#patienceMs))
  }

  async prepare(jail: JailSettings, problems: BailiffError[]): Promise<ReadyJail | undefined> {
    const fail2ban = treePartsOf(jail)
    const filter =
      fail2ban === null ? await this.#filter(jail.filter, jail.dates) : { ...withoutPatterns, name: jail.filter.name }
    if (filter instanceof BailiffError) problems.push(filter)
    const sources = await this.load('source', jail.sources, problems)
    const actions = await this.load('action', jail.actions, problems)
    const notifiers = await this.load('notifier', jail.notifiers, problems)
    const readsNothing = jail.bansOf !== null || fail2ban?.texts === null
    if (filter instanceof BailiffError || (sources.length === 0 && !readsNothing)) return undefined
    if (jail.mode === 'enforce' && actions.length === 0) {
      if (jail.actions.length === 0) problems.push(withoutAction(jail))
      return undefined
    }
    const ruleNames = ruleNamesOf(jail.filter, filter)
    return {
      ...jail,
      filter,
      filterSettings: jail.filter,
      ruleNames,
      sources,
      actions,
      notifiers,
      fail2ban,
      counting: fail2ban?.counting ?? null,
    }
  }

  /** The instances of some uses, without those that do not load. */
  async load<Kind extends PluginKind>(
    kind: Kind,
    uses: readonly PluginUse[],
    problems: BailiffError[],
  ): Promise<Instance<Kind>[]> {
    const instances: Instance<Kind>[] = []
    for (const use of uses) {
      const key = keyOf(kind, use)
      const instance = this.#instances.get(key) ?? (await this.#instance(kind, use))
      this.#instances.set(key, instance)
      if (instance instanceof BailiffError) problems.push(instance)
      // The key begins with the kind.
      else instances.push(instance as Instance<Kind>)
    }
    return instances
  }

  async #instance(kind: PluginKind, use: PluginUse): Promise<Instance | BailiffError> {
    try {
      const hosted = this.#loading.get(keyOf(kind, use))
      const loading = hosted ?? this.#registry.loadPlugin(kind, use, this.#packages)
      const loaded = await (hosted && this.#patience ? Promise.race([hosted, this.#patience]) : loading)
      if (loaded === null) {
        this.#late.add(loading)
        return tooSlow(use)
      }
      const ids = [...this.#instances.values()].flatMap((one) =>
        one instanceof BailiffError || one.kind !== kind ? [] : [one.id],
      )
      this.warnings.push(...loaded.unset.map((variable) => notSet(variable, loaded.name, use.where)))
      return { ...loaded, id: unused(loaded.name, ids) }
    } catch (error) {
      return asBailiffError(error, use)
    }
  }

  async #filter(filter: FilterSettings, dates: DateSettings): Promise<CompiledFilter | BailiffError> {
    const key = JSON.stringify([filter.where, filter.mode, dates])
    const result = this.#filters.get(key) ?? (await this.#compiled(filter, dates))
    this.#filters.set(key, result)
    return result
  }

  async #compiled(filter: FilterSettings, dates: DateSettings): Promise<CompiledFilter | BailiffError> {
    try {
      return await compileChecked(filter, this.#language, dates)
    } catch (error) {
      return asBailiffError(error, filter)
    }
  }
}

/** It may well be one that the plugin can do without: manifests do not tell. */
function notSet(variable: string, plugin: string, where: Where): BailiffError {
  return new BailiffError('config', `the variable ${variable}, which the plugin ${plugin} gets, is not set here`, {
    where,
    hint: `if it needs it, the agent must have it in its environment: "systemctl edit bailiff", [Service] EnvironmentFile=/etc/bailiff/secrets.env`,
  })
}

function tooSlow({ plugin, where }: PluginUse): BailiffError {
  const message = `the plugin ${quote(plugin)} takes long to load; what needs it begins when it has`
  return new BailiffError('unavailable', message, { where })
}

function withoutAction({ where }: JailSettings): BailiffError {
  return new BailiffError('config', 'the jail has no action, so it would ban nobody', {
    where,
    hint: 'write mode: observe, if that is what it is for',
  })
}

function keyOf(kind: PluginKind, use: PluginUse): string {
  return JSON.stringify([kind, use.plugin, use.options])
}

function unused(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name
  const number = taken.findIndex((_, index) => !taken.includes(`${name}-${index + 2}`))
  return `${name}-${number + 2}`
}

/** The same filter or plugin may break several jails. */
function eachOnce(problems: readonly BailiffError[]): BailiffError[] {
  const keyOf = ({ message, where }: BailiffError) => JSON.stringify([message, where])
  return [...new Map(problems.map((problem) => [keyOf(problem), problem] as const)).values()]
}
