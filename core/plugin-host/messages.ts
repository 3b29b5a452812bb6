/** What the agent and a plugin host say to each other, as the JSON of frames. Numbers of calls count from 1 on each side. */
import type { EachCall } from '../enforcing/call-each.ts'
import type { ActionBan, FirewallEntry } from '../plugin.ts'
import type { AgentEvent, Ports } from '../events.ts'
import type { PluginKind, PluginUse } from '../settings/plugin-use.ts'

/** So long may a message of a host be. */
export const maxFromHostBytes = 2 * 1024 * 1024
/** And so long where it carries no list: a host writes the type first. The longest is a line of the log with all its fields. */
export const maxPlainBytes = 256 * 1024
const withLists = /^\{"type":"(?:answer|carried|firewall)"/

/** How long a message of a host may be that begins like this. */
export function maxBytesOf(begin: string): number {
  return withLists.test(begin) ? maxFromHostBytes : maxPlainBytes
}
/** Bytes that a host may have emitted before the agent says that it took them. */
export const emitWindowBytes = 512 * 1024
/** Entries and bans in one message; longer lists come in several. */
export const listPart = 1000

export type Verb = 'start' | 'stop' | 'ban' | 'unban' | 'banMany' | 'unbanMany' | 'sync' | 'notify'

/** What a plugin may not go beyond, checked in its own process beside what Node itself forbids. */
export interface Fence {
  readonly hosts: readonly string[]
  readonly programs: readonly string[]
}

export type ToHost =
  /** Loads the module and looks at it. Answered by a `Description`. */
  | {
      readonly type: 'load'
      readonly call: number
      readonly kind: PluginKind
      readonly file: string
      readonly fence: Fence | null
    }
  /** What the plugin declares its options by. Answered by a JSON Schema, or null where it declares none. */
  | { readonly type: 'declared'; readonly call: number; readonly kind: PluginKind }
  /** Checks options. Answered by nothing, or refused. */
  | { readonly type: 'options'; readonly call: number; readonly kind: PluginKind; readonly use: PluginUse }
  | {
      readonly type: 'create'
      readonly instance: number
      readonly kind: PluginKind
      readonly name: string
      readonly use: PluginUse
      readonly stateFolder: string
      /** Variables of the environment that it gets. */
      readonly env: Readonly<Record<string, string>>
    }
  /** A part of a list that the call of this number hands over. */
  | { readonly type: 'part'; readonly call: number; readonly items: readonly (ActionBan | AgentEvent)[] }
  | {
      readonly type: 'call'
      readonly call: number
      readonly instance: number
      readonly verb: Verb
      readonly given: ActionBan | AgentEvent | null
    }
  /** The function is called for each item of the list, as if each came by itself: `EachCall` says how. */
  | {
      readonly type: 'each'
      readonly call: number
      readonly instance: number
      readonly verb: EachCall['verb']
      readonly atOnce: number
      readonly deadlineMs: number
    }
  | { readonly type: 'abort'; readonly call: number }
  /** Aborts the signal of an instance. */
  | { readonly type: 'end'; readonly instance: number }
  | { readonly type: 'forget-instance'; readonly instance: number }
  | { readonly type: 'taken'; readonly instance: number; readonly emit: number; readonly error: string | null }
  | { readonly type: 'firewall-answer'; readonly question: number; readonly value: unknown }
  | { readonly type: 'firewall-failure'; readonly question: number; readonly message: string }
  | { readonly type: 'ping'; readonly ping: number }

/** What a module is, seen from outside. */
export interface Description {
  /** The functions of the contract that it has. */
  readonly functions: readonly string[]
  readonly firewall: boolean
  readonly restored: boolean
}

/** Why something failed in a host. */
export interface HostFailure {
  readonly message: string
  readonly hint: string | null
  /** The line of the plugin's file. */
  readonly line: number | null
  /** The option that is refused, as a path of keys; '' for all of them. */
  readonly option: string | null
  /** Thrown as `RetryLater`. */
  readonly retryAfterMs: number | null
}

/** An item of an `each` that was not carried out. */
export interface FailedItem {
  readonly index: number
  readonly failure: HostFailure
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type FirewallCall =
  | { readonly method: 'declare'; readonly ports: readonly Ports[] }
  | { readonly method: 'add' | 'load' | 'del' | 'sync'; readonly entries: readonly FirewallEntry[] }
  | { readonly method: 'list'; readonly known: number | null }

export type FromHost =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly call: number; readonly failure: HostFailure }
  /** What came of some of the items of an `each`, by their index; when all are told the call is answered. */
  | {
      readonly type: 'carried'
      readonly call: number
      readonly done: readonly number[]
      readonly failed: readonly FailedItem[]
    }
  | { readonly type: 'pong'; readonly ping: number }
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly fields: Readonly<Record<string, string | number | boolean>>
      readonly message: string
    }
  | {
      readonly type: 'emit'
      readonly instance: number
      readonly emit: number
      readonly log: string
      readonly cursor: string | null
      readonly live: boolean | null
      readonly writtenAt: number | null
    }
  /** The unfinished line of a log is to be emitted again. */
  | { readonly type: 'forget'; readonly instance: number; readonly log: string }
  | { readonly type: 'ended'; readonly instance: number }
  /** `more`: the entries go on in the next message of this number. */
  | {
      readonly type: 'firewall'
      readonly question: number
      readonly instance: number
      readonly more: boolean
      readonly asked: FirewallCall
    }
  /** It reached for what its manifest does not name. */
  | { readonly type: 'denied'; readonly what: string }
  /** An error of which nobody was told. */
  | { readonly type: 'stray'; readonly what: string }

/** What a host asks on its second descriptor and waits for, standing still: what plugins are answered at once. */
export type Question =
  | { readonly ask: 'cursor'; readonly instance: number; readonly log: string }
  | { readonly ask: 'since'; readonly instance: number }
  | { readonly ask: 'follow'; readonly instance: number; readonly path: string }
  | {
      readonly ask: 'follow-matching'
      readonly instance: number
      readonly pattern: string
      readonly exclude: readonly string[]
      readonly limit: number | null
    }
  /** Its last words: an error that nobody caught. */
  | { readonly ask: 'fault'; readonly message: string }

export type Reply = { readonly value: string | number | null } | { readonly error: string }
