/**
 * What lines that make a pattern slow do to other logs: 20 000 of them in the log of a jail with a quadratic failregex, and
 * meanwhile attackers of sshd in another log, from the last line of each to its element in the kernel. Lines that the
 * slow pattern does match stand between them, and none may be lost. Needs root and nft. `node dist/bench/slow-lines.js [LINES LENGTH]`.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectControl } from '../core/control/client.ts'
import { failure, watchedAgent, type WatchedAgent } from './watched-agent.ts'

const [lineCount = '20000', length = '3000'] = process.argv.slice(2)
const slowLines = Number(lineCount)
/** One in so many lines of the slow log is a failure that is found quickly. */
const everyFound = 500
const attackers = 40
const longestMs = 500

const agent = await watchedAgent({
  jails: (folder) =>
    `slow: { source: ${join(folder, 'slow.log')}, ports: [80], maxretry: 100000, filter: { failregex: ["a*b(?!.*from) from <ADDR>$", "quick <ADDR>$"] } }`,
})
try {
  await measure(agent, join(agent.folder, 'slow.log'))
} finally {
  await agent.close()
}

async function measure(watched: WatchedAgent, slowLog: string): Promise<void> {
  writeFileSync(slowLog, '')
  await watched.start()
  await sleep(1000)
  const before = await banAll(watched, 10, '198.18.1', 50)
  const stamp = new Date().toISOString()
  const slow = `${stamp} host svc: ${'a'.repeat(Number(length))}b from 192.0.2.1\n`
  const found = `${stamp} host svc: quick 192.0.2.2\n`
  appendFileSync(slowLog, (slow.repeat(everyFound - 1) + found).repeat(Math.ceil(slowLines / everyFound)))
  const begun = performance.now()
  const during = await banAll(watched, attackers, '198.18.2', 250)
  const report = async () => {
    const control = await connectControl([join(watched.folder, 'control.sock')])
    const { logs } = await control.status()
    const log = logs.find(({ log: path }) => path === slowLog)
    return { lines: log?.lines ?? 0, skipped: log?.skipped ?? 0, failures: (await control.jail('slow')).failures }
  }
  const stillAt = (await report()).lines
  let done = await report()
  for (let tries = 0; tries < 6000 && done.lines < slowLines; tries++) {
    await sleep(100)
    done = await report()
  }
  const seconds = (performance.now() - begun) / 1000
  if (done.lines !== slowLines) throw new Error(`${done.lines} of ${slowLines} slow lines were read`)
  if (done.failures !== slowLines / everyFound) throw new Error(`${done.failures} failures of the slow log were found`)
  console.log(`  before: ${told(before)}`)
  console.log(`  while slow lines are matched: ${told(during)}`)
  console.log(
    `  at the end of these ${stillAt} of ${slowLines} slow lines were done; all after ${seconds.toFixed(1)} s, ${done.skipped} passed over, ${done.failures} failures found`,
  )
  if (Math.max(...during) > longestMs) console.log(`  longer than ${longestMs} ms`)
}

/** Each attacker's last line to its element, in ms. */
async function banAll(watched: WatchedAgent, count: number, network: string, pauseMs: number): Promise<number[]> {
  const times: number[] = []
  for (let index = 1; index <= count; index++) {
    const address = `${network}.${index}`
    appendFileSync(watched.log, failure(address).repeat(2))
    await sleep(20)
    const from = performance.now()
    appendFileSync(watched.log, failure(address))
    for (let tries = 0; tries < 30_000 && !watched.entered.has(address); tries++) await sleep(1)
    const at = watched.entered.get(address)
    if (at === undefined) throw new Error(`${address} was not banned`)
    times.push(at - from)
    await sleep(pauseMs)
  }
  return times
}

function told(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0)
  return `${times.length} bans, p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms`
}
