import { BailiffError } from '../../errors.ts'
import type { Command } from './command.ts'
import type { TreeJail } from './tree-jail.ts'

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
  /** The version of Fail2ban whose rules hold and which `%(fail2ban_version)s` is. Unless said: that installed, else 1.0.2. */
  readonly version?: string
}

/**
 * Reads a Fail2ban configuration folder as Fail2ban does. Rejects with a BailiffError only where the folder or its
 * `jail.conf` is not there; all else that is wrong is in `problems`.
 */
export async function readTree(folder: string, _options: ReadTreeOptions = {}): Promise<Fail2banTree> {
  throw new BailiffError('software', `${folder} is not read yet`)
}
