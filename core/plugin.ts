/**
 * The four contracts. A plugin is a module whose default export is a plain object of one of these
 * shapes; the `define…` functions only add types. Its name and kind come from where it stands
 * (`plugins/actions/command.ts` is the action `command`) or from where the configuration names it.
 */
import type { Prefix } from './address.ts'
import type { AgentEvent, Ban, BanReason, Ports } from './events.ts'

export { parseAddress, parsePrefix, PrefixSet, type Address, type Prefix } from './address.ts'
export { BailiffError, describeError, printable, quote, whyUnreadable, type Where } from './errors.ts'
export { listOfJail, type AgentEvent, type Ban, type BanReason, type Ports, type UnbanReason } from './events.ts'

/**
 * The version of this API, a whole number. It grows when a plugin that was written for it might no longer work; what is
 * added leaves it as it is. `api` of a manifest says which one a package was written for.
 */
export const apiVersion = 1

/**
 * What a plugin accepts as options: a JSON Schema, or a validator of Standard Schema
 * (https://standardschema.dev), as zod, valibot and arktype make them. Read without running the plugin.
 */
export type OptionsSchema<Options> = JsonSchema | StandardSchema<Options>

export interface JsonSchema {
  readonly type: 'object'
  readonly [keyword: string]: unknown
}

export interface StandardSchema<Options> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Options> | Promise<StandardResult<Options>>
  }
}

export type StandardResult<Options> =
  | { readonly value: Options; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/**
 * What a plugin may use. One object an instance, the same in every call: a plugin that is configured
 * twice has two hosts, and may keep what belongs to an instance in a `WeakMap` by its host.
 */
export interface Host<Options = unknown> {
  /** The checked options of this instance. */
  readonly options: Options
  /** The name of this instance in logs and status. */
  readonly name: string
  readonly log: Logger
  /**
   * Aborted when the instance is to stop; inside a call, which sees a signal of its own here, also
   * when the deadline of the call is over.
   */
  readonly signal: AbortSignal
  /** Unix milliseconds. Plugins ask here and not `Date`, so that tests can set the clock. */
  now(): number
  /** A folder of the plugin's own, mode 0700, made on first use. */
  readonly stateDir: string
  /**
   * Runs a program without a shell, its first word by its absolute path, and resolves with what it printed, printable
   * and cut to 4096 characters, when it has ended with exit code 0. Throws a BailiffError with what it said where it
   * ends otherwise or cannot be run. It is killed, with all that it started, when `signal` aborts.
   */
  runProgram(command: readonly string[], given?: GivenProgram): Promise<string>
}

/** What a program is given beside its words. */
export interface GivenProgram {
  /** The whole environment beside PATH and LC_ALL. */
  readonly env?: Readonly<Record<string, string>>
  /** What it reads: text from logs has its place here. */
  readonly stdin?: string
}

/** The part of pino's logger that plugins use. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * A source brings lines. `start` is called once and may return at once or run until `host.signal`
 * aborts; when it rejects, the source is started again after a pause.
 */
export interface SourcePlugin<Options = unknown> {
  readonly options?: OptionsSchema<Options>
  start(emit: Emit, host: SourceHost<Options>): void | Promise<void>
  stop?(host: SourceHost<Options>): void | Promise<void>
}

/**
 * Hands over bytes as they come, lines and parts of lines alike. It resolves when the agent can take
 * more, so a source that awaits it is slowed down with the agent.
 */
export type Emit = (bytes: Uint8Array, from?: EmitFrom) => Promise<void>

/** Where emitted bytes come from. */
export interface EmitFrom {
  /** Names the log when one source has several, at most 256. At most 512 characters. */
  readonly log?: string
  /**
   * Stands for everything of this log up to and with these bytes, for `host.cursor`: a text of at most
   * 4096 characters that only the source reads. The agent keeps it together with the bans and counts
   * that came of these bytes. So nothing is lost in a crash, and nothing counts twice that was emitted
   * in calls of whole lines, at most 1 MiB, with a cursor each. Where bytes end inside a line nothing
   * could go on, and their cursor is passed over.
   */
  readonly cursor?: string
  /**
   * False: these lines were written long ago, and count at the dates they have. Unless said, they are new, and
   * a date that is more than a minute off is not believed.
   */
  readonly live?: boolean
  /** When these lines were written, in unix milliseconds, where that is long ago: those without a date count then. */
  readonly writtenAt?: number
}

export interface SourceHost<Options = unknown> extends Host<Options> {
  /**
   * Follows a file from the position kept for it: the agent opens it, watches for rotation and keeps
   * the position. The file need not exist yet. Following the same path twice is the same as once.
   */
  follow(path: string): void
  /**
   * Follows all files that a pattern means, those that come later too: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any
   * number of folders. Those that are gone for a while are let go. Throws for a pattern that is none.
   */
  followMatching(pattern: string, matching?: Matching): void
  /**
   * Where to go on in this log: the cursor of the last bytes that are done with, also by an agent of
   * before; null where there is none. What was emitted behind it, an unfinished line, is forgotten by
   * the call, for it is to be emitted again: call it before the first `emit`, and after a connection broke.
   */
  cursor(log?: string): string | null
  /** Unix milliseconds. Where to begin in a log without a cursor: failures of before count for no jail any more. */
  since(): number
  /**
   * Runs a program without a shell and gives what it prints, as fast as it is taken. It ends with the
   * source, and with the loop over it. Throws a BailiffError when the program cannot be run, and when it
   * ends, whatever its exit code.
   */
  run(command: readonly string[], running?: RunProgram): AsyncIterable<Uint8Array>
  /** To be called when nothing will come any more, and all that came was emitted. When all sources say so the agent ends. */
  ended(): void
}

/** How a program is run. */
export interface RunProgram {
  /** The whole environment beside PATH and LC_ALL. */
  readonly env?: Readonly<Record<string, string>>
  /** Takes each line of its standard error, printable and cut; what it throws ends the program and the loop. Unless given, the log does. */
  readonly said?: (line: string) => void
}

/** What of a pattern is followed. */
export interface Matching {
  /** Patterns of names (`*.tmp`) or paths that are left out. */
  readonly exclude?: readonly string[]
  /** Files that are followed at once, at most: those written last. Default 4096, for plugins of others 256. */
  readonly limit?: number
}

/**
 * A matcher finds the lines that the filters match. It runs in worker threads, synchronously, on
 * whole lines, without I/O. `compile` takes the filters it can match exactly as their patterns say;
 * those it leaves go to the next engine.
 */
export interface MatcherPlugin {
  /** `kept`: where it may look for what it made of such filters before, and leave it for the next time. */
  compile(filters: readonly CompiledFilter[], kept?: KeptTables): Scanner
}

/** What is quicker read than made again. Anything may be gone at any time, and `write` may keep nothing. */
export interface KeptTables {
  /** What was written for this key; null where nothing is there. Nobody else but the user can have written it. */
  read(key: string): Uint8Array | null
  write(key: string, content: Uint8Array): void
}

/** A matcher that has compiled some filters. */
export interface Scanner {
  /** The indexes of the filters it took. */
  readonly took: readonly number[]
  /** Why it left each of the others, for people. */
  readonly left?: readonly { readonly filter: number; readonly reason: string }[]
  /** Calls `found` for each filter that a line matches, lines in order, at most once a line and filter. */
  scan(block: LineBlock, found: (line: FoundLine) => void): void
  /**
   * Blocks of these lines come next: what takes long to make for them is made now, and not
   * under a deadline for lines. Answers whether all is made, and it need not be asked again.
   */
  prepare?(bytes: Uint8Array): boolean
  /** How often `scan` would call `found` for this block, if that can be told for less. */
  count?(block: LineBlock): number
  /** How many lines it looked at since it was made that are not of the form that their filter names. */
  readonly malformed?: number
  /**
   * Memory in which the bytes of the next block are best put, `bytes` of them or fewer: a block that lies there is not
   * copied. Good until the next call of it. Null: anywhere.
   */
  room?(bytes: number): Uint8Array | null
  /** How many lines these bytes are, which lie in its room and end with a newline; null: cut them. That is so where one is longer. */
  countLines?(bytes: Uint8Array, longest: number): number | null
  /** Which of the filters it took it has plain expressions match, and why, for people. */
  byRegexp?(): readonly { readonly filter: number; readonly reason: string }[]
  dispose?(): void
}

/** Some whole lines. */
export interface LineBlock {
  /** Each line ends with a newline byte; no line is longer than the cap. */
  readonly bytes: Uint8Array
  /** The same bytes as text, one character a byte (Latin-1), so that offsets agree. Made when it is first asked for. */
  readonly text: string
  /**
   * Goes through the lines in order, from `start` (inclusive) to `end` (its newline, exclusive): all of them, or
   * with `search`, which needs the flag `g`, those in which it finds something.
   */
  lines(search: RegExp | null, found: (start: number, end: number) => void): void
  /** Reads date and syslog header of the line at `start` (inclusive) to `end` (its newline, exclusive). */
  head(start: number, end: number): LineHead
  /**
   * Whether the clock that dates are of goes on evenly in the quarter of an hour of this time, unix milliseconds: then the
   * time of one of its dates tells those of the others. Absent: it may not.
   */
  isSteady?(time: number): boolean
  /**
   * To be told by an engine that reads heads itself: so many lines of this program (null: without a syslog header)
   * hold words of a failure. Lines for which it calls `head` are counted by that.
   */
  looked?(program: string | null, lines: number): void
}

/** What stands before the message of a line. */
export interface LineHead {
  /** The line as text: itself while it is ASCII, decoded as UTF-8 otherwise. */
  readonly line: string
  readonly ascii: boolean
  /** The time written in the line; null where there is none. */
  readonly time: number | null
  /** The line without its date: what patterns see. */
  readonly undated: string
  /** The syslog header behind the date; null where there is none. Then `undated` is the message. */
  readonly syslog: {
    readonly program: string
    readonly pid: string
    readonly message: string
    readonly attempts: number
  } | null
}

/** A line that a filter matched, as a matcher reports it. It may be a view that is good only during the call of `found`. */
export interface FoundLine {
  /** Index of the filter among those given to `compile`. */
  readonly filter: number
  /** Index of the failregex in the filter. */
  readonly rule: number
  /** Where the line stands in the block: first byte, and its newline. */
  readonly start: number
  readonly end: number
  /** The address as it stands in the line. The agent parses it and drops the line when it is none. */
  readonly address: string
  /** The address as four words: its 16 bytes in order, IPv4 as IPv4-mapped IPv6. Absent: it is not known, or none. */
  readonly words?: Uint32Array | undefined
  readonly head: LineHead
  /** The time of `head`, where that is known without it. */
  readonly timeMs?: number | null | undefined
  /** What the tags captured, as it stands in the line. */
  readonly groups: Readonly<Record<string, string>>
  /** What one tag captured, as in `groups`, where that costs less than to make them all. */
  tag?(name: string): string | undefined
  /** The date in a field of the line, as it stands there; absent: that of `head` counts. */
  readonly time?: string | undefined
  /**
   * Where the line names proxies: everything it says of who spoke for whom, each an address or a list of them,
   * the nearest to us last. The agent believes it as far as trusted proxies said it; `address` is meant where
   * no proxy is trusted.
   */
  readonly hops?: readonly string[] | undefined
}

/** A filter made ready for matchers. Serialisable. */
export interface CompiledFilter {
  readonly name: string
  /**
   * The programs whose lines it reads; a `*` in a name stands for any text. Then patterns see the message
   * behind the syslog header, and a line whose header names another program is not looked at; a line
   * without date and header is a message itself. `-` among them, for a log of the service's own: any other
   * line without its date is a message too, since what looks like a header there may be text of a peer.
   * Null: patterns see the whole line without its date.
   */
  readonly programs: readonly string[] | null
  readonly prefregex: Pattern | null
  readonly failregex: readonly Pattern[]
  readonly ignoreregex: readonly Pattern[]
  /** Where its lines hold named fields: how, and what is asked of them. Then it has no patterns. Null: plain text. */
  readonly structure: Structure | null
  /** How the dates of its lines are read, which `LineBlock.head` does; null or absent: as usual, in the zone of the host. */
  readonly dates?: DateReading | null
  /**
   * The module of WebAssembly that finds its lines: then it has no patterns, and only the host of such modules takes it.
   * Null or absent: it has patterns, or asks for fields.
   */
  readonly module?: MatcherModule | null
}

/** A matcher in WebAssembly, checked and compiled. Can be sent to another thread. */
export interface MatcherModule {
  /** For people: the name of its package, or of its file. */
  readonly name: string
  readonly file: string
  /** Of its bytes. */
  readonly sha256: string
  /** What it is given at its start, `name=value` lines; empty: nothing. */
  readonly options: string
  /** What its rules are called; empty: they have numbers alone. */
  readonly rules: readonly string[]
  /** Of the memory that is made for it, in pages of 64 KiB. */
  readonly memory: { readonly initial: number; readonly maximum: number }
  /** Its `WebAssembly.Module`. */
  readonly code: object
}

/** Lines that hold named fields, and what is asked of them. Serialisable. */
export interface Structure<Regex = Pattern> {
  /** `logfmt`: `key=value key="other value"`. */
  readonly format: 'json' | 'logfmt'
  /** A line matches where one of these holds; the index of the first is the rule. */
  readonly match: readonly FieldRule<Regex>[]
  /** A line where one of these holds does not match. */
  readonly ignore: readonly FieldRule<Regex>[]
  /** The address is in the first of these that has one, unless a condition captured it. */
  readonly address: readonly FieldPath[]
  /** What the peer itself may have written of whom it speaks for, as in X-Forwarded-For. */
  readonly forwarded: readonly FieldPath[]
  /** The first that is there has the date; none of them: the date is that of the line. */
  readonly time: readonly FieldPath[]
  readonly user: readonly FieldPath[]
}

/** Holds where all conditions do. */
export interface FieldRule<Regex = Pattern> {
  /** As it was written, for people. */
  readonly text: string
  readonly conditions: readonly { readonly field: FieldPath; readonly check: FieldCheck<Regex> }[]
}

/** Which field is meant: that of this key at the top, else the one that the keys (or indexes) lead to, one level each. */
export interface FieldPath {
  readonly key: string
  readonly steps: readonly string[]
}

/**
 * What is asked of a field. Values are compared as text: numbers as JavaScript writes them, whole ones as they
 * stand, `true`, `false`. A list holds where one of its elements does. A field that is null is not there; then
 * only `exists: false` and `not` hold.
 */
export type FieldCheck<Regex = Pattern> =
  | { readonly type: 'equal' | 'prefix' | 'suffix' | 'contains'; readonly texts: readonly string[] }
  | { readonly type: 'range'; readonly min: number | null; readonly max: number | null }
  | { readonly type: 'exists'; readonly exists: boolean }
  | { readonly type: 'regex'; readonly pattern: Regex }
  | { readonly type: 'not'; readonly of: FieldCheck<Regex> }
  | { readonly type: 'all' | 'any'; readonly of: readonly FieldCheck<Regex>[] }

/** How dates are read. Serialisable. */
export interface DateReading {
  /** In the order in which they are tried. Empty: lines have no date. Null: all usual forms, where services write them. */
  readonly patterns: readonly DatePattern[] | null
  /** The zone of dates that name none: a name of the IANA, or an offset; null: the host's. */
  readonly timezone: string | null
}

/** A compiled `datepattern`, or the usual forms in its place. */
export type DatePattern =
  | { readonly type: 'default'; readonly text: string }
  | {
      readonly type: 'pattern'
      /** As it was written. */
      readonly text: string
      /** As in `Pattern`. */
      readonly ascii: string
      readonly unicode: string
      readonly flags: string
      /** The part of the date that each group tells, as `DatePart`; others tell none. */
      readonly groups: readonly (string | null)[]
      /** The group that is cut out. Where it need not end with the match, the flag `d` is among `flags`. */
      readonly cut: number
    }

/**
 * A pattern of the failregex language as JavaScript regular expressions, and what is known of it. No
 * pattern needs flags but the ones given. The group `addr` holds the address.
 */
export interface Pattern {
  /** As it was written. */
  readonly text: string
  /** For lines that are ASCII; compiled with `flags`. */
  readonly ascii: string
  /** For all other lines; compiled with `flags` and `u`. */
  readonly unicode: string
  readonly flags: string
  /** The tag that each capturing group fills, lower case; null for a group that fills none. Group 1 comes first. */
  readonly groups: readonly (string | null)[]
  /** Every line it matches contains one of these (ASCII, case as given); null where nothing is known. */
  readonly literals: readonly string[] | null
  /** Other such sets, each of which would do as well; those that seem rarest first. */
  readonly otherLiterals: readonly (readonly string[])[]
  /** Every match begins, at the start of the text, with one of these characters; null where nothing is known. */
  readonly firstCharacters: string | null
  /** Null: it runs in linear time. Else what it has that only an engine which backtracks can match. */
  readonly backtracking: string | null
}

/**
 * An action carries bans out. The agent gives it one queue: calls come one batch after the other,
 * bans before unbans, each with a deadline (`host.signal`), and again with growing pauses when they
 * reject. Both calls must be idempotent: after a crash the same ban may come again.
 */
export interface ActionPlugin<Options = unknown> {
  readonly options?: OptionsSchema<Options>
  /** What it needs beyond plain code; `firewall` gives it `host.firewall`. */
  readonly capabilities?: readonly 'firewall'[]
  /** Whether `ban` also wants the bans that were in force before the agent started. Not needed with `sync`. */
  readonly restored?: boolean
  start?(host: ActionHost<Options>): void | Promise<void>
  stop?(host: ActionHost<Options>): void | Promise<void>
  ban(ban: ActionBan, host: ActionHost<Options>): void | Promise<void>
  unban(ban: ActionBan, host: ActionHost<Options>): void | Promise<void>
  /** All at once, instead of one call each. What it answers is refused for good; the rest holds. */
  banMany?(bans: readonly ActionBan[], host: ActionHost<Options>): Refused | Promise<Refused>
  unbanMany?(bans: readonly ActionBan[], host: ActionHost<Options>): void | Promise<void>
  /** Called once after `start` with all that is in force: make the world hold exactly this. Answers as `banMany`. */
  sync?(bans: readonly ActionBan[], host: ActionHost<Options>): Refused | Promise<Refused>
  /**
   * In place of `sync`, where a million bans at once would be too much: each is made when it is walked to, as it is
   * wanted then. They may be walked through several times; what changes meanwhile follows as `ban` and `unban`.
   */
  syncEach?(bans: Iterable<ActionBan>, host: ActionHost<Options>): Refused | Promise<Refused>
}

/** The bans that are not carried out, and why. */
export type Refused = readonly Refusal[] | void

/** Refused for good, unless `again` is true: then there is no room now, and it is to be asked for again. */
export interface Refusal {
  readonly prefix: Prefix
  readonly reason: string
  readonly again?: boolean
}

/** A ban as actions see it: `until` is the latest of all jails that want this prefix away from these ports. */
export interface ActionBan extends Ban {
  readonly reason: BanReason
}

export interface ActionHost<Options = unknown> extends Host<Options> {
  /** The way to the firewall helper. Throws unless the plugin has the capability `firewall`. */
  readonly firewall: Firewall
}

/** Thrown by an action to be called again for the same bans after that many milliseconds, without an alarm. */
export class RetryLater extends Error {
  readonly afterMs: number
  /** `afterMs` is a number of milliseconds; anything else throws a `TypeError`. */
  constructor(afterMs: number) {
    if (!Number.isFinite(afterMs))
      throw new TypeError('RetryLater takes a number of milliseconds: new RetryLater(5000) is five seconds')
    super(`retry in ${afterMs} ms`)
    this.name = 'RetryLater'
    this.afterMs = afterMs
  }
}

/** The firewall helper, as the agent and the `firewall` action see it. Every call resolves when the kernel holds it. */
export interface Firewall {
  /** Makes the sets and rules for these ports, beside what is there. */
  declare(ports: readonly Ports[]): Promise<void>
  /** Adds entries or renews their time. Entries the helper refuses come back with the reason; the rest holds. */
  add(entries: readonly FirewallEntry[]): Promise<readonly Refusal[]>
  /** As `add`, for entries of named lists, which come by the million: its rate is not limited. */
  load(entries: readonly FirewallEntry[]): Promise<readonly Refusal[]>
  /** Removes entries; one that is not there is no error. */
  del(entries: readonly FirewallEntry[]): Promise<void>
  /**
   * Makes the kernel hold exactly these entries: up to some ten thousand in one transaction; more are entered while
   * they are walked through, and what was there before goes at the end.
   */
  sync(entries: Iterable<FirewallEntry>): Promise<readonly Refusal[]>
  /**
   * What the kernel holds now. To list a million takes a minute, so sets that are long may be left out where they hold
   * no more than `known`, some few apart: who wants so many knows what is in there.
   */
  list(known?: number): Promise<readonly FirewallEntry[]>
}

export interface FirewallEntry {
  readonly prefix: Prefix
  readonly ports: Ports
  /** When the kernel lets it go; null: never. */
  readonly until: number | null
}

/** A notifier tells people. It has a bounded queue and is never waited for. */
export interface NotifierPlugin<Options = unknown> {
  readonly options?: OptionsSchema<Options>
  start?(host: Host<Options>): void | Promise<void>
  stop?(host: Host<Options>): void | Promise<void>
  notify(event: AgentEvent, host: Host<Options>): void | Promise<void>
}

export const defineSource = <Options>(plugin: SourcePlugin<Options>): SourcePlugin<Options> => plugin
export const defineMatcher = (plugin: MatcherPlugin): MatcherPlugin => plugin
export const defineAction = <Options>(plugin: ActionPlugin<Options>): ActionPlugin<Options> => plugin
export const defineNotifier = <Options>(plugin: NotifierPlugin<Options>): NotifierPlugin<Options> => plugin
