import { setTimeout as sleep } from 'node:timers/promises'
import { MeasuredAgent, type MeasuredAgentOptions, type Resident } from '../agents/measured-agent.ts'
import { storeBans } from '../agents/stored-bans.ts'
import type { Case, Figure, Part } from '../part.ts'

const attacker = '198.51.100.7'
/** Another Node may run the agent. */
const node = process.env.BAILIFF_NODE ?? process.execPath
const soakMinutes = Number(process.env.SOAK_MINUTES ?? 10)

const banned = 'the attacker is banned, and nobody else'

/** What the agent's memory does under loads that are made to fill it; resident memory, from /proc. */
export default {
  name: 'memory',
  about: 'a real agent: what it and its helper keep in memory under loads made to fill it (half an hour)',
  onlyNamed: true,
  cases: [
    aCase('idle', 'what it costs to have it', 'nothing happens', 'it reads', async () => {}),
    aCase('sources-200k', 'many sources', '200 000 sources, and one that fails five times', banned, (agent) =>
      manySources(agent, 200_000),
    ),
    aCase(
      'sources-1m',
      'more sources than the table takes',
      'a million sources, one that fails five times',
      banned,
      (agent) => manySources(agent, 1_000_000),
    ),
    aCase(
      'long-names',
      'peers choose names',
      '10 000 sources, eight names of 1 kB each, no ban',
      'all are tracked',
      (agent) => longNames(agent, 'tracked'),
      {
        jail: 'maxretry: 10',
      },
    ),
    aCase(
      'long-names-banned',
      'lines are kept with bans',
      '10 000 sources, eight names of 1 kB each',
      'all are banned',
      (agent) => longNames(agent, 'banned'),
    ),
    aCase('bans-1m', 'the most that may be', 'a store with a million bans', 'all are in force and told', manyBans, {
      prepare: (state) =>
        storeBans(
          state,
          Array.from({ length: 1_000_000 }, (_, index) => source(index)),
        ),
      more: 'observe: true',
    }),
    aCase('small-cap', 'memory is scarce', '400 000 sources at 192 MiB, then an attacker', banned, scarce, {
      more: 'memory: 192',
    }),
    aCase('soak', 'what grows shows with time', `${soakMinutes} minutes of a mixed load`, 'the agent runs', soak),
  ],
} satisfies Part

function aCase(
  name: string,
  why: string,
  corpus: string,
  answer: string,
  load: (agent: MeasuredAgent) => Promise<void>,
  options: MeasuredAgentOptions = {},
): Case {
  return { name, why, corpus, answer, drawn: 'agent MiB', measure: () => measure(load, options) }
}

/** Puts the load on, which throws where the agent did wrong. */
async function measure(
  load: (agent: MeasuredAgent) => Promise<void>,
  options: MeasuredAgentOptions,
): Promise<Figure[]> {
  const agent = new MeasuredAgent()
  try {
    await agent.start({ node, ...options })
    await sleep(8000)
    const idle = agent.resident()
    agent.resetPeak()
    const cpu = agent.cpuSeconds()
    await load(agent)
    const spent = agent.cpuSeconds() - cpu
    const peak = agent.peak()
    await sleep(5000)
    const row = (subject: string, { agent: own, helper }: Resident, more: Figure['values'] = {}): Figure => ({
      subject,
      values: { 'agent MiB': own, 'helper MiB': helper, ...more },
    })
    return [
      row('idle', idle),
      row('peak', peak, { 'CPU s': spent, 'KiB logged': agent.printed / 1024 }),
      row('after', agent.resident()),
    ]
  } finally {
    await agent.end()
  }
}

/** Sources that fail once each, and among them one that reaches the threshold slowly. */
async function manySources(agent: MeasuredAgent, count: number): Promise<void> {
  function* lines(): Generator<string> {
    for (let i = 0; i < count; i++) {
      yield failed('root', source(i), i)
      // Among the last 200 000, when the table has long been full; the fifth failure comes at the very end.
      if (i >= count - 200_000 && i % 50_000 === 0) yield failed('root', attacker, i)
    }
    yield failed('root', attacker, count)
  }
  await agent.write(lines())
  await onlyAttacker(agent)
}

/** Many sources where memory is scarce: who fails at once is banned all the same. */
async function scarce(agent: MeasuredAgent): Promise<void> {
  await agent.write(Array.from({ length: 400_000 }, (_, i) => failed('root', source(i), i)))
  await agent.write(Array.from({ length: 5 }, (_, i) => failed('root', attacker, i)))
  await onlyAttacker(agent)
}

async function onlyAttacker(agent: MeasuredAgent): Promise<void> {
  const { bans } = await agent.jail()
  if (bans.length !== 1 || bans[0]?.prefix !== attacker) throw new Error(`${bans.length} are banned`)
}

async function manyBans(agent: MeasuredAgent): Promise<void> {
  const [{ bans }, { bans: told }] = [await agent.status(), await agent.jail()]
  if (bans < 1_000_000 || told.length === 0) throw new Error(`${bans} bans are in force, ${told.length} are told`)
}

/** Ten thousand sources that fail eight times each with names of 1 kB. */
async function longNames(agent: MeasuredAgent, counted: 'tracked' | 'banned'): Promise<void> {
  function* lines(): Generator<string> {
    for (let round = 0; round < 8; round++)
      for (let i = 0; i < 10_000; i++)
        yield `${stamp()} host sshd[${round * 10_000 + i}]: Invalid user ${'n'.repeat(1000)}${i} from ${source(i)} port ${1024 + i}`
  }
  await agent.write(lines())
  const report = await agent.jail()
  // IPv6 addresses are banned with their network, in which there are four of them.
  const all = counted === 'tracked' ? 10_000 : 7500 + 2500 / 4
  if (report[counted] < all) throw new Error(`${report[counted]} are ${counted}`)
}

/** A mixed load: ordinary lines, once-only sources, attackers that are banned for a short time; a sample a minute. */
async function soak(agent: MeasuredAgent): Promise<void> {
  const begun = performance.now()
  let sent = 0
  for (let minute = 1; minute <= soakMinutes; minute++) {
    agent.resetPeak()
    while (performance.now() - begun < minute * 60_000) {
      await agent.write(mixture(sent))
      sent += 5000
      await sleep(500)
    }
    const [{ agent: now, helper }, peak] = [agent.resident(), agent.peak()]
    const { bans } = await agent.status()
    console.log(
      `  minute ${minute}: agent ${now.toFixed(0)} (peak ${peak.agent.toFixed(0)}), helper ${helper.toFixed(0)} (peak ${peak.helper.toFixed(0)}), ${bans} bans, ${sent} lines`,
    )
  }
}

function* mixture(from: number): Generator<string> {
  for (let i = from; i < from + 5000; i++) {
    const kind = i % 20
    if (kind < 14) yield `${stamp()} host sshd[${i % 90_000}]: Connection closed by ${source(i)} port 4711`
    else if (kind < 19) yield failed(`user${i % 997}`, source(i * 7), i)
    else for (let n = 0; n < 5; n++) yield failed('root', source(Math.floor(i / 100)), i)
  }
}

function failed(user: string, address: string, number: number): string {
  return `${stamp()} host sshd[${number % 1_000_000}]: Failed password for ${user} from ${address} port ${1024 + (number % 60_000)} ssh2`
}

/** Every fourth is IPv6, each in a /64 with 15 others. */
function source(number: number): string {
  if (number % 4 === 3) {
    const block = number >> 4
    return `2001:db8:${(block >> 16).toString(16)}:${(block & 0xffff).toString(16)}::${(1 + (number & 15)).toString(16)}`
  }
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

function stamp(): string {
  return new Date().toISOString().replace('Z', '+00:00')
}
