import { BailiffError, describeError, quote, suggest, type Where } from '../../errors.ts'
import { appliedJail, type JailParts } from './applied-jail.ts'
import type { Command } from './command.ts'
import { Configuration } from './configuration.ts'
import { jailCommands } from './jail-commands.ts'
import { isEnabled, readFirstOptions, readJail } from './jail-reading.ts'
import { isFolder } from './path-pattern.ts'
import { JailLeftOut, treeProblem } from './problem.ts'
import { serverOptions, type ServerOptions } from './server-options.ts'
import { TreeFiles } from './tree-files.ts'
import type { TreeJail } from './tree-jail.ts'
import { versionOfTree, versionRules, type VersionRules } from './version-rules.ts'

/** A Fail2ban configuration, read. */
export interface Fail2banTree {
  readonly folder: string
  /** Options of `fail2ban.conf` as text, the defaults of Fail2ban where it has none. */
  readonly server: Readonly<Record<ServerOption, string>>
  /** What Fail2ban's reader sends for `fail2ban.conf`. */
  readonly serverCommands: readonly Command[]
  /** The jails asked for that can run, in order. */
  readonly jails: readonly TreeJail[]
  /** All jails there are, by name, in order. */
  readonly names: readonly string[]
  /** Why a jail cannot run, or a file or option was passed over: file, section, option. The other jails are in `jails`. */
  readonly problems: readonly BailiffError[]
  /** What runs, but hardly as meant: a value that is no number and for which the default stands. */
  readonly warnings: readonly BailiffError[]
  /** The whole command stream: what `fail2ban-client -d` prints. A jail that cannot run is a command `config-error`. */
  readonly stream: readonly Command[]
}

/** Options of `fail2ban.conf`. */
export type ServerOption =
  | 'loglevel'
  | 'logtarget'
  | 'syslogsocket'
  | 'socket'
  | 'pidfile'
  | 'allowipv6'
  | 'dbfile'
  | 'dbmaxmatches'
  | 'dbpurgeage'

/** What of a tree is read, and how. */
export interface ReadTreeOptions {
  /** `enabled` (unless said), `all` as if each were enabled, or these, enabled or not. */
  readonly jails?: 'enabled' | 'all' | readonly string[]
  /** The version of Fail2ban whose rules hold and which `%(fail2ban_version)s` is. Unless said: see `versionOfTree`. */
  readonly version?: string
  /** Options that filters get beside those that their jails pass, `[mode=ddos]`; they win. */
  readonly passed?: string
}

/**
 * Reads a Fail2ban configuration folder as Fail2ban does. Rejects with a BailiffError only where the folder or its
 * `jail.conf` is not there; all else that is wrong is in `problems`.
 */
export async function readTree(folder: string, options: ReadTreeOptions = {}): Promise<Fail2banTree> {
  const rules = versionRules(options.version ?? versionOfTree(folder))
  return new TreeReader(folder, rules, options.passed ?? '').read(options.jails ?? 'enabled')
}

class TreeReader {
  readonly #files: TreeFiles
  readonly #rules: VersionRules
  readonly #passed: string
  readonly #jails: Configuration
  readonly #brokenSections = new Map<string, BailiffError>()
  readonly #problems: BailiffError[] = []
  readonly #warnings: BailiffError[] = []
  readonly #read: TreeJail[] = []
  readonly #commands: Command[] = []
  readonly #starts: Command[] = []

  constructor(folder: string, rules: VersionRules, passed: string) {
    if (!isFolder(folder)) throw noTree(folder, 'there is no such folder')
    this.#files = new TreeFiles(folder)
    const { configuration, isFound, faults, notes } = this.#files.named('jail')
    if (!isFound) throw notes[0] ?? noTree(folder, 'there is no jail.conf in it')
    this.#jails = configuration
    this.#rules = rules
    this.#passed = passed
    const always = { fail2ban_version: rules.version, fail2ban_confpath: this.#files.folder }
    for (const [name, text] of Object.entries(always)) configuration.defaults.set(name, { text, where: undefined })
    this.#problems.push(...notes)
    for (const { section, error } of faults)
      if (section === null || section === 'DEFAULT' || section === 'INCLUDES') this.#problems.push(error)
      else this.#brokenSections.set(section, error)
  }

  read(wanted: NonNullable<ReadTreeOptions['jails']>): Fail2banTree {
    const server = this.#server()
    const names = this.#jails.names().filter((name) => name !== 'INCLUDES')
    if (typeof wanted === 'string') for (const name of names) this.#jail(name, wanted === 'all')
    else for (const name of wanted) this.#namedJail(name, names)
    return {
      folder: this.#files.folder,
      server: Object.fromEntries(server.texts) as Fail2banTree['server'],
      serverCommands: server.commands,
      jails: this.#read,
      names,
      problems: this.#problems,
      warnings: this.#warnings,
      stream: [...server.commands, ...this.#commands, ...this.#starts],
    }
  }

  #server(): ServerOptions {
    const { configuration, faults, notes } = this.#files.named('fail2ban')
    this.#problems.push(...notes, ...faults.map(({ error }) => error))
    try {
      return serverOptions(configuration, this.#warnings)
    } catch (error) {
      this.#problems.push(asBailiffError(error))
      return serverOptions(new Configuration(), [])
    }
  }

  #namedJail(name: string, names: readonly string[]): void {
    if (names.includes(name)) this.#jail(name, true)
    else {
      const meant = suggest(name, names)
      const hint = meant === undefined ? 'jails are the sections of jail.conf and jail.local' : `did you mean ${meant}?`
      this.#problems.push(treeProblem(`there is no jail ${quote(name)}`, { file: this.#files.folder }, hint))
    }
  }

  #jail(name: string, isForced: boolean): void {
    const tree = { files: this.#files, jails: this.#jails, rules: this.#rules, notes: this.#warnings }
    const broken = this.#brokenSections.get(name)
    try {
      const enabled = isEnabled(tree, name)
      if (!enabled && !isForced) {
        this.#lookAtDisabled(name, broken)
        return
      }
      if (broken !== undefined) throw broken
      const reading = readJail(tree, name, this.#passed)
      const whereIs = (option: string) => this.#jails.whereIs(name, option)
      const { commands, isSkipped } = jailCommands(reading, this.#rules, { notes: this.#warnings, whereIs })
      this.#commands.push(...commands)
      if (isSkipped) {
        this.#warnings.push(this.#aboutJail(name, 'is left out: it has no logs', this.#jails.whereIs(name, 'logpath')))
        return
      }
      this.#starts.push(['start', name])
      this.#apply({ reading, enabled, commands, configuration: this.#jails })
    } catch (error) {
      this.#leaveOut(name, asBailiffError(error))
    }
  }

  /** Fail2ban does not start with an error in a jail that is not enabled, so it is told. */
  #lookAtDisabled(name: string, broken: BailiffError | undefined): void {
    try {
      if (broken !== undefined) throw broken
      readFirstOptions(this.#jails, name)
    } catch (error) {
      this.#warnings.push(asBailiffError(error))
    }
  }

  /** What the server would refuse does not change the stream. */
  #apply(parts: JailParts): void {
    try {
      this.#read.push(appliedJail(parts))
    } catch (error) {
      this.#problems.push(this.#asProblem(parts.reading.name, asBailiffError(error)))
    }
  }

  #leaveOut(name: string, error: BailiffError): void {
    const why = error instanceof JailLeftOut ? error.fail2banText : describeError(error).replaceAll('\n', ' ')
    this.#commands.push(['config-error', `Jail '${name}' skipped, because of wrong configuration: ${why}`])
    this.#problems.push(this.#asProblem(name, error))
  }

  #asProblem(name: string, error: BailiffError): BailiffError {
    return this.#aboutJail(name, `is left out: ${error.message}`, error.where, error.hint)
  }

  #aboutJail(name: string, message: string, where: Where | undefined, hint?: string): BailiffError {
    return treeProblem(`jail ${quote(name)} ${message}`, where ?? this.#jails.whereIsSection(name), hint)
  }
}

function noTree(folder: string, why: string): BailiffError {
  return new BailiffError('no-input', `${quote(folder)} is no configuration of Fail2ban: ${why}`, {
    hint: 'name the folder that has jail.conf, usually /etc/fail2ban',
  })
}

/** What is no error for people is a mistake of this program. */
function asBailiffError(error: unknown): BailiffError {
  if (error instanceof BailiffError) return error
  throw error
}
