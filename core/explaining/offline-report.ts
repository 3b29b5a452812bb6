/** What an agent that does not run left behind, as it would tell it itself. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PrefixSet, type Prefix } from '../address.ts'
import { reportOn } from '../address-report.ts'
import type { AddressExplanation } from '../control/api.ts'
import { BailiffError, describeError } from '../errors.ts'
import type { Ban, CountedFailures } from '../events.ts'
import { refusalReasons } from '../firewall/messages.ts'
import { NeverBanned } from '../firewall/never-banned.ts'
import { AllowList, type Allow } from '../judging/allow-list.ts'
import { Judge } from '../judging/judge.ts'
import { judgedAs } from '../jails.ts'
import { Pause } from '../pause.ts'
import type { Settings } from '../settings/load-settings.ts'
import { readStoredAllows } from '../stored-allows.ts'
import { unpackBans, unpackOffences } from '../store/packed-bans.ts'
import { migrate } from '../store/schema.ts'
import { openDatabase, type Database } from '../store/sqlite.ts'
import type { HistoryEntry, Offence } from '../store/store.ts'
import { Tables } from '../store/tables.ts'

/** Names of the ignore list are looked up for so long at most. */
const namesMs = 3000

/** What a store holds, read once. */
interface Left {
  readonly bans: readonly Ban[]
  readonly offences: readonly Offence[]
  readonly failures: readonly CountedFailures[]
  readonly history: (prefix: Prefix, limit: number) => readonly HistoryEntry[]
  close(): void
}

/** Reports of addresses from the configuration and the store, as of `now` (unix ms). */
export class OfflineReports {
  readonly #settings: Settings
  readonly #now: number
  readonly #left: Left
  readonly #allowed: AllowList
  readonly #judge: Judge
  readonly #neverBanned = new NeverBanned()

  private constructor(settings: Settings, now: number, left: Left, allows: readonly Allow[]) {
    this.#allowed = new AllowList({ onChange: () => {}, onNameFailure: () => {} })
    for (const allow of allows) this.#allowed.put(allow)
    this.#allowed.expire(now)
    this.#settings = settings
    this.#now = now
    this.#left = left
    this.#judge = new Judge({
      offences: left.offences,
      isBanned: () => false,
      vital: () => this.#vital(),
      allowed: (prefix) => this.#allowed.sparing(prefix),
      onNameFailure: () => {},
    })
  }

  /** Opens a copy of the store, so that neither it nor its rights change. Where there is none, nothing is known of before. */
  static async open(settings: Settings, now: number): Promise<OfflineReports> {
    const left = await openCopy(join(settings.state, 'bailiff.sqlite'), now, settings.historyMs)
    const reports = new OfflineReports(settings, now, left, await allowsIn(settings.state))
    await Promise.race([
      reports.#judge.configure(settings.jails.map(judgedAs)),
      sleep(namesMs, undefined, { ref: false }),
    ])
    reports.#judge.resume(left.failures)
    return reports
  }

  async report(prefix: Prefix): Promise<AddressExplanation> {
    const overlapping = (each: { readonly prefix: Prefix }) =>
      new PrefixSet([each.prefix]).overlapping(prefix) !== undefined
    return reportOn(prefix, {
      at: this.#now,
      running: false,
      observe: this.#settings.observe,
      pausedSince: new Pause(this.#settings.state).since,
      jails: this.#settings.jails,
      judge: this.#judge,
      bans: this.#left.bans
        .filter(overlapping)
        .map((ban) => ({ ...ban, observed: false, actions: [], sets: null, missingSince: null })),
      history: async (each, limit) => this.#left.history(each, limit),
      refusal: () => undefined,
      refusedByFirewall: this.#vital().find(overlapping)?.why ?? null,
      kernel: null,
      kernelFailure: null,
    })
  }

  close(): void {
    this.#judge.stop()
    this.#neverBanned.stop()
    this.#left.close()
  }

  #vital(): { readonly prefix: Prefix; readonly why: string }[] {
    return this.#neverBanned
      .at(performance.now())
      .map(({ prefix, reason }) => ({ prefix, why: refusalReasons[reason] }))
  }
}

async function allowsIn(state: string): Promise<readonly Allow[]> {
  try {
    return (await readStoredAllows(state)) ?? []
  } catch (cause) {
    throw new BailiffError('no-input', `who is allowed cannot be read (${state}): ${describeError(cause)}`, {
      cause,
      hint: 'run the command as root or as the user of the agent',
    })
  }
}

const nothing: Left = { bans: [], offences: [], failures: [], history: () => [], close: () => {} }

async function openCopy(path: string, now: number, historyMs: number): Promise<Left> {
  let folder: string | null = null
  try {
    if (!existsSync(path)) return nothing
    folder = mkdtempSync(join(tmpdir(), 'bailiff-explain-'))
    const copy = join(folder, 'store.sqlite')
    copyFileSync(path, copy)
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`)
    return leftIn(await openDatabase(copy), folder, now, historyMs)
  } catch (cause) {
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
    throw new BailiffError('no-input', `the store ${path} cannot be read: ${describeError(cause)}`, {
      cause,
      hint: 'run the command as root or as the user of the agent',
    })
  }
}

function leftIn(database: Database, folder: string, now: number, historyMs: number): Left {
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  migrate(database)
  const tables = new Tables(database)
  const packed = [...tables.bans(now, now - historyMs)]
  return {
    bans: packed.flatMap((some) => [...unpackBans(some)]),
    offences: packed.flatMap((some) => [...unpackOffences(some)]),
    failures: [...tables.failures()].flat(),
    history: (prefix, limit) => tables.history({ prefix, limit }),
    close: () => {
      database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
