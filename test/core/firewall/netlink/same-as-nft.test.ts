import * as assert from 'uvu/assert'
import fc from 'fast-check'
import type { Entry } from '../../../../core/firewall/admission.ts'
import { BackendError, type Backend } from '../../../../core/firewall/backend.ts'
import type { WirePorts } from '../../../../core/firewall/messages.ts'
import type { NetlinkOptions } from '../../../../core/firewall/netlink/netlink.ts'
import { NftablesBackend } from '../../../../core/firewall/nftables.ts'
import { suite } from '../../../suite.ts'
import { startBackend, type BackendProcess } from '../backend-process.ts'
import { eventually, makeNamespace, type Namespace } from '../namespace.ts'

const test = suite('netlink does what nft does', 'root', 'nft', 'ip', 'perl')

/** Fixed, so that two runs of the tests are the same; to look for more: SEED=1 RUNS=100. */
const seed = Number(process.env.SEED ?? 20_261_122)
const runs = Number(process.env.RUNS ?? 4)

const portLists: readonly WirePorts[] = [
  { protocol: 'all', ports: [] },
  { protocol: 'tcp', ports: [22] },
  { protocol: 'tcp', ports: [80, 443, 8080] },
  { protocol: 'udp', ports: [53] },
  { protocol: 'udp', ports: Array.from({ length: 60 }, (_, place) => place * 1000 + 7) },
]

/** What somebody else does. The table may not be there, or no longer what is damaged; then nothing happens. */
const damages = [
  'flush ruleset',
  'delete table inet bailiff',
  'flush chain inet bailiff drop_banned',
  'flush set inet bailiff all_v4',
  'insert rule inet bailiff drop_banned ip saddr @all_v4 accept',
  'insert rule inet bailiff drop_banned limit rate 5/second accept',
  'add element inet bailiff all_v4 { 198.51.100.200, 198.51.100.1 timeout 9h }',
  'delete element inet bailiff all_v4 { 198.51.100.1 }',
  'add set inet bailiff foreign { type inet_service; }',
  'add chain inet bailiff foreign { type filter hook input priority 0; policy drop; }',
  'flush chain inet bailiff drop_banned; delete set inet bailiff all_v4; add set inet bailiff all_v4 { type ipv6_addr; }',
  'flush chain inet bailiff drop_banned; delete set inet bailiff all_v6',
  'add set inet bailiff tcp_25_v4 { type ipv4_addr; size 1048576; flags timeout; }; add element inet bailiff tcp_25_v4 { 192.0.2.9 }',
] as const

/** What nft sees only when it lists everything, so the next step is a sync. */
const hiddenDamages = [
  'add counter inet bailiff foreign',
  'add map inet bailiff foreign { type ipv4_addr : verdict; }',
  'add table inet bailiff { flags dormant; }',
] as const

type Given = Omit<Entry, 'endsAt'> & { readonly seconds: number | null }

type Step =
  | { readonly do: 'declare'; readonly ports: readonly WirePorts[] }
  | { readonly do: 'add' | 'del' | 'sync' | 'expire'; readonly entries: readonly Given[] }
  | { readonly do: 'damage'; readonly damage: string }
  | { readonly do: 'damage-and-sync'; readonly damage: string; readonly entries: readonly Given[] }

const given: fc.Arbitrary<Given> = fc
  .record({
    ports: fc.constantFrom(...portLists),
    prefix: fc.constantFrom([4, 32], [4, 32], [4, 32], [4, 24], [4, 9], [6, 128], [6, 128], [6, 64], [6, 49], [6, 19]),
    // Few of them, so that entries meet again.
    number: fc.nat(7),
    seconds: fc.constantFrom(null, 60, 600, 3600, 86_400 * 365),
  })
  .map(({ ports, prefix: [version, length = 0], number, seconds }) => {
    const family = version === 4 ? 4 : 6
    const host = family === 4 ? (0xc6336400 + number).toString(16) : `20010db8${number}`.padEnd(32, String(number))
    return { ports, family, length, address: cut(host, length), seconds }
  })

const entries = fc.array(given, { maxLength: 12 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.subarray([...portLists]).map((ports): Step => ({ do: 'declare', ports })) },
  { weight: 6, arbitrary: entries.map((some): Step => ({ do: 'add', entries: some })) },
  { weight: 4, arbitrary: entries.map((some): Step => ({ do: 'del', entries: some })) },
  { weight: 4, arbitrary: entries.map((some): Step => ({ do: 'sync', entries: some })) },
  { weight: 1, arbitrary: entries.map((some): Step => ({ do: 'expire', entries: some })) },
  { weight: 4, arbitrary: fc.constantFrom(...damages).map((damage): Step => ({ do: 'damage', damage })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...hiddenDamages), entries)
      .map(([damage, some]): Step => ({ do: 'damage-and-sync', damage, entries: some })),
  },
)

let spaces: Namespace[] = []
let processes: BackendProcess[] = []

test.before(() => {
  spaces = [makeNamespace(), makeNamespace()]
})
test.after.each(async () => {
  for (const each of processes) await each.stop()
  processes = []
})
test.after(() => {
  for (const space of spaces) space.remove()
})

/** Both backends, each with a namespace of its own and empty. */
function pair({ setSize, longFrom }: NetlinkOptions = {}): { backend: Backend; space: Namespace }[] {
  return spaces.map((space, place) => {
    space.run('nft', 'flush', 'ruleset')
    if (place === 0) {
      const command = [...space.inside, '/usr/sbin/nft']
      return { space, backend: new NftablesBackend({ command, ...(setSize === undefined ? {} : { setSize }) }) }
    }
    const size = setSize === undefined ? {} : { setSize }
    const started = startBackend(space, { ...size, ...(longFrom === undefined ? {} : { longFrom }) })
    processes.push(started)
    return { space, backend: started }
  })
}

// First, while the tables of both namespaces get the same numbers.
test('a declaration prints the same to the last number, and runs the same expressions', async () => {
  const both = pair()
  for (const { backend } of both) {
    await backend.declare(portLists)
    const some = [9, 24, 31].map((length) => ({ family: 4 as const, length, address: cut('c6336407', length) }))
    const more = [19, 48, 64, 127].map((length) => ({
      family: 6 as const,
      length,
      address: cut('20010db8'.padEnd(32, '9'), length),
    }))
    await backend.add(
      portLists.flatMap((ports) => [...some, ...more].map((each) => ({ ...each, ports, endsAt: null }))),
    )
  }
  for (const words of [['-a'], ['--debug=netlink'], ['-j']]) {
    const [nft, netlink] = both.map(({ space }) => space.run('nft', ...words, 'list', 'table', 'inet', 'bailiff'))
    assert.is(netlink, nft, words.join())
  }
})

const cases: readonly [how: string, options: NetlinkOptions, secondsApart: number][] = [
  ['', {}, 2],
  [', also where sets get full', { setSize: 6 }, 2],
  // Those are not compared, so the times of all are new, where nft leaves what is less than 3 s off.
  [', also where sets count as long', { longFrom: 4 }, 5],
]

for (const [how, options, secondsApart] of cases) {
  test(`the same steps leave the same ruleset${how}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const both = pair(options)
        for (const each of steps) {
          const ends = await Promise.all(both.map(({ backend, space }) => carryOut(each, backend, space)))
          assert.is(ends[1], ends[0], JSON.stringify(each))
          const [nft, netlink] = both.map(({ space }) => listed(space))
          assert.is(netlink?.text, nft?.text, `after ${JSON.stringify(each)}`)
          assert.ok(
            closeTimes(nft?.times ?? [], netlink?.times ?? [], secondsApart),
            `${nft?.times} and ${netlink?.times}`,
          )
        }
        for (const started of processes.splice(0)) await started.stop()
      }),
      { seed, numRuns: runs, endOnFailure: true },
    )
  })
}

test.run()

/** What a step ended with: `done`, or the code of its failure. */
async function carryOut(each: Step, backend: Backend, space: Namespace): Promise<string> {
  try {
    if (each.do === 'declare') await backend.declare(each.ports)
    else if (each.do === 'damage') damage(space, each.damage)
    else if (each.do === 'damage-and-sync') {
      damage(space, each.damage)
      await backend.sync(timed(each.entries))
    } else if (each.do === 'expire') {
      const short = timed(each.entries.map((entry) => ({ ...entry, seconds: 1 })))
      await backend.add(short)
      await eventually(() => !/timeout 1s /.test(space.run('nft', 'list', 'ruleset')))
      await backend.del(short)
    } else await backend[each.do](timed(each.entries))
    return 'done'
  } catch (error) {
    if (error instanceof BackendError) return error.code
    throw error
  }
}

function damage(space: Namespace, command: string): void {
  try {
    space.run('nft', command)
  } catch {
    // There is nothing to damage, in both.
  }
}

function timed(some: readonly Given[]): Entry[] {
  const now = performance.now()
  return some.map(({ seconds, ...entry }) => ({ ...entry, endsAt: seconds === null ? null : now + seconds * 1000 }))
}

/** The ruleset without handles and counts, elements sorted; and the times in it, in seconds. */
function listed(space: Namespace): { text: string; times: number[] } {
  const times: number[] = []
  const plain = (key: string, value: unknown): unknown => {
    if (key === 'handle' || key === 'metainfo') return undefined
    if (key === 'counter') return null
    if (key === 'elem' && Array.isArray(value)) {
      return value.toSorted((one, other) => (addressOf(one) < addressOf(other) ? -1 : 1))
    }
    if ((key === 'timeout' || key === 'expires') && typeof value === 'number') {
      times.push(value)
      return 0
    }
    return value
  }
  const text = JSON.stringify(JSON.parse(space.run('nft', '-j', 'list', 'ruleset')), plain, 1)
  return { text, times }
}

function addressOf(element: unknown): string {
  if (typeof element !== 'object' || element === null || !('elem' in element)) return String(element)
  const { elem } = element
  return typeof elem === 'object' && elem !== null && 'val' in elem ? String(elem.val) : String(elem)
}

const closeTimes = (one: readonly number[], other: readonly number[], apart: number) =>
  one.length === other.length && one.every((time, place) => Math.abs(time - (other[place] ?? 0)) <= apart)

/** The digits with all bits beyond the length zero. */
function cut(digits: string, length: number): string {
  const bits = [...digits].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('')
  const left = bits.slice(0, length).padEnd(bits.length, '0')
  return left.replace(/.{4}/g, (four) => Number.parseInt(four, 2).toString(16))
}
