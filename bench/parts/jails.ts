import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { matcherFiles } from '../../core/built-in.ts'
import { filterOf, knownFilters } from '../../core/cli/known-filters.ts'
import { loadEngines } from '../../core/cli/load-engines.ts'
import { compileSettings } from '../../core/compiled-settings.ts'
import { WantedSet } from '../../core/enforcing/wanted-set.ts'
import type { Ban, LogChunk, ScanResult } from '../../core/events.ts'
import { RowCursor } from '../../core/failure-rows.ts'
import { Judge, type JailRules } from '../../core/judging/judge.ts'
import type { JailFilter } from '../../core/matching/messages.ts'
import { createPool } from '../../core/matching/pool.ts'
import { ProcessorTime } from '../../core/matching/processor-time.ts'
import { createLogScanner } from '../../core/matching/scan.ts'
import { createSessions } from '../../core/matching/sessions.ts'
import { languageFor } from '../../core/prepared-filters.ts'
import type { FilterSettings } from '../../core/settings/filter-file.ts'
import { inMode } from '../../core/settings/filter-modes.ts'
import { silent } from '../../core/testing/seen-lines.ts'
import { writeAuthLog } from '../corpora/auth-log.ts'
import type { Case, Figure, Limit, Part } from '../part.ts'
import { inTurn, median } from '../rounds.ts'

const megabytes = 100
/** As large as the agent reads a backlog. */
const chunkBytes = 512 * 1024

const one = { subject: '1 jail', jails: oneJail }
const same = { subject: '100 jails, one filter', jails: sameFilter }
const different = { subject: '100 jails, 100 filters', jails: differentFilters }
const limits: readonly Limit[] = [
  { subject: same.subject, unit: 'times 1 jail', most: 1.3 },
  { subject: different.subject, unit: 'times 1 jail', most: 3 },
]

/** A backlog through pool and judge, as an agent reads it, for one jail and for many. */
export default {
  name: 'jails',
  about: 'a backlog through pool and judge, as an agent reads it: CPU of the main thread and of those that match',
  cases: [
    {
      attacks: 0.05,
      why: 'many jails often read one log, as that of a mail server or the journal',
      runs: [one, same, different],
      limits,
    },
    {
      attacks: 0.9,
      why: 'under attack, what comes behind the scanner is the most of the work',
      runs: [one],
      limits: [],
    },
  ].map(({ attacks, why, runs, limits: most }): Case => ({
    name: `sshd, ${attacks * 100} % attacks`,
    why,
    corpus: `${megabytes} MB, seed 1`,
    answer: 'failures and bans are those of records judged one by one',
    drawn: 'CPU ns/line',
    limits: most,
    measure: (folder, rounds) => measure(attacks, runs, folder, rounds),
  })),
} satisfies Part

interface Run {
  readonly subject: string
  readonly jails: () => Promise<JailFilter[]>
}

interface Answer {
  readonly bans: number
  readonly failures: number
}

async function measure(attacks: number, all: readonly Run[], folder: string, rounds: number): Promise<Figure[]> {
  const log = join(folder, 'auth.log')
  const { lines } = writeAuthLog(log, { bytes: megabytes * 1e6, attacks, seed: 1 })
  const runs = new Map<string, () => Promise<{ mainMs: number; allMs: number }>>()
  for (const { subject, jails: make } of all) {
    const jails = await make()
    const expected = JSON.stringify(await recorded(log, jails))
    runs.set(subject, async () => {
      const { answer, ...spent } = await pooled(log, jails)
      if (JSON.stringify(answer) !== expected)
        throw new Error(`${subject}: ${JSON.stringify(answer)} instead of ${expected}`)
      return spent
    })
  }
  let first: number | undefined
  return [...(await inTurn(runs, rounds))].map(([subject, spent]): Figure => {
    const ns = (ms: readonly number[]) => (median(ms) * 1e6) / lines
    const whole = ns(spent.map(({ allMs }) => allMs))
    const mainThread = ns(spent.map(({ mainMs }) => mainMs))
    const values = { 'CPU ns/line': whole, 'of it the main thread': mainThread }
    if (first !== undefined) return { subject, values: { ...values, 'times 1 jail': whole / first } }
    first = whole
    return { subject, values }
  })
}

async function oneJail(): Promise<JailFilter[]> {
  return asJails([await sshd()])
}

async function sameFilter(): Promise<JailFilter[]> {
  const filter = await sshd()
  return asJails(Array.from({ length: 100 }, () => filter))
}

/** A host of many services: every filter of the package, and made-up services for the rest. */
async function differentFilters(): Promise<JailFilter[]> {
  const { library } = await knownFilters(undefined)
  const known: FilterSettings[] = []
  for (const name of (await library.names()).keys()) {
    const filter = await filterOf(name, library)
    known.push(inMode(filter, 'normal', filter.where))
  }
  const usual = await sshd()
  const more = Array.from({ length: 100 - known.length }, (_, index): FilterSettings => {
    const text = `^(?:login|logon ${index}) of <F-USER>.*</F-USER> refused: <ADDR>$`
    return {
      ...usual,
      name: `service-${index}`,
      programs: [`service-${index}`],
      failregex: [{ text, where: usual.where }],
    }
  })
  return asJails([...known, ...more])
}

async function sshd(): Promise<FilterSettings> {
  const filter = await filterOf('sshd', (await knownFilters(undefined)).library)
  return inMode(filter, 'normal', filter.where)
}

async function asJails(filters: readonly FilterSettings[]): Promise<JailFilter[]> {
  const language = await languageFor(filters.map((filter) => ({ filter })))
  return filters.map((filter, index) => ({ jail: `jail${index}`, filter: compileSettings(filter, language) }))
}

/** By the way of the agent; milliseconds of a processor. */
async function pooled(log: string, jails: readonly JailFilter[]) {
  const engineUrls = matcherFiles().map((file) => pathToFileURL(file).href)
  const pool = createPool({ jails, engineUrls, maxThreads: 2, log: silent })
  const court = await Court.open(jails)
  const sessions = createSessions()
  const processor = new ProcessorTime()
  let [before, beforeMs] = [process.cpuUsage(), processor.ms]
  let isFirst = true
  await eachChunk(log, jails, async (chunk) => {
    const take = ({ rows }: ScanResult) => {
      // What compiling takes is none of a flood.
      if (isFirst) [isFirst, before, beforeMs] = [false, process.cpuUsage(), processor.ms]
      const row = new RowCursor(rows)
      const attempts = () => sessions.attempts(row, log)
      while (row.next()) court.judge.countRow(row, attempts, chunk, court.decide)
      court.judge.counted()
    }
    const { consumed } = await pool.scanInParts(chunk, take)
    return consumed
  })
  const { user, system } = process.cpuUsage(before)
  const mainMs = processor.ms - beforeMs
  await pool.close()
  return { answer: court.answer, mainMs, allMs: (user + system) / 1000 }
}

async function recorded(log: string, jails: readonly JailFilter[]): Promise<Answer> {
  const scanner = createLogScanner({ jails, engines: await loadEngines() })
  const court = await Court.open(jails)
  const sessions = createSessions()
  await eachChunk(log, jails, async (chunk) => {
    const { matches, consumed } = scanner.scan(chunk)
    for (const match of sessions.merge(matches)) for (const ban of court.judge.count(match, chunk)) court.decide(ban)
    court.judge.counted()
    return consumed
  })
  return court.answer
}

async function eachChunk(
  log: string,
  jails: readonly JailFilter[],
  take: (chunk: LogChunk) => Promise<number>,
): Promise<void> {
  const fd = openSync(log, 'r')
  const names = jails.map(({ jail }) => jail)
  const { size } = fstatSync(fd)
  for (let start = 0, consumed = 1; start < size && consumed > 0; start += consumed) {
    const data = { fd, start, end: Math.min(size, start + chunkBytes) }
    const chunk = { log, jails: names, data, arrivedAt: Date.now(), live: false, undatedAt: null, insideLine: false }
    consumed = await take(chunk)
  }
  closeSync(fd)
}

/** A judge whose bans are kept for ever. */
class Court {
  readonly judge: Judge
  readonly #wanted = new WantedSet()
  readonly #jails: readonly JailFilter[]
  #bans = 0

  private constructor(jails: readonly JailFilter[]) {
    this.#jails = jails
    this.judge = new Judge({
      offences: [],
      isBanned: (prefix, jail) => this.#wanted.has(prefix, jail),
      isBannedKey: (words, bits, jail) => this.#wanted.hasKey(words, bits, jail),
      banStamp: (words, bits) => this.#wanted.stampOf(words, bits),
      allowsAny: () => false,
      vital: () => [],
      onNameFailure: () => {},
    })
  }

  static async open(jails: readonly JailFilter[]): Promise<Court> {
    const court = new Court(jails)
    await court.judge.configure(
      jails.map(({ jail }): JailRules => ({
        name: jail,
        maxretry: 5,
        findtimeMs: 600_000,
        bantime: { baseMs: 1e12, increment: false, factor: 1, maxMs: null },
        ports: { protocol: 'tcp', ports: [22] },
        ipv6prefix: 64,
        ignore: { prefixes: [], names: [], self: false },
      })),
    )
    return court
  }

  readonly decide = (ban: Ban): void => {
    this.#bans++
    this.#wanted.add(ban, 'new')
  }

  get answer(): Answer {
    const failures = this.#jails.reduce((sum, { jail }) => sum + (this.judge.counts(jail)?.failures ?? 0), 0)
    return { bans: this.#bans, failures }
  }
}
