import { spawn } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { missingForFirewall } from '../agents/needs.ts'
import { storeBans } from '../agents/stored-bans.ts'
import { watchedAgent, type WatchedAgent } from '../agents/watched-agent.ts'
import { failedLogin } from '../corpora/failed-login.ts'
import type { Case, CaseText, Figure, Part } from '../part.ts'
import { quantiles } from '../quantiles.ts'
import { median } from '../rounds.ts'

const maxretry = 3
const linesPerSecond = 50_000
const burst = 10_000
const stored = 100_000

const latency = { answer: 'each attacker is in the set', drawn: 'ms' }

/** A real agent with its firewall in a network namespace of its own. */
export default {
  name: 'agent',
  about: 'a real agent: from the last line of an attack to the element in the kernel, bursts, starts with bans',
  cases: [
    withAgent(
      {
        name: 'ban latency, idle',
        why: 'a usual host: one attacker after the other',
        corpus: '300 attackers',
        ...latency,
      },
      async (agent) => quantiles(await attackers(agent, 300, 20)),
    ),
    withAgent(
      {
        name: 'ban latency, beside a large set',
        why: 'block lists of somebody else must not make a ban late',
        corpus: '100 attackers, an interval set of 100 000 elements in another table',
        ...latency,
      },
      async (agent) => {
        await foreignSet(agent, 100_000)
        return quantiles(await attackers(agent, 100, 20))
      },
    ),
    withAgent(
      {
        name: 'ban latency, under load',
        why: 'who attacks while others flood the same log is banned as soon',
        corpus: `200 attackers among ${linesPerSecond} lines a second, 5 % of them failures`,
        ...latency,
      },
      async (agent) => {
        const writer = ordinaryLines(agent.log, linesPerSecond, 25)
        try {
          await sleep(2000)
          return quantiles(await attackers(agent, 200, 50))
        } finally {
          writer.kill('SIGKILL')
        }
      },
    ),
    withAgent(
      {
        name: 'bulk bans',
        why: 'a botnet comes all at once',
        corpus: `${burst} attackers, the ${maxretry} lines of each in one write`,
        answer: 'all are in the set',
        drawn: 'bans/s',
      },
      async (agent, rounds) => {
        const seconds: number[] = []
        for (let round = 0; round < rounds; round++) {
          const all = addresses(burst, round * burst)
          const text = all.map((address) => failedLogin(address).repeat(maxretry)).join('')
          agent.entered.clear()
          const from = performance.now()
          appendFileSync(agent.log, text)
          seconds.push((await allEntered(agent, all, from)) / 1000)
          await sleep(1000)
        }
        return [{ subject: 'agent', values: { 'bans/s': burst / median(seconds), s: median(seconds) } }]
      },
    ),
    {
      name: `start with ${stored / 1000} 000 bans`,
      why: 'after a restart of the host the kernel holds nothing, and every banned address may come in',
      corpus: `a store with ${stored} bans, an empty kernel`,
      answer: 'all are in the set',
      drawn: 's',
      missing: missingForFirewall,
      measure: (_, rounds) => starts(rounds),
    },
  ],
} satisfies Part

function withAgent(text: CaseText, measure: (agent: WatchedAgent, rounds: number) => Promise<readonly Figure[]>): Case {
  return {
    ...text,
    missing: missingForFirewall,
    async measure(_, rounds) {
      const agent = await watchedAgent({ maxretry })
      try {
        await agent.start()
        const figures = await measure(agent, rounds)
        const { agent: own, helper } = agent.memory()
        return [...figures, { subject: 'memory at the end', values: { MB: own + helper } }]
      } finally {
        await agent.close()
      }
    },
  }
}

/** The time in ms of each attacker's last line to its element. */
async function attackers(agent: WatchedAgent, count: number, pauseMs: number): Promise<number[]> {
  const times: number[] = []
  for (const address of addresses(count)) {
    appendFileSync(agent.log, failedLogin(address).repeat(maxretry - 1))
    await sleep(pauseMs)
    const from = performance.now()
    appendFileSync(agent.log, failedLogin(address))
    await until(() => agent.entered.has(address), address)
    times.push((agent.entered.get(address) ?? Number.NaN) - from)
    await sleep(pauseMs)
  }
  return times
}

/** From the start of the agent: until it watches its logs, and until the kernel told of the first and of the last ban. */
async function starts(rounds: number): Promise<Figure[]> {
  const agent = await watchedAgent({ maxretry })
  try {
    const all = addresses(stored)
    await storeBans(join(agent.folder, 'state'), all)
    const seconds = { watches: [] as number[], first: [] as number[], all: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      agent.entered.clear()
      const from = performance.now()
      await agent.start()
      seconds.watches.push((performance.now() - from) / 1000)
      seconds.all.push((await allEntered(agent, all, from)) / 1000)
      seconds.first.push(([...agent.entered.values()].reduce((first, at) => Math.min(first, at)) - from) / 1000)
      await agent.end('SIGTERM')
      agent.namespace.run('nft', 'flush', 'ruleset')
    }
    return [
      { subject: 'the agent watches', values: { s: median(seconds.watches) } },
      { subject: 'the first is in the set', values: { s: median(seconds.first) } },
      { subject: 'all are in the set', values: { s: median(seconds.all) } },
    ]
  } finally {
    await agent.close()
  }
}

/** Waits until all are in the kernel; when the last one was heard of, in ms behind `from`. */
async function allEntered({ entered }: WatchedAgent, all: readonly string[], from: number): Promise<number> {
  await until(() => entered.size >= all.length, `${all.length} addresses`)
  const missing = all.filter((address) => !entered.has(address))
  if (missing.length > 0) throw new Error(`${missing.length} are not in the set, the first ${missing[0]}`)
  return all.reduce((last, address) => Math.max(last, entered.get(address) ?? 0), 0) - from
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 60_000; tries++) {
    if (holds()) return
    await sleep(1)
  }
  throw new Error(`waited in vain for ${what}`)
}

/** Addresses of 198.18.0.0/15, which is for benchmarks (RFC 2544). */
function addresses(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index
    return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
  })
}

async function foreignSet(agent: WatchedAgent, count: number): Promise<void> {
  const elements = Array.from({ length: count }, (_, i) => `10.${i >> 13}.${(i >> 5) & 255}.${(i & 31) * 8}/30`)
  const file = join(agent.folder, 'foreign.nft')
  writeFileSync(
    file,
    `add table inet foreign\nadd set inet foreign nets { type ipv4_addr; flags interval; }\nadd element inet foreign nets { ${elements.join(', ')} }\n`,
  )
  agent.namespace.run('nft', '-f', file)
}

/** A process that writes so many lines a second that nobody is banned for, for some seconds. */
function ordinaryLines(log: string, perSecond: number, seconds: number) {
  const program = `
    const fs = require('node:fs'), fd = fs.openSync(${JSON.stringify(log)}, 'a'), start = Date.now()
    let done = 0
    const timer = setInterval(() => {
      const due = Math.floor((Date.now() - start) / 1000 * ${perSecond})
      let text = ''
      for (; done < due; done++) text += new Date().toISOString() + ' host sshd[' + done + ']: ' + (done % 20 === 0 ? 'Failed password for root from 198.51.100.' + done % 250 + ' port 22 ssh2' : 'Disconnected from user deploy 192.0.2.10 port 22') + '\\n'
      fs.writeSync(fd, text)
      if (Date.now() - start > ${seconds * 1000}) clearInterval(timer)
    }, 2)`
  return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'inherit'] })
}
