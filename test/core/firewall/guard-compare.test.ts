import * as assert from 'uvu/assert'
import type { Entry } from '../../../core/firewall/admission.ts'
import type { Backend } from '../../../core/firewall/backend.ts'
import { Guard, type GuardPace } from '../../../core/firewall/guard.ts'
import type { Told } from '../../../core/firewall/messages.ts'
import { suite } from '../../suite.ts'
import { startBackend, type BackendProcess } from './backend-process.ts'
import { all, entry, ssh } from './entry.ts'
import { eventually, makeNamespace, type Namespace } from './namespace.ts'

const test = suite('firewall guard, comparing by key', 'root', 'nft', 'ip', 'perl')

let space: Namespace
let firewall: BackendProcess
let told: Told[] = []
let keeper: Guard

test.before(() => {
  space = makeNamespace()
  firewall = startBackend(space)
})
test.before.each(() => void space.run('nft', 'flush', 'ruleset'))
test.after.each(() => keeper.stop())
test.after(async () => {
  await firewall.stop()
  space.remove()
})

const hearingOnly: GuardPace = { leastPauseMs: { watched: 3_000_000, unwatched: 3_000_000 }, pauseTimes: 100 }
const often: GuardPace = { leastPauseMs: { watched: 100, unwatched: 100 }, pauseTimes: 1 }

/** The backend without `watch`, so that what is mended was found by comparing, and without a list of everything. */
function deaf(): Backend {
  return {
    declare: (ports) => firewall.declare(ports),
    add: (entries) => firewall.add(entries),
    del: (entries) => firewall.del(entries),
    sync: (entries, ports) => firewall.sync(entries, ports),
    lacking: async (entries) => (await firewall.lacking?.(entries)) ?? [],
    list: () => Promise.reject(new Error('nobody lists')),
  }
}

async function guard(entries: readonly Entry[], backend: Backend, pace: GuardPace): Promise<void> {
  keeper = new Guard(backend, pace)
  told = []
  keeper.begin((each) => told.push(each))
  await keeper.declare([all, ssh])
  await keeper.sync(entries)
}

const many = (count: number, ports = all): Entry[] =>
  Array.from({ length: count }, (_, place) => entry(`10.${place >> 16}.${(place >> 8) & 255}.${place & 255}`, ports))
const lacking = async (entries: readonly Entry[]) => ((await firewall.lacking?.(entries)) ?? []).length
const nft = (...words: string[]) => space.run('nft', ...words)
const change = (verb: 'add' | 'delete', entries: readonly string[]) =>
  nft(verb, 'element', 'inet', 'bailiff', 'all_v4', `{ ${entries.join(', ')} }`)

/** The backend, and `then` is called after each `add` with how many entries each so far had. */
function counting(then: (counts: readonly number[]) => void): Backend {
  const counts: number[] = []
  const add = async (entries: readonly Entry[]) => {
    await firewall.add(entries)
    counts.push(entries.length)
    then(counts)
  }
  return { ...firewall, add }
}

test('an emptied table comes back, and a new ban comes between any two parts of it', async () => {
  const wanted = many(12_000)
  let counts: readonly number[] = []
  let banned: Promise<unknown> | undefined
  await guard(
    wanted,
    counting((all) => {
      counts = all
      if (all.length === 2) banned = keeper.add([entry('203.0.113.1')])
    }),
    hearingOnly,
  )
  // A call behind it, so that listening has begun.
  await firewall.list()
  nft('flush', 'ruleset')
  assert.ok(await eventually(() => told.length > 0))
  await banned
  assert.ok(counts.indexOf(1) > 0 && counts.indexOf(1) <= 3 && counts.length > 4, counts.join())
  assert.is(await lacking([...wanted, entry('203.0.113.1')]), 0)
  assert.ok(
    told.every(({ type }) => type === 'repaired'),
    JSON.stringify(told),
  )
})

test('unheard: what is missing here and there, ends at another time, or was emptied is found; foreign bans stay', async () => {
  const wanted = [...many(3000), ...many(100, ssh), entry('2001:db8::1', ssh, null)]
  await guard(wanted, deaf(), often)
  const some = ['10.0.0.7', '10.0.3.3', '10.0.11.100']
  change('delete', some)
  assert.ok(await eventually(async () => (await lacking(wanted)) === 0))
  change('delete', some)
  change('add', [...some.map((each) => `${each} timeout 1d`), '203.0.113.9'])
  assert.is(await lacking(wanted), 3)
  assert.ok(await eventually(async () => (await lacking(wanted)) === 0))
  nft('flush', 'set', 'inet', 'bailiff', 'tcp_22_v4')
  nft('flush', 'set', 'inet', 'bailiff', 'tcp_22_v6')
  assert.ok(await eventually(async () => (await lacking(wanted)) === 0))
  assert.is(await lacking([entry('203.0.113.9', all, null)]), 0)
  await keeper.sync(wanted)
  assert.is(await lacking([entry('203.0.113.9', all, null)]), 1)
})

test('unheard: what is no longer wanted is not put back', async () => {
  const wanted = many(1000)
  await guard(wanted, deaf(), often)
  await keeper.del(wanted.slice(0, 500))
  nft('flush', 'set', 'inet', 'bailiff', 'all_v4')
  assert.ok(await eventually(async () => (await lacking(wanted.slice(500))) === 0))
  assert.is(await lacking(wanted), 500)
})

test('a backend that fails again and again in the middle of a comparison: all comes back', async () => {
  const wanted = many(5000)
  let calls = 0
  let failures = 0
  const { lacking: asked, ...others } = deaf()
  const failing: Backend['lacking'] = async (entries) => {
    if (calls++ % 2 === 0) return (await asked?.(entries)) ?? []
    failures++
    throw new Error('it fails')
  }
  await guard(wanted, { ...others, lacking: failing }, often)
  const gone = wanted.filter((_, place) => place % 3 === 0)
  change(
    'delete',
    gone.map((_, place) => `10.0.${(place * 3) >> 8}.${(place * 3) & 255}`),
  )
  assert.ok(await eventually(async () => (await lacking(wanted)) === 0))
  assert.ok(failures > 0)
})

test('who stops while thousands come back is not kept waiting for all of them', async () => {
  const wanted = many(20_000)
  let stopped: Promise<void> | undefined
  await guard(
    wanted,
    counting(({ length }) => {
      if (length === 2) stopped = keeper.stop()
    }),
    hearingOnly,
  )
  await firewall.list()
  nft('flush', 'ruleset')
  assert.ok(await eventually(() => stopped !== undefined))
  await stopped
  const left = await lacking(wanted)
  assert.ok(left > 0)
  assert.is(await lacking(wanted), left)
})

test('sets and rules that a new agent does not name are gone with its first sync', async () => {
  await guard([entry('198.51.100.1', ssh)], firewall, hearingOnly)
  const web = { protocol: 'tcp', ports: Array.from({ length: 40 }, (_, port) => 8000 + port) } as const
  await keeper.declare([web])
  await keeper.add([entry('198.51.100.2', web)])
  keeper.begin(() => {})
  await keeper.declare([all])
  assert.match(nft('list', 'sets'), 'tcp_22_v4')
  await keeper.sync([entry('198.51.100.3')])
  assert.equal(
    nft('list', 'table', 'inet', 'bailiff')
      .match(/set \w+/g)
      ?.toSorted(),
    ['set all_v4', 'set all_v6'],
  )
  nft('flush', 'ruleset')
  assert.ok(await eventually(() => nft('list', 'ruleset').includes('198.51.100.3')))
  assert.not.match(nft('list', 'ruleset'), 'tcp')
})

test('expelling lets bans come in between, and takes out everything that is forbidden', async () => {
  const wanted = many(12_000)
  await guard(wanted, firewall, hearingOnly)
  const order: string[] = []
  const expelled = keeper.expel(({ address }) => address.startsWith('0a000')).finally(() => order.push('expelled'))
  await keeper.add([entry('203.0.113.1')]).finally(() => order.push('added'))
  assert.is((await expelled).length, 4096)
  assert.equal(order, ['added', 'expelled'])
  assert.is(await lacking(wanted), 4096)
  assert.is(await lacking([entry('203.0.113.1')]), 0)
})

test.run()
