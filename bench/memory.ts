/**
 * What the agent's memory does under loads that are made to fill it: resident memory of the real
 * `bailiff run` and of its firewall helper, from /proc. `node dist/bench/memory.js [CASE…]`, with
 * BAILIFF_NODE for another Node and SOAK_MINUTES for the length of the soak (default 10).
 */
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parsePrefix } from '../core/address.ts'
import type { Ban } from '../core/events.ts'
import { openStore } from '../core/store/store.ts'
import { MeasuredAgent, type MeasuredAgentOptions } from './measured-agent.ts'

interface Case {
  readonly options?: MeasuredAgentOptions
  /** Puts the load on; what it answers is printed beside the figures. It throws where the agent did wrong. */
  readonly load: (agent: MeasuredAgent) => Promise<string>
}

const attacker = '198.51.100.7'
const node = process.env.BAILIFF_NODE ?? process.execPath

const cases: Readonly<Record<string, Case>> = {
  idle: { load: async () => 'nothing happens' },
  'sources-200k': { load: (agent) => manySources(agent, 200_000) },
  'sources-1m': { load: (agent) => manySources(agent, 1_000_000) },
  'long-names': { options: { jail: 'maxretry: 10' }, load: longNames },
  'long-names-banned': { load: longNames },
  'bans-1m': {
    options: { prepare: storeBans, more: 'observe: true' },
    load: async (agent) => {
      const begun = performance.now()
      const { bans } = await agent.status()
      const { bans: told } = await agent.jail()
      return `${bans} bans, ${told.length} told; status and jail took ${(performance.now() - begun).toFixed(0)} ms`
    },
  },
  'small-cap': { options: { more: 'memory: 192' }, load: scarce },
  soak: { load: soak },
}

const asked = process.argv.slice(2)
console.log(`${new Date().toISOString().slice(0, 10)}, Node at ${node}, ${cpus()[0]?.model}; MiB resident`)
for (const [name, { options = {}, load }] of Object.entries(cases)) {
  if (asked.length === 0 ? name === 'soak' : !asked.includes(name)) continue
  const agent = new MeasuredAgent()
  try {
    await agent.start({ node, ...options })
    await sleep(8000)
    const idle = agent.resident()
    agent.resetPeak()
    const cpu = agent.cpuSeconds()
    const said = await load(agent)
    const spent = agent.cpuSeconds() - cpu
    const peak = agent.peak()
    await sleep(5000)
    const after = agent.resident()
    const of = (figure: number) => figure.toFixed(0)
    console.log(
      `${name.padEnd(18)} agent: idle ${of(idle.agent)}, peak ${of(peak.agent)} (+${of(peak.agent - idle.agent)}), ` +
        `after ${of(after.agent)}; helper: ${of(idle.helper)}, ${of(peak.helper)}, ${of(after.helper)}; ` +
        `${spent.toFixed(1)} CPU s, ${(agent.printed / 1024).toFixed(0)} KiB logged; ${said}`,
    )
  } finally {
    await agent.end()
  }
}

/** Sources that fail once each, and among them one that reaches the threshold slowly. */
async function manySources(agent: MeasuredAgent, count: number): Promise<string> {
  function* lines(): Generator<string> {
    for (let i = 0; i < count; i++) {
      yield failed('root', source(i), i)
      // Among the last 200 000, when the table has long been full; the fifth failure comes at the very end.
      if (i >= count - 200_000 && i % 50_000 === 0) yield failed('root', attacker, i)
    }
    yield failed('root', attacker, count)
  }
  await agent.write(lines())
  const { bans, tracked } = await agent.jail()
  if (!bans.some(({ prefix }) => prefix === attacker)) throw new Error('the attacker among them is not banned')
  if (bans.length !== 1) throw new Error(`${bans.length} are banned`)
  return `${tracked} tracked, the attacker is banned`
}

/** Many sources where memory is scarce: the ladder is climbed and told, and who fails at once is banned all the same. */
async function scarce(agent: MeasuredAgent): Promise<string> {
  await agent.write(Array.from({ length: 400_000 }, (_, i) => failed('root', source(i), i)))
  await agent.write(Array.from({ length: 5 }, (_, i) => failed('root', attacker, i)))
  const { bans, tracked } = await agent.jail()
  if (!bans.some(({ prefix }) => prefix === attacker)) throw new Error('the attacker is not banned')
  const told = agent.tail.split('\n').find((line) => line.includes(' MiB of '))
  return `${tracked} tracked, the attacker is banned; told: ${told ?? 'nothing'}`
}

/** Ten thousand sources that fail eight times each with names of 1 kB. */
async function longNames(agent: MeasuredAgent): Promise<string> {
  function* lines(): Generator<string> {
    for (let round = 0; round < 8; round++)
      for (let i = 0; i < 10_000; i++)
        yield `${stamp()} host sshd[${round * 10_000 + i}]: Invalid user ${'n'.repeat(1000)}${i} from ${source(i)} port ${1024 + i}`
  }
  await agent.write(lines())
  const { tracked, banned } = await agent.jail()
  return `${tracked} tracked, ${banned} banned`
}

/** A store with a million bans that go on. */
async function storeBans(state: string): Promise<void> {
  const store = await openStore({
    path: join(state, 'bailiff.sqlite'),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    historyEntries: 2_000_000,
  })
  const now = Date.now()
  const ports = { protocol: 'tcp' as const, ports: [22] }
  for (let from = 0; from < 1_000_000; from += 10_000) {
    const bans = Array.from({ length: 10_000 }, (_, index): Ban => {
      const prefix = parsePrefix(source(from + index))
      if (prefix === null) throw new Error(`${source(from + index)} is no address`)
      return {
        prefix,
        jail: 'sshd',
        ports,
        since: now,
        until: now + 86_400_000 + index * 1000,
        count: 1,
        failures: 5,
        lines: [],
      }
    })
    await store.commit({ bans })
  }
  await store.close()
}

/** A mixed load: ordinary lines, once-only sources, attackers that are banned for a short time; a sample a minute. */
async function soak(agent: MeasuredAgent): Promise<string> {
  const minutes = Number(process.env.SOAK_MINUTES ?? 10)
  const begun = performance.now()
  let sent = 0
  for (let minute = 1; minute <= minutes; minute++) {
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
  return `${sent} lines`
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
