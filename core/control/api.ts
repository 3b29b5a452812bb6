import type { Address, Prefix } from '../address.ts'
import type { AgentEvent, Ban, Evidence, PluginHostState, UnbanReason } from '../events.ts'

/**
 * What the control socket offers: JSON over HTTP on a Unix socket. Every answer is a JSON object; a
 * refusal is `{ error: { kind, message, hint, where } }` with a status of 4xx or 5xx.
 */
export const routes = {
  status: { method: 'GET', path: '/v1/status' },
  jail: { method: 'GET', path: '/v1/jails/' },
  explain: { method: 'GET', path: '/v1/explain/' },
  ban: { method: 'POST', path: '/v1/ban' },
  unban: { method: 'POST', path: '/v1/unban' },
  reload: { method: 'POST', path: '/v1/reload' },
  pause: { method: 'POST', path: '/v1/pause' },
  resume: { method: 'POST', path: '/v1/resume' },
  address: { method: 'GET', path: '/v1/addresses/' },
  allows: { method: 'GET', path: '/v1/allow' },
  allow: { method: 'POST', path: '/v1/allow' },
  disallow: { method: 'POST', path: '/v1/disallow' },
  lists: { method: 'GET', path: '/v1/lists' },
  swapList: { method: 'PUT', path: '/v1/lists/' },
  unlist: { method: 'DELETE', path: '/v1/lists/' },
  words: { method: 'GET', path: '/v1/words' },
  events: { method: 'GET', path: '/v1/events' },
  metrics: { method: 'GET', path: '/metrics' },
} as const

/** The agent as a whole. Times are unix milliseconds. */
export interface StatusReport {
  readonly version: string
  readonly pid: number
  readonly startedAt: number
  /** The configuration file it runs on. */
  readonly config: string
  /** Whether the whole agent only observes. */
  readonly observe: boolean
  /** Since when the firewall is paused; null: it is not. */
  readonly pausedSince: number | null
  readonly jails: readonly JailSummary[]
  /** Bans in force, over all jails and lists. */
  readonly bans: number
  /** Whom people let in for a time. */
  readonly allowed: readonly AllowReport[]
  readonly lists: readonly ListReport[]
  /** Jails that see nothing, or not what they should, or what a peer can forge. */
  readonly findings: readonly Finding[]
  readonly actions: readonly { readonly action: string; readonly pending: number; readonly failure: string | null }[]
  readonly logs: readonly LogReport[]
  /** The processes that plugins of others run in, and the threads of matchers in WebAssembly. */
  readonly pluginHosts: readonly PluginHostState[]
  /** What of the configuration was set aside, in words for people. */
  readonly problems: readonly string[]
}

export interface JailSummary {
  readonly jail: string
  readonly mode: 'enforce' | 'observe'
  /** Failures that counted since the start, and those an ignore rule spared. */
  readonly failures: number
  readonly ignored: number
  /** Addresses with failures that are not banned. */
  readonly tracked: number
  /** Bans in force now, and bans made since the start; where it only observes, bans that it would have made. */
  readonly banned: number
  readonly bannedTotal: number
  /** Who would be banned now, if it did not only observe. */
  readonly wouldBan: number
  /** Lines of banned addresses that came although their ban was in force for ten seconds, and the last such address. */
  readonly afterBan: { readonly lines: number; readonly last: Prefix | null }
  readonly logs: readonly string[]
  /** Why these, where they are the usual ones of the filter; null: they are named. */
  readonly sourceChoice: string | null
}

export interface LogReport {
  readonly log: string
  /** The pattern that found it, or that nothing matches yet; null where it is named itself. */
  readonly pattern: string | null
  /** `reading`, or why not. */
  readonly state: string
  readonly bytesBehind: number
  readonly lines: number
  readonly skipped: number
  /** Lines that are not of the form (JSON, logfmt) that a filter expects. */
  readonly malformed: number
}

export interface JailReport extends JailSummary {
  /** Since when the firewall is paused; null: it is not. */
  readonly pausedSince: number | null
  /** Null where the configuration has no such jail: bans by hand (`manual`), or of a jail that is gone. */
  readonly rules: { readonly filter: string; readonly maxretry: number; readonly findtimeMs: number } | null
  /** The lines of `action` of a jail of a Fail2ban tree, which are not run; null: it is none. */
  readonly treeActions: readonly string[] | null
  readonly findings: readonly Finding[]
  readonly bans: readonly BanReport[]
}

/** A jail's report whose bans are made one by one as they are asked for; there may be a million. */
export interface JailAnswer extends Omit<JailReport, 'bans'> {
  readonly bans: Iterable<BanReport>
}

/** A ban in force; `enforced` tells whether every action of its jail has confirmed it. */
export interface BanReport extends Ban {
  readonly enforced: boolean
  /** Whether it is none: its jail only observes. */
  readonly observed: boolean
}

/** What is known of one address or prefix. */
export interface AddressReport {
  readonly prefix: Prefix
  /** Bans of it, inside it and around it: of jails, by hand, and (`list:NAME`) of named lists. At most 1000. */
  readonly bans: readonly BanReport[]
  /** Why nobody bans it, for people; null: nothing spares it. */
  readonly spared: string | null
  /** The failures that count now, by jail; only of single addresses. */
  readonly failures: readonly { readonly jail: string; readonly failures: number; readonly maxretry: number }[]
}

/** A jail that does not see what it should, or that a peer can make see what is not so. */
export interface Finding {
  readonly jail: string
  readonly log: string
  /**
   * `blind`: it cannot ban anybody by this log. `doubtful`: somebody should look. `forgeable`: a peer can write whole
   * lines into this log.
   */
  readonly grade: 'blind' | 'doubtful' | 'forgeable'
  /** What is the matter, for people, in a sentence without its period. */
  readonly what: string
  /** The command, or the step, that mends it or tells more. */
  readonly mend: string
}

/** Whom people let in for a time. */
export interface AllowReport {
  /** A prefix, or the name of a host. */
  readonly subject: string
  readonly since: number
  /** When it ends; null: never. */
  readonly until: number | null
  /** What the subject stands for now. */
  readonly prefixes: readonly Prefix[]
}

export interface AllowRequest {
  /** Prefixes, and names of hosts in lower case. */
  readonly subjects: readonly string[]
  /** Null: for ever. */
  readonly lengthMs: number | null
}

export interface AllowAnswer {
  readonly allowed: readonly AllowReport[]
  /** The bans that it ended. */
  readonly ended: readonly Ban[]
}

export interface DisallowAnswer {
  readonly ended: readonly string[]
  readonly absent: readonly string[]
}

/** A named list in force. */
export interface ListReport {
  readonly name: string
  /** When it was loaded, and when all of it ends (null: never); unix milliseconds. */
  readonly since: number
  readonly until: number | null
  /** Its entries that are banned. */
  readonly entries: number
  /** Entries that are not, since they would ban somebody who is never banned or the firewall refuses them. */
  readonly leftOut: number
  /** One of these, and why, for people. */
  readonly example: string | null
  /** Entries that were not there before it was loaded, and that are not there any more; null while nobody knows. */
  readonly added: number | null
  readonly gone: number | null
  /** Why the actions do not hold all of it yet, if so. */
  readonly pending: string | null
  /** Whether it is still being carried out, and nothing fails. */
  readonly working: boolean
}

/** What became of the loading of a list, so far: a long one goes on, and its report tells how far it is. */
export interface ListAnswer extends ListReport {
  /** Lines with an entry; the same prefix may stand in several. */
  readonly lines: number
}

export interface UnlistAnswer {
  readonly ended: readonly { readonly name: string; readonly entries: number }[]
  readonly pending: string | null
}

/** What a shell completes. */
export interface Words {
  readonly jails: readonly string[]
  readonly lists: readonly string[]
  readonly allowed: readonly string[]
  /** Some of those who are banned. */
  readonly banned: readonly string[]
}

/** What is known of an address or prefix. Times are unix milliseconds. */
export interface AddressExplanation {
  readonly prefix: Prefix
  /** When this was so. */
  readonly at: number
  /** False: no agent runs, and this is what it left behind in its store. */
  readonly running: boolean
  /** Whether the whole agent only observes. */
  readonly observe: boolean
  readonly pausedSince: number | null
  /** The bans in force of the prefix, of wider ones around it and of smaller ones inside. */
  readonly bans: readonly BanStanding[]
  /** Bans of exactly this prefix and its IPv6 network, of now and before, the youngest first, at most 50. */
  readonly history: readonly PastBan[]
  readonly jails: readonly JailStanding[]
  /** Why the firewall would refuse to ban it; null: it would not. */
  readonly refusedByFirewall: string | null
  /** What the firewall holds of it now; null: it was not asked, and `failure` says why. */
  readonly kernel: readonly { readonly set: string; readonly prefix: Prefix; readonly until: number | null }[] | null
  readonly kernelFailure: string | null
}

/** A ban that is wanted now, and where it is enforced. */
export interface BanStanding extends Ban {
  /** Whether it is only observed: nothing enforces it. */
  readonly observed: boolean
  readonly actions: readonly {
    readonly action: string
    readonly confirmed: boolean
    readonly failure: string | null
  }[]
  /** The sets of the kernel that hold it now; null: no action of it uses the firewall, or the firewall was not asked. */
  readonly sets: readonly string[] | null
  /** Since when it is known to be missing in the kernel; null: it is not. */
  readonly missingSince: number | null
}

export interface PastBan {
  readonly prefix: Prefix
  readonly jail: string
  readonly since: number
  readonly until: number | null
  readonly count: number
  readonly failures: number
  /** Null: it is in force, or was when the agent ended. */
  readonly ended: number | null
  readonly reason: UnbanReason | null
  readonly evidence: readonly Evidence[]
}

/** How an address stands with a jail. */
export interface JailStanding {
  readonly jail: string
  readonly mode: 'enforce' | 'observe'
  readonly maxretry: number
  readonly findtimeMs: number
  /** When it failed within the window that ends now, ascending; at most `maxretry` of them. */
  readonly failures: readonly number[]
  /**
   * The same of its IPv6 network as a whole, which is banned at `needed` failures of `addressesNeeded` different
   * addresses; null where that is not counted. `addresses` are those that failed most, at most 50.
   */
  readonly network: {
    readonly prefix: Prefix
    readonly failures: number
    readonly needed: number
    readonly addresses: readonly { readonly address: Address; readonly failures: number }[]
    readonly addressesCount: number
    readonly addressesNeeded: number
  } | null
  /** What spares it, where that stands (`file:line`), and how many of its failures were. */
  readonly spared: {
    readonly kind: string
    readonly entry: string
    readonly why: string
    readonly place: string | null
    readonly failures: number
  } | null
  /** Bans of it by this jail so far, and how long the next would last (null: for ever). */
  readonly bansBefore: number
  readonly nextBanMs: number | null
  /** Why an action refused to ban it; null: none did. */
  readonly refusal: string | null
  /** How far the dates of the last live lines of this jail were off, in ms; null: they were not. */
  readonly skewMs: number | null
}

export interface BanRequest {
  readonly prefixes: readonly Prefix[]
  /** Absent: a ban without a jail, for all ports, with the actions of the defaults. */
  readonly jail?: string
  /** Absent: the ban time of the jail; null: for ever. */
  readonly lengthMs?: number | null
}

export interface BanAnswer {
  /** What became of each prefix, in the order given. */
  readonly results: readonly {
    readonly prefix: Prefix
    readonly outcome: 'banned' | 'pending' | 'refused'
    readonly detail: string
  }[]
}

export interface UnbanRequest {
  /** Every ban inside one of these ends; `all`: every ban. */
  readonly prefixes: readonly Prefix[] | 'all'
  readonly jail?: string
}

export interface UnbanAnswer {
  readonly ended: readonly Ban[]
  /** Those of the prefixes that nothing was banned in; `covering` is a wider ban that holds it. */
  readonly absent: readonly { readonly prefix: Prefix; readonly covering: Prefix | null }[]
  /** Entries of named lists, which stay. At most one for each prefix asked for. */
  readonly listed: readonly { readonly prefix: Prefix; readonly list: string }[]
  /** The lists that ended, where all bans were to end. */
  readonly lists: UnlistAnswer['ended']
}

export interface ReloadAnswer {
  readonly jails: readonly string[]
  readonly problems: readonly string[]
}

export interface PauseAnswer {
  readonly pausedSince: number | null
  /** How many bans are wanted: out of the firewall now, or back in it. */
  readonly bans: number
  /** Why the firewall does not follow, if so. */
  readonly failure: string | null
}

/** What stands behind the socket. Each may throw a BailiffError. */
export interface Control {
  status(): StatusReport
  jail(name: string): JailAnswer
  address(prefix: Prefix): AddressReport
  explain(prefix: Prefix): Promise<AddressExplanation>
  ban(request: BanRequest): Promise<BanAnswer>
  unban(request: UnbanRequest): Promise<UnbanAnswer>
  reload(): Promise<ReloadAnswer>
  /** Takes all bans out of the firewall, until `resume`. */
  pause(): Promise<PauseAnswer>
  resume(): Promise<PauseAnswer>
  allows(): readonly AllowReport[]
  /** Lets some in: ends their bans and spares them until it ends. */
  allow(request: AllowRequest): Promise<AllowAnswer>
  disallow(subjects: readonly string[] | 'all'): Promise<DisallowAnswer>
  lists(): readonly ListReport[]
  /** Puts the prefixes of a text, one a line, in the place of the list of that name. */
  swapList(name: string, text: AsyncIterable<Buffer>, lengthMs: number | null): Promise<ListAnswer>
  unlist(name: string): Promise<UnlistAnswer>
  words(): Words
  /** Calls `listener` with all that happens from now on, until the answer is called. */
  watch(listener: (event: AgentEvent) => void): () => void
  /** Prometheus text, https://prometheus.io/docs/instrumenting/exposition_formats/ */
  metrics(): string
}
