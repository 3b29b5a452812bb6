/**
 * What flows between the stages of the agent. Every record is plain and serialisable, so that any
 * boundary can be a thread or a process. Times are unix milliseconds in UTC; lengths and offsets are
 * bytes. Text that came from a log is already printable when it stands in a record: control bytes
 * are escaped where the record is made (see `printable` in errors.ts) and nowhere else.
 */
import type { Address, Prefix } from './address.ts'

/** A piece of a log, in the order in which it was written: a range of an open file, or bytes. */
export interface LogChunk {
  /** Where it comes from, as people know it: the path of the file, or the name of the source. */
  readonly log: string
  /** The jails that read this log. */
  readonly jails: readonly string[]
  /** Those of them, of a Fail2ban tree, that see the log for the first time: to them nothing in it is live. */
  readonly starting?: readonly string[]
  readonly data: FileRange | Uint8Array
  /** When it was noticed. While the chunk is live this is also the time its lines were written. */
  readonly arrivedAt: number
  /** Whether the reader had caught up with the end of the log before these lines were written. */
  readonly live: boolean
  /** The time that counts for lines without a date of their own; null: such lines do not count. */
  readonly undatedAt: number | null
  /** Whether the chunk begins inside a line that is too long and is being passed over. */
  readonly insideLine: boolean
}

/** Bytes `start` (inclusive) to `end` (exclusive) of an open file. Workers read it; they never open a path. */
export interface FileRange {
  readonly fd: number
  readonly start: number
  readonly end: number
  /** What stood there when it was noticed, where that is little: the file may have been truncated since. */
  readonly bytes?: Uint8Array
}

/** When the lines of a range of a file were written. */
export interface RangeDates {
  /** Offset in the file of the first line that begins in the range; null: no whole line stands in it. */
  readonly firstLine: number | null
  /** The youngest date, as the jail reads it that reads it youngest; null: some jail that reads them finds none. */
  readonly youngest: number | null
}

/** How far a log has been read: all before it is done with. Kept by `path`. */
export type LogPosition = FilePosition | LogCursor

/** How far a log of a source has been read that knows by a text of its own where it was, as a journal does. */
export interface LogCursor {
  /** Which source, and which of its logs. Unlike the path of a file it does not begin with a slash. */
  readonly path: string
  /** As the source said it. */
  readonly cursor: string
  /** When the source last spoke of this log, unix milliseconds. */
  readonly named: number
}

/** How far a file has been read, and what tells it apart from another file that has its name later. */
export interface FilePosition {
  readonly path: string
  readonly device: string
  readonly inode: string
  /** Nanoseconds since the epoch, as text; `0` where the file system does not say. */
  readonly birth: string
  /** Hash of the first `headLength` bytes, as they were when the position was taken. */
  readonly headHash: string
  readonly headLength: number
  /** All bytes before this one are done with. */
  readonly offset: number
  /** Whether the offset lies inside a line that is too long and is being passed over. */
  readonly insideLine: boolean
}

/** What became of a chunk. */
export interface ScanResult extends ScanCounts {
  readonly rows: FailureRows
}

/** What native filters found in a piece of a log, as numbers and bytes; `failure-rows.ts` says how to read them. */
export interface FailureRows {
  /** Whose failures the rows are, by their index. */
  readonly targets: readonly RowTarget[]
  /** The rows, in the order of the lines: of some lines that say the same of one address, where the first of them is. */
  readonly words: Uint32Array
  /** Where in `texts` the lines of the rows are. */
  readonly spans: Uint32Array
  /** The lines, as they stand in the log, each without what ends it, and cut. */
  readonly texts: Uint8Array
}

/** Whose failures some rows are. */
export interface RowTarget {
  readonly filter: string
  readonly jails: readonly string[]
  /**
   * What the sessions of its lines are told apart by, beside log and address: the same for jails that see the same rows. A
   * jail that comes to a log later takes up the sessions of the others.
   */
  readonly sessions: string
}

/** What became of a chunk, but for what was found in it by native filters. */
export interface ScanCounts {
  /** Bytes that are done with: up to and with the last newline, or all of them inside a line without end. */
  readonly consumed: number
  /** Whether the consumed bytes end inside a line that is too long. */
  readonly insideLine: boolean
  /** Whole lines seen. */
  readonly lines: number
  /** Lines passed over because they were too long or broke the deadline. */
  readonly skipped: number
  /** Lines that a filter of JSON or logfmt looked at and that are none; what its prefilter passes over it does not look at. */
  readonly malformed: number
  /** Whether the lines of the log carry neither date nor syslog header. */
  readonly bare: boolean
  /** What the jails of a Fail2ban tree found, in the order of the lines; absent where the chunk is of none. */
  readonly hits?: readonly FilterHit[]
  /** Lines whose time is odd to these jails, the first of each kind; absent where there are none. */
  readonly odd?: readonly OddLine[]
  /** What some of the lines look like; absent where nobody looked. */
  readonly seen?: LinesSeen
}

/** What the lines of a chunk look like. */
export interface LinesSeen {
  /** Each jail of the chunk once. */
  readonly jails: readonly JailLines[]
  /** Milliseconds of the processor that matching took, for all jails together. */
  readonly ms: number
}

/** What the lines of a chunk look like to a jail. */
export interface JailLines {
  readonly jail: string
  /** Lines that were read as samples, and those of them that have a date that its filter reads. */
  readonly sampled: number
  readonly dated: number
  /** Of the samples, those that the programs of its filter wrote; all of them where it names none. */
  readonly own: number
  /** Lines with words that a failure of this or another jail has, written by its programs, and by others. */
  readonly hits: number
  readonly foreign: number
  /** One of these other programs, printable; null: there is none. */
  readonly foreignProgram: string | null
}

/** A line that a failregex of a jail's filter matched. */
export interface Match {
  readonly jail: string
  readonly filter: string
  /** Index of the failregex in its filter, from 0. */
  readonly rule: number
  readonly address: Address
  /** The time written in the line; null where it has none. */
  readonly time: number | null
  /** How many failures the line stands for ("message repeated 5 times"). At least 1. */
  readonly attempts: number
  /** What the tags of the pattern captured, by name in lower case (`user`, …), cut to 128 characters. Printable. */
  readonly groups: Readonly<Record<string, string>>
  /** Names the connection that the line belongs to; null where the line does not say. */
  readonly session: string | null
  /** Whether the line tells of a failure that other lines of its session may tell of as well. */
  readonly once: boolean
  readonly log: string
  /** Where the line begins, counted from the start of the file or of the bytes. */
  readonly offset: number
  /** The line, without its newline, cut to 512 characters. Printable. */
  readonly line: string
}

/**
 * A line that a failregex of a Fail2ban tree matched, before the lines of its session are put together. It may be no
 * failure by itself.
 */
export interface FilterHit {
  readonly jail: string
  readonly log: string
  /** Where the line begins, counted from the start of the file or of the bytes. */
  readonly offset: number
  /** Index of the failregex in its filter, from 0. */
  readonly rule: number
  /** When the line was written, never later than it came; null where nobody knows. */
  readonly time: number | null
  /** What the groups captured, by Python's name; several parts where a pattern puts some together. Printable, cut. */
  readonly groups: Readonly<Record<string, string | readonly (string | null)[]>>
  /** The lines that matched, oldest first, each cut to 512 characters. Printable. */
  readonly lines: readonly string[]
}

/** A line whose time is odd to a jail of a Fail2ban tree. */
export interface OddLine {
  readonly jail: string
  /**
   * Though the log is live it is dated `late` (up to an hour ago) or `elsewhere` (farther away), and counts as now; it is
   * `old`, older than findtime in a log that is new, and does not count; it matched and is `undated`; or its date is one
   * that Fail2ban fails at (`unreadable`), and it is passed over.
   */
  readonly trouble: 'late' | 'elsewhere' | 'old' | 'undated' | 'unreadable'
  /** How far its date is ahead of the time it came; null where it has none. */
  readonly aheadMs: number | null
  /** Printable, cut as in `Match`. */
  readonly line: string
}

/**
 * A failure that a filter of a Fail2ban tree found. What it is counted by may be no address: a text that the filter
 * took as id, or a host name that is still to be looked up.
 */
export interface Failure extends Omit<Match, 'address' | 'session' | 'once'> {
  /** What it is counted by: an address, a prefix, any text (`<F-ID>`), or the host name while it is one. */
  readonly id: string
  /** The address that the line names beside an id that is another text: whom a firewall can keep away. Null: the id is all. */
  readonly ip: string | null
  /** Whether the id is a host name that stands for its addresses (`usedns` yes or warn). */
  readonly isName: boolean
  /** The lines that make up the failure, its session's before it too, oldest first, each cut as `line`. Printable. */
  readonly lines: readonly string[]
}

/**
 * Failures that the judge counted, and those that it forgot again since they led to a ban: in order, as
 * bytes that only the judge reads (`judging/failure-log.ts`). The store keeps them with the position of
 * the lines they came from.
 */
export interface CountedFailures {
  /** Jails that counted the same: the entries name each list by its index. */
  readonly jails: readonly (readonly string[])[]
  readonly entries: Uint8Array
}

/**
 * What a stage keeps beside bans, counts and positions, in the store's transaction with them, by a key of its own; null:
 * no longer. Only that stage reads the value, and has to look at what it is: plain data that JSON can say.
 */
export interface Kept {
  readonly kind: 'waiting-failure' | 'id-ban'
  readonly key: string
  readonly value: object | null
}

/** The ports a ban covers. No ports: all traffic of the address. */
export interface Ports {
  /** `tcp+udp`: these ports of both. */
  readonly protocol: 'tcp' | 'udp' | 'tcp+udp' | 'all'
  /** Ascending, each once; empty exactly when the protocol is `all`. */
  readonly ports: readonly number[]
}

/** A decision: this prefix is kept away from these ports until then. */
export interface Ban {
  readonly prefix: Prefix
  /** The jail that decided; `manual` for a ban by a person without a jail, `list:NAME` for one of a named list. */
  readonly jail: string
  readonly ports: Ports
  readonly since: number
  /** When it ends; null: never. */
  readonly until: number | null
  /** The how-manieth ban of this prefix in this jail it is, from 1. */
  readonly count: number
  /** The failures that led to it; 0 for a ban by a person. */
  readonly failures: number
  /** The last lines that led to it, oldest first. Printable. */
  readonly lines: readonly string[]
  /** What found each of the lines: `file:line version`. Absent where that is not known. */
  readonly rules?: readonly string[]
}

/** A line that led to a ban, and the failregex that found it. */
export interface Evidence {
  /** Printable, cut as in `Match`. */
  readonly line: string
  /** Where the failregex stood (`file:line`); empty where that is not known. */
  readonly rule: string
  /** Tells one version of the text of the failregex from another: the first 8 digits of its SHA-256. */
  readonly version: string
}

/** What stands for a named list in the place of a jail. No jail can be called so. */
export const jailOfList = (list: string): string => `list:${list}`

/** The named list that a ban is of; null: of none. */
export const listOfJail = (jail: string): string | null => (jail.startsWith('list:') ? jail.slice(5) : null)

/** Why an action hears of a ban. */
export type BanReason = 'new' | 'extended' | 'restored' | 'repaired'

/** Why a ban ended; `ignored`: its address is never banned now. */
export type UnbanReason = 'expired' | 'unbanned' | 'ignored'

/** What happened in the agent, as notifiers and the log hear of it. */
export type AgentEvent =
  | { readonly type: 'start'; readonly time: number; readonly jails: readonly string[] }
  | { readonly type: 'stop'; readonly time: number }
  /** `action` is the first action that confirmed the ban; before that nothing is called banned. */
  | {
      readonly type: 'ban'
      readonly time: number
      readonly ban: Ban
      readonly reason: BanReason
      readonly action: string
    }
  | { readonly type: 'unban'; readonly time: number; readonly ban: Ban; readonly reason: UnbanReason }
  /** What a jail in observe mode, or an observing agent, would have banned. */
  | { readonly type: 'would-ban'; readonly time: number; readonly ban: Ban }
  /** Something that somebody should look at. `subject` names what: a jail, an action, a log. */
  | { readonly type: 'alarm'; readonly time: number; readonly subject: string; readonly message: string }

/** How the process does that the plugins of one module run in. */
export interface PluginHostState {
  readonly plugin: string
  readonly file: string
  /** `idle`: nothing uses it. `restarting`: it crashed and starts again soon. `set aside`: it crashed again and again. */
  readonly state: 'running' | 'starting' | 'idle' | 'restarting' | 'set aside'
  /** Null: there is no process now; a matcher in WebAssembly has none. */
  readonly pid: number | null
  readonly memoryBytes: number
  /** Processes that were started in place of one that crashed. */
  readonly restarts: number
  /** What it did last that it should not, for people, and when; null: nothing. */
  readonly lastFault: { readonly at: number; readonly what: string } | null
  /** When it is started again; null: that is not planned. */
  readonly startsAgainAt: number | null
}
