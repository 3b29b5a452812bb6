import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectControl } from '../../core/control/client.ts'
import { missingForFirewall } from '../agents/needs.ts'
import { watchedAgent, type WatchedAgent } from '../agents/watched-agent.ts'
import { failedLogin } from '../corpora/failed-login.ts'
import type { Figure, Part } from '../part.ts'
import { quantiles } from '../quantiles.ts'

const slowLines = 10_000
const length = 3000
/** One in so many lines of the slow log is a failure that is found quickly. */
const everyFound = 500
const attackers = 40

/** What lines that make a pattern slow do to other logs, with a real agent. */
export default {
  name: 'slow-lines',
  about: 'a real agent: bans of one log while another one is full of lines that make a pattern slow',
  cases: [
    {
      name: 'ban latency beside slow lines',
      why: 'who writes lines for a bad pattern must not keep others from being banned',
      corpus: `${slowLines} lines of ${length} bytes for a quadratic failregex, ${attackers} attackers in another log`,
      answer: 'all attackers are banned, all slow lines read, each failure among them found',
      drawn: 'ms',
      limits: [{ subject: 'beside them, longest', unit: 'ms', most: 500 }],
      missing: missingForFirewall,
      async measure() {
        const agent = await watchedAgent({
          jails: (folder) =>
            `slow: { source: ${join(folder, 'slow.log')}, ports: [80], maxretry: 100000, filter: { failregex: ["a*b(?!.*from) from <ADDR>$", "quick <ADDR>$"] } }`,
        })
        try {
          return await measure(agent, join(agent.folder, 'slow.log'))
        } finally {
          await agent.close()
        }
      },
    },
  ],
} satisfies Part

async function measure(watched: WatchedAgent, slowLog: string): Promise<Figure[]> {
  writeFileSync(slowLog, '')
  await watched.start()
  await sleep(1000)
  const before = await banAll(watched, 10, '198.18.1', 50)
  const stamp = new Date().toISOString()
  const slow = `${stamp} host svc: ${'a'.repeat(length)}b from 192.0.2.1\n`
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
  const doneBeside = (await report()).lines
  let done = await report()
  for (let tries = 0; tries < 6000 && done.lines < slowLines; tries++) {
    await sleep(100)
    done = await report()
  }
  const seconds = (performance.now() - begun) / 1000
  if (done.lines !== slowLines) throw new Error(`${done.lines} of ${slowLines} slow lines were read`)
  if (done.failures !== slowLines / everyFound) throw new Error(`${done.failures} failures of the slow log were found`)
  return [
    ...quantiles(before, 'before, '),
    ...quantiles(during, 'beside them, '),
    {
      subject: 'slow lines',
      values: { 'done by then': doneBeside, 'all after, s': seconds, 'passed over': done.skipped },
    },
  ]
}

/** Each attacker's last line to its element, in ms. */
async function banAll(watched: WatchedAgent, count: number, network: string, pauseMs: number): Promise<number[]> {
  const times: number[] = []
  for (let index = 1; index <= count; index++) {
    const address = `${network}.${index}`
    appendFileSync(watched.log, failedLogin(address).repeat(2))
    await sleep(20)
    const from = performance.now()
    appendFileSync(watched.log, failedLogin(address))
    for (let tries = 0; tries < 30_000 && !watched.entered.has(address); tries++) await sleep(1)
    const at = watched.entered.get(address)
    if (at === undefined) throw new Error(`${address} was not banned`)
    times.push(at - from)
    await sleep(pauseMs)
  }
  return times
}
