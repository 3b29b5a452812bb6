import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from 'node:process'
import * as assert from 'uvu/assert'
import { parsePrefix, type Prefix } from '../../../core/address.ts'
import { BailiffError } from '../../../core/errors.ts'
import { startFirewall, type FirewallHelper, type FirewallOptions } from '../../../core/firewall/client.ts'
import { helperCommand } from '../../../core/firewall/helper-command.ts'
import { makeListeningSocket } from '../../../core/firewall/listening-socket.ts'
import { HelperProcess } from '../../../core/firewall/helper-process.ts'
import { ActionQueue } from '../../../core/enforcing/action-queue.ts'
import type { ActionPlugin, FirewallEntry, Ports } from '../../../core/plugin.ts'
import { actionBan } from '../../../core/testing/sample-bans.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { suite } from '../../suite.ts'
import { elementsOf, eventually, makeNamespace, must, silent, type Namespace } from './namespace.ts'

const test = suite('firewall client', 'root', 'nft', 'ip')

const all: Ports = { protocol: 'all', ports: [] }
const web: Ports = { protocol: 'tcp', ports: [80, 443] }

let space: Namespace
const running: FirewallHelper[] = []

test.before(() => {
  space = makeNamespace()
  space.run('ip', 'address', 'add', '203.0.113.7/24', 'dev', 'lo')
})
test.before.each(() => void space.run('nft', 'flush', 'ruleset'))
test.after.each(async () => {
  for (const firewall of running.splice(0)) await firewall.stop()
})
test.after(() => space.remove())

async function start(options: Partial<FirewallOptions> = {}): Promise<FirewallHelper> {
  const firewall = await startFirewall({ log: silent, command: space.inside, ...options })
  running.push(firewall)
  return firewall
}

const prefix = (text: string): Prefix => must(parsePrefix(text))
const entry = (text: string, ports = all, seconds: number | null = 600): FirewallEntry => {
  return { prefix: prefix(text), ports, until: seconds === null ? null : Date.now() + seconds * 1000 }
}
const sets = () => [...space.run('nft', '-t', 'list', 'ruleset').matchAll(/^\tset /gm)].length
const kind = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof BailiffError ? error.kind : String(error)),
  )
const seconds = ({ until }: FirewallEntry) => (until === null ? null : Math.round((until - Date.now()) / 1000))

test('addresses and prefixes of both families are held, each for its time', async () => {
  const firewall = await start()
  await firewall.declare([all, web])
  assert.equal(await firewall.sync([]), [])
  const entries = [
    entry('198.51.100.1', all, 600),
    entry('198.51.100.0/24', all, 700),
    entry('2001:db8::1', web, 800),
    entry('2001:db8::/64', web, null),
  ]
  assert.equal(await firewall.add(entries), [])
  const listed = await firewall.list()
  for (const given of entries) {
    const found = listed.find(({ prefix, ports }) => prefix === given.prefix && ports.protocol === given.ports.protocol)
    assert.ok(found, given.prefix)
    assert.equal(found.ports, given.ports)
    if (given.until === null) assert.is(found.until, null)
    else assert.ok(Math.abs((seconds(found) ?? 0) - (seconds(given) ?? 0)) <= 3, given.prefix)
  }
  assert.is(listed.length, 4)
  await firewall.del(entries.slice(0, 3))
  assert.equal(
    (await firewall.list()).map(({ prefix }) => prefix),
    ['2001:db8::/64'],
  )
})

test('what is refused comes back with the reason, and the rest holds', async () => {
  const firewall = await start()
  await firewall.declare([all])
  const refused = await firewall.add([
    entry('127.0.0.1'),
    entry('198.51.100.1'),
    entry('203.0.113.7'),
    entry('203.0.113.0/24'),
    entry('2001:db8::/16'),
    entry('198.51.100.2', web),
    entry('198.51.100.3', all, 20 * 365 * 24 * 3600),
    entry('198.51.100.4', all, -5),
  ])
  assert.equal(refused.map(({ prefix, reason }) => [prefix, reason.slice(0, 25)]).toSorted(), [
    ['127.0.0.1', 'it holds an address that '],
    ['198.51.100.2', 'its ports were not declar'],
    ['198.51.100.3', 'the time is not between 1'],
    ['2001::/16', 'the prefix is wider than '],
    ['203.0.113.0/24', 'it holds an address of th'],
    ['203.0.113.7', 'it holds an address of th'],
  ])
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1'])
})

test('a sync of 20 000 entries and of its refusals, far into it', async () => {
  const firewall = await start()
  await firewall.declare([all, web])
  await firewall.add([entry('198.51.100.1')])
  const entries = Array.from({ length: 20_000 }, (_, place) => {
    const [high, low] = [place >> 8, place & 255]
    return place % 2 ? entry(`10.1.${high}.${low}`, web) : entry(`2001:db8:${high.toString(16)}:${low.toString(16)}::1`)
  })
  entries[15_000] = entry('127.0.0.1')
  const started = performance.now()
  const refused = await firewall.sync(entries)
  console.log(`20 000 entries in one sync: ${Math.round(performance.now() - started)} ms`)
  assert.equal(
    refused.map(({ prefix }) => prefix),
    ['127.0.0.1'],
  )
  const listed = await firewall.list()
  assert.is(listed.length, 19_999)
  assert.equal(
    new Set(listed.map(({ prefix }) => prefix)),
    new Set(entries.map(({ prefix }) => prefix).filter((each) => each !== '127.0.0.1')),
  )
  assert.equal(await firewall.sync([]), [])
  assert.equal(await firewall.list(), [])
})

test('bans stay when client and helper end, and the next ones find them', async () => {
  const first = await start()
  await first.declare([all, web])
  await first.add([entry('198.51.100.1'), entry('2001:db8::/64', web)])
  const { pid } = first
  await first.stop()
  assert.ok(pid !== undefined && !alive(pid))
  assert.is(await kind(first.add([entry('198.51.100.2')])), 'unavailable')
  const second = await start()
  assert.equal(
    (await second.list()).map(({ prefix, ports }) => `${prefix} ${ports.protocol} ${ports.ports.join()}`).toSorted(),
    ['198.51.100.1 all ', '2001:db8::/64 tcp 80,443'],
  )
})

test('a helper that is killed comes back, tells so, and knows what was declared', async () => {
  const firewall = await start()
  await firewall.declare([all])
  await firewall.add([entry('198.51.100.1')])
  const first = must(firewall.pid)
  const restarted = new Promise<void>((resolve) => firewall.onRestart(resolve))
  kill(first, 'SIGSTOP')
  const pending = kind(firewall.add([entry('198.51.100.2')]))
  kill(first, 'SIGKILL')
  assert.is(await pending, 'try-again')
  await restarted
  assert.is.not(firewall.pid, first)
  assert.equal(await firewall.add([entry('198.51.100.3')]), [])
  const held = elementsOf(space, 'all_v4')
  assert.ok(held.includes('198.51.100.1') && held.includes('198.51.100.3'))
})

test('a wide ban that a new helper refuses comes in once the queue has synced, as it does by itself', async () => {
  const firewall = await start()
  const { host, end } = testHost({})
  const wide = entry('198.51.100.0/24')
  const calls: string[] = []
  const plugin: ActionPlugin = {
    ban: async () => {},
    unban: async () => {},
    banMany: (bans) => {
      calls.push('ban')
      return firewall.add(bans)
    },
    sync: (bans) => {
      calls.push('sync')
      return firewall.sync(bans)
    },
  }
  const queue = new ActionQueue(plugin, host, () => {})
  await firewall.declare([all])
  await firewall.sync([])
  const restarted = new Promise<void>((resolve) => firewall.onRestart(resolve))
  kill(must(firewall.pid), 'SIGKILL')
  await restarted
  assert.equal(
    (await firewall.add([wide])).map(({ again }) => again),
    [true],
  )
  let settled: string | null = 'not yet'
  queue.ban({ ...actionBan('198.51.100.0/24'), ports: all, until: wide.until }, (reason) => (settled = reason))
  assert.ok(await eventually(() => calls.length > 0))
  assert.is(settled, 'not yet')
  queue.restore([], 0, () => {})
  assert.ok(await eventually(() => settled === null))
  assert.is(calls[0], 'ban')
  assert.ok(calls.includes('sync') && calls.at(-1) === 'ban', calls.join())
  assert.equal(elementsOf(space, 'all_v4_24'), ['198.51.100.0'])
  await queue.stop()
  end()
})

test('a sync of more than one step: what was there before goes, wide prefixes come last, and all else is exact', async () => {
  const firewall = await start()
  await firewall.declare([all, web])
  const some = (from: number, count: number) =>
    Array.from({ length: count }, (_, place) => {
      const [high, low] = [(from + place) >> 8, (from + place) & 255]
      return place % 3
        ? entry(`10.${high >> 8}.${high & 255}.${low}`, web)
        : entry(`2001:db8:${high.toString(16)}::${low}`)
    })
  const wide = (third: number) => entry(`198.51.${third}.0/24`)
  const texts = (entries: readonly FirewallEntry[]) => entries.map(({ prefix, ports }) => `${prefix} ${ports.protocol}`)
  const held = async () => texts(await firewall.list()).toSorted()
  for (const helper of ['the same', 'another that knows nothing of the one before'] as const) {
    const first = [...some(0, 30_000), wide(1), entry('127.0.0.1'), ...some(30_000, 15_000)]
    assert.equal(
      (await firewall.sync(first)).map(({ prefix }) => prefix),
      ['127.0.0.1'],
      helper,
    )
    assert.equal(await held(), texts(first.filter(({ prefix }) => prefix !== '127.0.0.1')).toSorted(), helper)
    if (helper !== 'the same') {
      const before = must(firewall.pid)
      kill(before, 'SIGKILL')
      assert.ok(await eventually(() => firewall.pid !== undefined && firewall.pid !== before))
      await firewall.declare([all, web])
    }
    const second = [...some(22_000, 42_000), wide(2)]
    assert.equal(await firewall.sync({ [Symbol.iterator]: () => second[Symbol.iterator]() }), [], helper)
    assert.equal(await held(), texts(second).toSorted(), helper)
  }
})

test('a long sync that is broken off leaves what was there before', async () => {
  const firewall = await start()
  await firewall.declare([all])
  await firewall.sync([entry('198.51.100.1'), entry('198.51.100.0/25')])
  const broken = function* () {
    for (let place = 0; place < 45_000; place++) yield entry(`10.${place >> 16}.${(place >> 8) & 255}.${place & 255}`)
    throw new Error('the list ended')
  }
  assert.match(await kind(firewall.sync({ [Symbol.iterator]: broken })), 'the list ended')
  const held = (await firewall.list()).map(({ prefix }) => prefix)
  assert.ok(held.includes(prefix('198.51.100.1')) && held.includes(prefix('198.51.100.0/25')))
  assert.equal(await firewall.sync([entry('198.51.100.2')]), [])
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.2'])
})

test('so many port lists and no more: the number and the way out are told', async () => {
  const firewall = await start()
  const lists = (from: number, count: number): Ports[] =>
    Array.from({ length: count }, (_, place) => ({ protocol: 'tcp', ports: [from + place] }))
  await firewall.declare(lists(1, 256))
  await firewall.declare([...lists(256, 1), ...lists(1000, 1)])
  const [refusal, ...others] = await firewall.sync(
    [255, 256, 1000].map((port) => entry('198.51.100.1', { protocol: 'tcp', ports: [port] })),
  )
  assert.match(refusal?.reason ?? '', /takes 256 different port lists.*`ports: all`/)
  assert.is(refusal?.again, undefined)
  assert.equal(others, [])
  assert.equal(elementsOf(space, 'tcp_256_v4'), ['198.51.100.1'])
  // An agent after the other, with other ports each: their sets come to an end, and a sync makes room.
  await firewall.stop()
  for (const from of [2000, 3000, 4000]) {
    const next = await start()
    await next.declare(lists(from, 256))
    assert.ok(sets() <= 1024, `${sets()}`)
    await next.stop()
  }
  const last = await start()
  await last.declare(lists(5000, 256))
  assert.is(await kind(last.add([entry('198.51.100.1', { protocol: 'tcp', ports: [5000] })])), 'try-again')
  assert.ok(sets() <= 1024, `${sets()}`)
  const [first, second] = [
    entry('198.51.100.1', { protocol: 'tcp', ports: [5000] }),
    entry('198.51.100.1', { protocol: 'tcp', ports: [5001] }),
  ]
  assert.equal(await last.sync([first]), [])
  assert.is(sets(), 512)
  assert.equal(await last.add([second]), [])
})

test('a helper that hangs is killed at the deadline and started again', async () => {
  const firewall = await start({ deadlineMs: 500 })
  await firewall.declare([all])
  const hung = must(firewall.pid)
  kill(hung, 'SIGSTOP')
  assert.is(await kind(firewall.add([entry('198.51.100.1')])), 'try-again')
  assert.ok(await eventually(() => firewall.pid !== undefined && firewall.pid !== hung))
  assert.not.ok(alive(hung))
  assert.equal(await firewall.add([entry('198.51.100.1')]), [])
})

test('what others take out comes back while nobody asks, and that is told', async () => {
  for (const backend of ['nft', 'netlink'] as const) {
    const firewall = await start({ backend })
    const alarms: string[] = []
    firewall.onAlarm((message) => alarms.push(message))
    await firewall.declare([all, web])
    await firewall.sync([entry('198.51.100.1'), entry('2001:db8::/64', web)])
    const whole = () => {
      const held = space.run('nft', 'list', 'ruleset')
      return held.includes('198.51.100.1') && held.includes('2001:db8::') && held.match(/drop$/gm)?.length === 5
    }
    // The monitor of nft needs a moment until it hears.
    for (let tries = 0; tries < 20 && alarms.length === 0; tries++) {
      space.run('nft', 'flush', 'ruleset')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.ok(await eventually(whole), backend)
    assert.is(alarms[0], '2 bans were taken out of the firewall by another program, and put back')
    await firewall.stop()
  }
})

test('calls made at once are carried out in their order', async () => {
  const firewall = await start()
  const calls = [firewall.declare([all]), firewall.add([entry('198.51.100.1'), entry('198.51.100.2')])]
  const more = [firewall.del([entry('198.51.100.1')]), firewall.add([entry('198.51.100.3')])]
  await Promise.all([...calls, ...more, firewall.stop()])
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.2', '198.51.100.3'])
})

test('a helper that somebody else runs serves one agent at a time, and outlives each', async () => {
  const process = await HelperProcess.start({ log: silent, command: space.inside })
  const running = process.socket
  try {
    const first = await start({ running })
    await first.declare([all])
    await first.add([entry('198.51.100.1')])
    const refusal = await start({ running }).catch((error: unknown) => error)
    assert.match((refusal as Error).message, 'another agent is being served')
    const { pid } = first
    await first.stop()
    const second = await start({ running })
    assert.is(second.pid, pid)
    assert.equal(
      (await second.list()).map(({ prefix }) => prefix),
      ['198.51.100.1'],
    )
  } finally {
    await process.stop()
  }
})

test('started as systemd starts it, it serves until SIGTERM and then ends in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-client-'))
  const running = join(folder, 'socket')
  const server = await makeListeningSocket(running)
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const [program = '', ...words] = [...space.inside, ...helperCommand({}, false).words.map(asExec)]
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit', fd] })
  server.close()
  try {
    for (const address of ['198.51.100.1', '198.51.100.2']) {
      const firewall = await start({ running })
      await firewall.declare([all])
      await firewall.add([entry(address)])
      await firewall.stop()
    }
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1', '198.51.100.2'])
    child.kill('SIGTERM')
    assert.equal(await once(child, 'exit'), [0, null])
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})

test('without perl the agent starts the helper itself, and again', async () => {
  const firewall = await start({ folders: ['/nowhere'] })
  await firewall.declare([all])
  const first = must(firewall.pid)
  kill(first, 'SIGKILL')
  assert.ok(await eventually(() => firewall.pid !== undefined && firewall.pid !== first))
  assert.equal(await firewall.add([entry('198.51.100.3')]), [])
})

test('a helper that cannot be started is a clear error', async () => {
  for (const options of [
    { command: ['/nowhere/setpriv'] },
    { nodePath: '/nowhere/node' },
    { command: ['/bin/false'] },
  ]) {
    assert.is(await kind(start(options)), 'unavailable', JSON.stringify(options))
  }
})

test.run()

/** The launcher becomes the helper. */
function asExec(word: string): string {
  return word === 'keep' ? 'exec' : word
}

function alive(pid: number): boolean {
  try {
    return kill(pid, 0)
  } catch {
    return false
  }
}
