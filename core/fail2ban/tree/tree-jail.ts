import type { Command } from './command.ts'

/** A jail as Fail2ban's server would have it once it has got the jail's commands. Plain data. Times are in seconds. */
export interface TreeJail {
  readonly name: string
  readonly enabled: boolean
  /** What Fail2ban's reader would send for it, `start` left out. Logs are those that were there when the tree was read. */
  readonly commands: readonly Command[]
  /** Every option of its section and of `[DEFAULT]` (`port`, `protocol`, `banaction` too), interpolated; those that cannot be are missing. */
  readonly options: Readonly<Record<string, string>>
  /** Null: the jail has none, and bans by hand only. */
  readonly filter: TreeFilter | null
  readonly actions: readonly TreeAction[]
  readonly backend: TreeBackend
  /** As written, patterns not resolved; empty with the backend systemd. */
  readonly logpaths: readonly { readonly glob: string; readonly tail: boolean }[]
  /** The words of each `journalmatch` line; a word `+` stands for "or". */
  readonly journalmatch: readonly (readonly string[])[]
  readonly maxretry: number
  readonly maxmatches: number | null
  readonly findtime: number
  /** Negative: for ever. */
  readonly bantime: number
  readonly bantimeExtra: TreeBantimeExtra
  /** Words as written: addresses, networks, DNS names, `file:PATH`. */
  readonly ignoreip: readonly string[]
  readonly ignoreself: boolean
  readonly ignorecommand: string | null
  readonly ignorecache: TreeIgnoreCache | null
  readonly logencoding: string
  readonly logtimezone: string | null
  /** No log found: true leaves the jail out, false is an error for Fail2ban. */
  readonly skipIfNologs: boolean
}

/** The filter of a jail, with what the jail overrides. */
export interface TreeFilter {
  readonly name: string
  /** What the jail passes in brackets, and `logtype`. */
  readonly options: Readonly<Record<string, string>>
  readonly texts: TreeFilterTexts
}

/** The texts of a filter, tags that are known when it is read put in; `<HOST>` and its like stay. */
export interface TreeFilterTexts {
  readonly name: string
  readonly prefregex: string | null
  readonly failregex: readonly string[]
  readonly ignoreregex: readonly string[]
  readonly maxlines: number
  /** Null: the default list. Empty: no date is looked for. */
  readonly datepattern: readonly string[] | null
  readonly timezone: string | null
  readonly usedns: 'yes' | 'warn' | 'no' | 'raw'
  readonly encoding: string
  /** Whether lines come from the journal, which says when. */
  readonly journal: boolean
}

/** An action of a jail. */
export interface TreeAction {
  /** Its name in the jail (`actname`). */
  readonly name: string
  /** The file in `action.d/` without ending, or the Python file. */
  readonly file: string
  readonly python: boolean
  /** What the jail passes in brackets and what `[Init]` has. */
  readonly options: Readonly<Record<string, string>>
  /** What Fail2ban sets of it, in order: commands (`actionban` ...), switches, options. */
  readonly properties: Readonly<Record<string, string | boolean | null>>
}

/** `systemd[journalflags=1]`: the text, its lower-case name, its options. */
export interface TreeBackend {
  readonly text: string
  readonly name: string
  readonly options: Readonly<Record<string, string>>
}

/** `bantime.*`. */
export interface TreeBantimeExtra {
  readonly increment: boolean
  readonly factor: string | null
  readonly formula: string | null
  readonly multipliers: string | null
  readonly maxtime: number | null
  readonly rndtime: number | null
  readonly overalljails: boolean
}

/** `ignorecache`: answers of `ignorecommand` are kept by this key, so many, so long. */
export interface TreeIgnoreCache {
  readonly key: string
  readonly maxCount: number
  readonly maxTime: number
}
