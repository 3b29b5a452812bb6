/**
 * How long it takes from the last line of an attack to the element in the kernel, with a real agent in
 * a network namespace: idle, under load, in a burst, beside a large set of somebody else, and after a
 * restart. Needs root and nft. `npm run bench:latency`.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failure, watchedAgent, type WatchedAgent } from './watched-agent.ts'

const [rate = '50000'] = process.argv.slice(2)

await bench('idle', async (agent) => tell(await attackers(agent, 300, 20)))
await bench('beside an interval set of 100 000 elements', async (agent) => {
  await foreignSet(agent, 100_000)
  tell(await attackers(agent, 100, 20))
})
await bench(`at ${rate} lines a second in the same log`, async (agent) => {
  const writer = ordinaryLines(agent.log, Number(rate), 20)
  await sleep(2000)
  tell(await attackers(agent, 200, 50))
  writer.kill('SIGKILL')
})
await bench('10 000 attackers in one burst', async (agent) => {
  const all = many(10_000)
  const started = performance.now()
  appendFileSync(agent.log, all.map((address) => failure(address).repeat(3)).join(''))
  console.log(`  all in the kernel after ${((await allIn(agent, all, started)) / 1000).toFixed(2)} s`)
  await agent.end('SIGTERM')
  agent.namespace.run('nft', 'flush', 'ruleset')
  await restart(agent, all)
})
await bench('20 000 bans, restart', async (agent) => {
  const all = many(20_000)
  appendFileSync(agent.log, all.map((address) => failure(address).repeat(3)).join(''))
  await allIn(agent, all, performance.now())
  await agent.end('SIGTERM')
  agent.namespace.run('nft', 'flush', 'ruleset')
  await restart(agent, all)
})

async function bench(name: string, run: (agent: WatchedAgent) => Promise<void>): Promise<void> {
  console.log(name)
  const agent = await watchedAgent()
  try {
    await agent.start()
    await run(agent)
    const { agent: own, helper } = agent.memory()
    console.log(`  memory: agent ${own.toFixed(0)} MB, helper ${helper.toFixed(0)} MB`)
  } finally {
    await agent.close()
  }
}

/** The time in ms of each attacker's last line to its element. */
async function attackers(agent: WatchedAgent, count: number, pauseMs: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const address = many(count)[i] ?? ''
    appendFileSync(agent.log, failure(address).repeat(2))
    await sleep(pauseMs)
    const started = performance.now()
    appendFileSync(agent.log, failure(address))
    times.push(await allIn(agent, [address], started))
    await sleep(pauseMs)
  }
  return times
}

async function allIn(agent: WatchedAgent, all: readonly string[], started: number): Promise<number> {
  let missing = all
  for (let i = 0; i < 30_000; i++) {
    missing = missing.filter((address) => !agent.entered.has(address))
    if (missing.length === 0) return Math.max(...all.map((address) => agent.entered.get(address) ?? 0)) - started
    await sleep(1)
  }
  throw new Error(`${missing.length} of ${all.length} are not in the kernel, the first ${missing[0]}`)
}

async function restart(agent: WatchedAgent, all: readonly string[]): Promise<void> {
  agent.entered.clear()
  const started = performance.now()
  await agent.start()
  const up = performance.now() - started
  const heard = await allIn(agent, all, started)
  // They come in one transaction, of which the kernel tells when all of it is in force, the last some time after the first.
  const held = Math.min(...all.map((address) => agent.entered.get(address) ?? Infinity)) - started
  const seconds = (ms: number) => (ms / 1000).toFixed(2)
  console.log(
    `  restart: up after ${seconds(up)} s, all ${all.length} in the kernel after ${seconds(held)} s (the last one was heard of after ${seconds(heard)} s)`,
  )
}

/** Addresses of 198.18.0.0/15, which is for benchmarks (RFC 2544). */
function many(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`)
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

function tell(times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)
  console.log(
    `  ${times.length} attackers: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
  )
}
