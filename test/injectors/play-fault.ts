import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { logFaults, type LogFault } from './log-faults.ts'
import { failureAddress, now, ReadingAgent, sleep } from './reading-agent.ts'

/** What an agent made of a log that something happened to. */
export interface Played {
  readonly lines: number
  /** Numbers of the lines, from 1, whose address was never banned. */
  readonly lost: readonly number[]
  /** Addresses that were banned though no line names them. */
  readonly wrong: readonly string[]
  /** From the write of a line to its ban, in milliseconds. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly max: number }
}

const writer = fileURLToPath(new URL('log-writer.js', import.meta.url))

/** Lets a process of its own write a log and do to it what the fault says, before the eyes of a real agent. */
export async function playFault(name: string, lines = logFaults[name]?.lines ?? 0): Promise<Played> {
  const fault = logFaults[name]
  if (fault === undefined) throw new Error(`no fault is named ${name}`)
  const folder = temporaryFolder()
  const log = join(folder, 'log', 'auth.log')
  begin(log, fault)
  const agent = new ReadingAgent({ folder, logs: [log], urgent: true })
  try {
    await agent.watching()
    const out = join(folder, 'written')
    const writing = run([writer, name, log, String(lines), out])
    if (fault.stallMs !== undefined) await stallWhile(agent, fault.stallMs, writing)
    await writing
    const written = readFileSync(out, 'utf8').split('\n').map(Number)
    return judge(written, await agent.settled(written.length))
  } finally {
    await agent.process.end('SIGKILL')
  }
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function begin(log: string, fault: LogFault): void {
  mkdirSync(join(log, '..'))
  if (fault.link) symlinkSync('auth.log.target-0', log)
  writeFileSync(log, fault.head ?? '')
}

/** What became of lines with an address of their own each, in the order in which they were written. */
export function judge(written: readonly number[], banned: ReadonlyMap<string, number>): Played {
  const addresses = written.map((_, index) => failureAddress(index + 1))
  const known = new Set(addresses)
  const delays = addresses
    .flatMap((address, index) => {
      const at = banned.get(address)
      return at === undefined ? [] : [at - (written[index] ?? 0)]
    })
    .toSorted((a, b) => a - b)
  return {
    lines: written.length,
    lost: addresses.flatMap((address, index) => (banned.has(address) ? [] : [index + 1])),
    wrong: [...banned.keys()].filter((address) => !known.has(address)),
    delay: { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), max: delays.at(-1) ?? 0 },
  }
}

async function stallWhile(agent: ReadingAgent, ms: number, writing: Promise<void>): Promise<void> {
  let over = false
  void writing.finally(() => (over = true))
  const latest = now() + 60_000
  while (!over && now() < latest) {
    await agent.stall(ms)
    await sleep(ms / 2)
  }
}

/** Runs a program of Node to its end, for at most two minutes. */
export function run(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'], timeout: 120_000 })
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`the writer ended with ${code}`))))
  })
}
