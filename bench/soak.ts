/**
 * Mixed load with rotations, flushes and kills: nobody who reached maxretry may be missing in the
 * kernel, nobody who did not may be in it, no ban may be decided twice, and memory must stay flat.
 * Needs root and nft. `npm run soak -- MINUTES`.
 */
import { appendFileSync, copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../core/store/sqlite.ts'
import { watchedAgent, type WatchedAgent } from './agents/watched-agent.ts'
import { failedLogin } from './corpora/failed-login.ts'

const maxretry = 3
/** How many of the lines are of addresses not seen before: some 20 000 in an hour. */
const newcomers = 0.05
const minutes = Number(process.argv[2] ?? 5)
const agent = await watchedAgent({ maxretry, bantime: '1d' })
const attackers: string[] = []
const innocents: string[] = []
const done = new Map<string, number>()
let pending: string[] = []

type Fault = readonly [name: string, run: (agent: WatchedAgent) => Promise<void> | void]

const faults: readonly Fault[] = [
  ['rotated by rename', ({ log }) => (renameSync(log, `${log}.1`), writeFileSync(log, ''))],
  ['copied and truncated', ({ log }) => (copyFileSync(log, `${log}.1`), truncateSync(log))],
  ['ruleset flushed', ({ namespace }) => void namespace.run('nft', 'flush', 'ruleset')],
  ['table deleted', ({ namespace }) => void tried(() => namespace.run('nft', 'delete', 'table', 'inet', 'bailiff'))],
  [
    'chain emptied',
    ({ namespace }) => void tried(() => namespace.run('nft', 'flush', 'chain', 'inet', 'bailiff', 'drop_banned')),
  ],
  ['helper killed', (running) => running.killHelper()],
  ['agent killed', async (running) => (await running.end('SIGKILL'), running.start())],
  ['agent restarted', async (running) => (await running.end('SIGTERM'), running.start())],
]

await agent.start()
const memory: number[] = []
const end = performance.now() + minutes * 60_000
let told = performance.now()
while (performance.now() < end) {
  for (let i = 0; i < 20; i++) write()
  await sleep(100)
  if (Math.random() < 0.06) await inject()
  if (performance.now() - told > 15_000) {
    told = performance.now()
    const { agent: own, helper } = agent.memory()
    memory.push(own + helper)
    console.log(
      `${attackers.length} attackers, ${agent.entered.size} seen; agent ${own.toFixed(0)} MB, helper ${helper.toFixed(0)} MB`,
    )
  }
}
for (const address of pending) appendFileSync(agent.log, failedLogin(address))
await settled()
await verdict()
await agent.close()

/** What was written last, or flushed, is to be in the kernel within a minute at most, also of a busy machine. */
async function settled(): Promise<void> {
  const started = performance.now()
  while (performance.now() - started < 60_000) {
    await sleep(1000)
    const held = heldByKernel()
    if (attackers.every((address) => held.has(address))) break
  }
  console.log(`settled ${((performance.now() - started) / 1000).toFixed(0)} s after the last line`)
}

function heldByKernel(): Set<string> {
  let listed = ''
  tried(() => (listed = agent.namespace.run('nft', 'list', 'set', 'inet', 'bailiff', 'tcp_22_v4')))
  return new Set(listed.match(/198\.1[89]\.\d+\.\d+/g) ?? [])
}

/** Some lines: of attackers one after the other, of people who fail less often, and of what is none. */
function write(): void {
  const address = `198.${18 + Math.floor(Math.random() * 2)}.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`
  const isNew = Math.random() < newcomers && !done.has(address)
  if (isNew) done.set(address, 1)
  let text = `${new Date().toISOString()} host sshd[9]: Accepted publickey for alice from 192.0.2.10 port 22 ssh2\n`
  if (isNew && Math.random() < 0.2) {
    innocents.push(address)
    text += failedLogin(address).repeat(maxretry - 1)
  } else if (isNew) {
    attackers.push(address)
    text += failedLogin(address).repeat(maxretry - 1)
    pending.push(address)
  }
  if (pending.length > 50) {
    text += pending.map(failedLogin).join('')
    pending = []
  }
  appendFileSync(agent.log, text)
}

async function inject(): Promise<void> {
  const [name, run] = faults[Math.floor(Math.random() * faults.length)] ?? ['none', () => {}]
  const started = performance.now()
  await run(agent)
  done.set(name, (done.get(name) ?? 0) + 1)
  if (performance.now() - started > 5000)
    console.log(`${name}: took ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

async function verdict(): Promise<void> {
  const held = heldByKernel()
  const lost = attackers.filter((address) => !held.has(address))
  const wrong = innocents.filter((address) => held.has(address))
  await agent.end('SIGTERM')
  const database = await openDatabase(join(agent.folder, 'state', 'bailiff.sqlite'))
  const doubled = database
    .prepare('SELECT prefix FROM bans GROUP BY prefix HAVING count(*) > 1 OR max(count) > 1')
    .all()
  database.close()
  for (const [name] of faults) console.log(`${name}: ${done.get(name) ?? 0} times`)
  console.log(`${attackers.length} attackers: ${lost.length} lost ${lost.slice(0, 5).join(' ')}`)
  console.log(`${innocents.length} below maxretry: ${wrong.length} banned ${wrong.slice(0, 5).join(' ')}`)
  console.log(`${doubled.length} decided twice ${JSON.stringify(doubled.slice(0, 5))}`)
  console.log(
    `memory: at first ${memory[0]?.toFixed(0)} MB, at last ${memory.at(-1)?.toFixed(0)} MB, most ${Math.max(...memory).toFixed(0)} MB`,
  )
  if (lost.length + wrong.length + doubled.length > 0) {
    process.exitCode = 1
    console.log(
      readFileSync(join(agent.folder, 'agent.out'), 'utf8')
        .split('\n')
        .filter((line) => / (?:warn|error) /.test(line))
        .slice(-20)
        .join('\n'),
    )
  }
}

function tried(work: () => unknown): void {
  try {
    work()
  } catch {
    // It was gone already.
  }
}
