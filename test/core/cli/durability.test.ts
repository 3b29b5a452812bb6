import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { HistoryEntry } from '../../../core/store/store.ts'
import { suite } from '../../suite.ts'
import { overwrite, withStore } from '../store/bans.ts'
import { AgentProcess, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('the agent, killed')
const rootTest = suite('the agent on a full disk', 'root')

/** An agent whose action keeps a file for each ban and a line for each call. Its state lies in `state`. */
function bed(maxretry: number) {
  const folder = temporaryFolder()
  const log = join(folder, 'auth.log')
  const calls = join(folder, 'calls')
  writeFileSync(log, '')
  writeFileSync(calls, '')
  mkdirSync(join(folder, 'held'))
  writeFileSync(
    join(folder, 'keep.mjs'),
    `import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
const file = (ban) => ${JSON.stringify(join(folder, 'held'))} + '/' + ban.prefix
export default {
  restored: true,
  ban(ban) { appendFileSync(${JSON.stringify(calls)}, ban.reason + ' ' + ban.prefix + '\\n'); writeFileSync(file(ban), '') },
  unban(ban) { rmSync(file(ban), { force: true }) },
}
`,
  )
  const config = writeConfig(
    folder,
    `ignoreself: false\ndefaults: { findtime: 1h, maxretry: ${maxretry}, bantime: 1h }\njails:\n  sshd:\n    source: ${log}\n    actions: [./keep.mjs]\n`,
  )
  return {
    folder,
    log,
    store: join(folder, 'state', 'bailiff.sqlite'),
    held: () => readdirSync(join(folder, 'held')).toSorted(),
    calls: () => readFileSync(calls, 'utf8').split('\n').slice(0, -1),
    start: () => new AgentProcess(['run', '--config', config]),
  }
}

type Bed = ReturnType<typeof bed>

const line = (address: string) =>
  `${new Date().toISOString()} host sshd[77]: Failed password for root from ${address} port 4711 ssh2\n`
const address = (number: number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`
const addresses = (count: number) => Array.from({ length: count }, (_, i) => address(i))

async function until(fact: () => boolean, what: () => string): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (fact()) return
    await pause(20)
  }
  assert.unreachable(`did not happen: ${what()}`)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What the store of an agent that does not run knows. */
function history(at: Bed): Promise<readonly HistoryEntry[]> {
  return withStore(at.store, (store) => store.history({ limit: 10_000 }), { now: Date.now })
}

test('kill -9 five times under a backlog: no line is lost, and no ban twice in the history', async () => {
  const at = bed(1)
  const all = addresses(600)
  let agent = at.start()
  await agent.shows('watching: sshd')
  for (let round = 0; round < 5; round++) {
    appendFileSync(
      at.log,
      all
        .slice(round * 120, round * 120 + 120)
        .map(line)
        .join(''),
    )
    // Sometimes before anything of it was read, sometimes in the middle, sometimes when all of it holds.
    const enough = round * 120 + round * 30
    await until(
      () => at.held().length >= enough,
      () => `${enough} bans`,
    )
    await agent.end('SIGKILL')
    agent = at.start()
  }
  await until(
    () => at.held().length === 600,
    () => `600 bans, there are ${at.held().length}`,
  )
  await agent.end()
  assert.equal(at.held(), all.toSorted())
  const entries = await history(at)
  assert.equal(entries.map(({ prefix }) => prefix as string).toSorted(), all.toSorted())
  assert.ok(entries.every(({ count, ended }) => count === 1 && ended === null))
})

test('failures count over kill -9, each once, whether they were stored or not', async () => {
  const at = bed(5)
  let agent = at.start()
  await agent.shows('watching: sshd')
  for (let round = 0; round < 6; round++) {
    const [near, far] = [address(2 * round), address(2 * round + 1)]
    appendFileSync(at.log, line(near).repeat(4) + line(far).repeat(2))
    await pause(round * 150)
    await agent.end('SIGKILL')
    agent = at.start()
    appendFileSync(at.log, line(near) + line(far))
    await until(
      () => at.held().includes(near),
      () => `round ${round}: a ban at the fifth failure`,
    )
  }
  await agent.end()
  assert.equal(at.held(), [0, 2, 4, 6, 8, 10].map(address).toSorted())
})

test('a store that is damaged while the agent runs is made anew with all it knows', async () => {
  const at = bed(3)
  let agent = at.start()
  await agent.shows('watching: sshd')
  const all = addresses(50)
  appendFileSync(at.log, all.map((each) => line(each).repeat(3)).join('') + line('192.0.2.1').repeat(2))
  await until(
    () => at.held().length === 50,
    () => '50 bans',
  )
  overwrite(at.store, 0, 100)
  await agent.shows('begins anew')
  await until(
    () => existsSync(at.store),
    () => 'a new store',
  )
  appendFileSync(at.log, line('192.0.2.2').repeat(3))
  await until(
    () => at.held().length === 51,
    () => 'one more ban',
  )
  await pause(1000)
  await agent.end('SIGKILL')
  const entries = await history(at)
  assert.is(entries.length, 51)
  agent = at.start()
  await agent.shows('bans of before go on: 51')
  appendFileSync(at.log, line('192.0.2.1'))
  await until(
    () => at.held().length === 52,
    () => 'a ban at the third failure',
  )
  await agent.end()
  assert.is((await history(at)).length, 52)
  assert.is(agent.output.match(/begins anew/g), null)
})

test('a store that is damaged while the agent is down is set aside, and the bans come back from the log', async () => {
  const at = bed(3)
  let agent = at.start()
  await agent.shows('watching: sshd')
  const all = addresses(50)
  appendFileSync(at.log, all.map((each) => line(each).repeat(3)).join('') + line('192.0.2.1').repeat(2))
  await until(
    () => at.held().length === 50,
    () => '50 bans',
  )
  await agent.end()
  overwrite(at.store, 0, 100)
  rmSync(join(at.folder, 'held'), { recursive: true })
  mkdirSync(join(at.folder, 'held'))
  agent = at.start()
  await until(
    () => at.held().length === 50,
    () => '50 bans again',
  )
  assert.is(agent.output.match(/begins anew/g)?.length, 1)
  await agent.end()
  const entries = await history(at)
  assert.is(entries.length, 50)
})

rootTest('a disk that is full while bans are decided, then kill -9: all banned, none lost', async () => {
  const at = bed(1)
  const disk = join(at.folder, 'state')
  mkdirSync(disk, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
  try {
    let agent = at.start()
    await agent.shows('watching: sshd')
    const all = addresses(400)
    appendFileSync(at.log, all.slice(0, 100).map(line).join(''))
    await until(
      () => at.held().length === 100,
      () => '100 bans',
    )
    await pause(1000)
    fill(join(disk, 'ballast'))
    appendFileSync(at.log, all.slice(100).map(line).join(''))
    await until(
      () => at.held().length === 400,
      () => 'bans while the disk is full',
    )
    await agent.shows('the store cannot be written')
    await agent.end('SIGKILL')
    agent = at.start()
    await until(
      () =>
        new Set(
          at
            .calls()
            .slice(400)
            .map((call) => call.split(' ')[1]),
        ).size === 400,
      () => 'all again',
    )
    rmSync(join(disk, 'ballast'))
    await agent.end()
    const entries = await history(at)
    assert.equal(entries.map(({ prefix }) => prefix as string).toSorted(), all.toSorted())
  } finally {
    await endAgents()
    execFileSync('umount', [disk])
  }
})

test.after.each(endAgents)
rootTest.after.each(endAgents)
test.run()
rootTest.run()

function fill(path: string): void {
  try {
    for (let i = 0; i < 10_000; i++) writeFileSync(path, Buffer.alloc(512), { flag: 'a' })
  } catch {
    // Full: as wanted.
  }
}
