/**
 * A flood through pool and judge, as an agent reads a backlog of it: CPU nanoseconds a line on the main thread and in
 * the threads of the pool, for one jail and for many of the same filter. The answer of each run is checked against records
 * judged one by one. `node dist/bench/flood.js [PART OF A NAME]`.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { filterOf, knownFilters } from '../core/cli/known-filters.ts'
import { loadEngines } from '../core/cli/load-engines.ts'
import { WantedSet } from '../core/enforcing/wanted-set.ts'
import type { Ban, LogChunk, ScanResult } from '../core/events.ts'
import { RowCursor } from '../core/failure-rows.ts'
import { compileSettings } from '../core/compiled-settings.ts'
import { Judge, type JailRules } from '../core/judging/judge.ts'
import type { JailFilter } from '../core/matching/messages.ts'
import { createPool } from '../core/matching/pool.ts'
import { ProcessorTime } from '../core/matching/processor-time.ts'
import { createLogScanner } from '../core/matching/scan.ts'
import { createSessions } from '../core/matching/sessions.ts'
import { matcherFiles } from '../core/built-in.ts'
import { languageFor } from '../core/prepared-filters.ts'
import { inMode } from '../core/settings/filter-modes.ts'
import { writeAuthLog } from './corpora/auth-log.ts'

const bytes = 40e6
const rounds = 5
const chunkBytes = 256 * 1024
const cases = [
  { name: 'sshd, 90 % attacks, 1 jail', attacks: 0.9, jails: 1 },
  { name: 'sshd, 5 % attacks, 1 jail', attacks: 0.05, jails: 1 },
  { name: 'sshd, 5 % attacks, 100 jails', attacks: 0.05, jails: 100 },
]

interface Answer {
  readonly bans: number
  readonly failures: number
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const settings = inMode(await filterOf('sshd', (await knownFilters(undefined)).library), 'normal', {
  file: 'sshd.yaml',
})
const filter = compileSettings(settings, await languageFor([{ filter: settings }]))
/** By the way of the agent. */
async function pooled(log: string, jails: readonly JailFilter[]) {
  const engineUrls = matcherFiles().map((file) => pathToFileURL(file).href)
  const pool = createPool({ jails, engineUrls, maxThreads: 2, log: quiet })
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

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(0)
}

await measure()

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model}; CPU ns a line, medians of ${rounds} rounds`,
  )
  for (const { name, attacks, jails: count } of cases.filter((one) => one.name.includes(process.argv[2] ?? ''))) {
    const log = join(folder, 'flood.log')
    const { lines } = writeAuthLog(log, { bytes, attacks, seed: 1 })
    const jails = Array.from({ length: count }, (_, index) => ({ jail: `jail${index}`, filter }))
    const expected = await recorded(log, jails)
    const found = { main: [] as number[], threads: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      const { answer, mainMs, allMs } = await pooled(log, jails)
      if (JSON.stringify(answer) !== JSON.stringify(expected))
        throw new Error(`${name}: ${JSON.stringify(answer)} instead of ${JSON.stringify(expected)}`)
      found.main.push((mainMs * 1e6) / lines)
      found.threads.push(((allMs - mainMs) * 1e6) / lines)
    }
    console.log(
      `${name.padEnd(30)} main thread ${median(found.main)}, other threads ${median(found.threads)}; ${expected.failures} failures, ${expected.bans} bans`,
    )
  }
}
