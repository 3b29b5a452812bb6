import { lookupService } from 'node:dns/promises'
import { isIP } from 'node:net'
import { quote, type BailiffError } from '../../errors.ts'
import type { Failure } from '../../events.ts'
import { replaceKnownTags, replaceTags, type ShellCommand } from './command-tags.ts'
import type { GateRules, IgnoreSource } from './gate-rules.ts'
import type { HostNames } from './host-names.ts'
import type { CommandRunner } from './ignore-command.ts'
import { IgnoreRules } from './ignore-rules.ts'
import type { OwnAddresses } from './own-addresses.ts'
import { TimedCache } from './timed-cache.ts'

/** What is decided of a failure: it counts, or is ignored; null as source: the cache knew. */
export type Verdict = { readonly ignored: false } | { readonly ignored: true; readonly source: IgnoreSource | null }

/** What jails share. */
export interface GateParts {
  readonly hosts: HostNames
  readonly own: OwnAddresses
  readonly commands: CommandRunner
  readonly warn: (jail: string, message: string) => void
  readonly namesChanged: () => void
}

const counts: Verdict = { ignored: false }

/**
 * Whom one jail ignores, asked in Fail2ban's order: `ignorecache`, `ignoreself`, the single addresses of `ignoreip`, its
 * other words, `ignorecommand`.
 */
export class GateJail {
  readonly rules: GateRules
  readonly #parts: GateParts
  readonly #ignore: IgnoreRules
  readonly #cache: TimedCache<boolean> | null

  constructor(rules: GateRules, parts: GateParts) {
    this.rules = rules
    this.#parts = parts
    const { hosts, own, namesChanged } = parts
    this.#ignore = new IgnoreRules(rules.ignoreip, {
      hosts,
      isOwn: (compared) => rules.ignoreself && own.has(compared),
      warn: (message) => parts.warn(rules.name, message),
      namesChanged,
    })
    const { ignorecache } = rules
    this.#cache = ignorecache && new TimedCache(ignorecache.maxCount, ignorecache.maxTimeSeconds * 1000)
  }

  /** What is wrong with words of `ignoreip`, which are left out. */
  get problems(): readonly BailiffError[] {
    return this.#ignore.problems
  }

  /** Host names that are to be followed. */
  get names(): readonly string[] {
    return this.#ignore.names
  }

  async start(): Promise<void> {
    await this.#ignore.start()
  }

  stop(): void {
    this.#ignore.stop()
  }

  /** The verdict where nothing has to be waited for; null: something has. */
  verdictNow(failure: Failure): Verdict | null {
    const { ignorecache, ignorecommand } = this.rules
    if (ignorecache?.key.includes('<ip-host>')) return null
    const key = ignorecache && keyOf(replaceKnownTags(ignorecache.key, failure, this.rules))
    const cached = key === null ? undefined : this.#cache?.get(key)
    if (cached !== undefined) return cached ? { ignored: true, source: null } : counts
    const source = this.#ignore.source(failure.id)
    if (source === 'unknown' || (source === null && ignorecommand !== '')) return null
    return this.#keep(key, source)
  }

  /** The verdict, however long it takes. Never rejects. */
  async verdict(failure: Failure): Promise<Verdict> {
    const { ignorecache, ignorecommand } = this.rules
    const surroundings = { ...this.rules, hostOf }
    const key = ignorecache && keyOf(await replaceTags(ignorecache.key, failure, surroundings))
    const cached = key === null ? undefined : this.#cache?.get(key)
    if (cached !== undefined) return cached ? { ignored: true, source: null } : counts
    let source = this.#ignore.source(failure.id)
    if (source === 'unknown') {
      await Promise.all(this.#namesToKnow().map((name) => this.#parts.hosts.followed(name)))
      source = this.#ignore.source(failure.id)
    }
    if (source !== null || ignorecommand === '') return this.#keep(key, source === 'unknown' ? null : source)
    const isIgnored = await this.#ask(await replaceTags(ignorecommand, failure, surroundings))
    return this.#keep(key, isIgnored ? 'command' : null)
  }

  /** Addresses that the configuration names are not kept: the cache would only forget others for them. */
  #keep(key: string | null, source: IgnoreSource | null): Verdict {
    if (key !== null) this.#cache?.set(key, source !== null)
    return source === null ? counts : { ignored: true, source }
  }

  #namesToKnow(): readonly string[] {
    return [...this.#ignore.names, ...(this.rules.ignoreself ? this.#parts.own.names : [])]
  }

  /** 0: ignored. 1: not. Anything else is an error, and not ignored either. */
  async #ask(command: ShellCommand): Promise<boolean> {
    const end = await this.#parts.commands.run(command)
    if ('code' in end && end.code <= 1) return end.code === 0
    const said = 'failed' in end ? end.failed : `it ended with ${end.code}${end.output && `: ${quote(end.output)}`}`
    this.#parts.warn(
      this.rules.name,
      `ignorecommand ${quote(this.rules.ignorecommand)} failed, so nobody is ignored by it: ${said}`,
    )
    return false
  }
}

function keyOf({ script, values }: ShellCommand): string {
  return [script, ...values].join('\0')
}

async function hostOf(ip: string): Promise<string | null> {
  if (isIP(ip) === 0) return null
  try {
    const { hostname } = await lookupService(ip, 0)
    return hostname === ip ? null : hostname
  } catch {
    return null
  }
}
