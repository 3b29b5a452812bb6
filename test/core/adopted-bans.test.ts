import * as assert from 'uvu/assert'
import { parsePrefix } from '../../core/address.ts'
import { adoptable } from '../../core/adopted-bans.ts'
import { WantedSet } from '../../core/enforcing/wanted-set.ts'
import type { Ports } from '../../core/events.ts'
import type { ReadyJail } from '../../core/jails.ts'
import type { HistoryEntry } from '../../core/store/store.ts'
import { suite } from '../suite.ts'

const test = suite('adopted bans')

const now = 1_800_000_000_000
const ssh: Ports = { protocol: 'tcp', ports: [22] }
const prefix = parsePrefix('192.0.2.1')!
const entry = { prefix, ports: ssh, until: now + 60_000 }
// What is looked at of a jail.
const jails = ['sshd', 'sshd-slow'].map((name) => ({ name, ports: ssh }) as ReadyJail)
const last = (jail: string, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  prefix,
  jail,
  ports: ssh,
  since: now - 1000,
  until: now + 61_000,
  count: 3,
  failures: 5,
  lines: [],
  ended: null,
  reason: null,
  ...more,
})

const cases: [name: string, known: HistoryEntry[], jail: string | null, count: number, since: number][] = [
  ['a prefix that nobody knows', [], 'sshd', 1, now],
  ['the ban that the history has', [last('sshd')], 'sshd', 3, now - 1000],
  ['the ban of another jail with these ports', [last('sshd-slow')], 'sshd-slow', 3, now - 1000],
  ['a later ban than the history has', [last('sshd-slow', { until: now - 60_000 })], 'sshd-slow', 4, now],
  ['one that was undone', [last('sshd', { ended: now - 500, reason: 'unbanned' })], null, 0, 0],
  [
    'one that was decided after another was undone',
    [last('sshd', { until: now + 10_000, ended: now - 500, reason: 'unbanned' })],
    'sshd',
    4,
    now,
  ],
]

test('an entry goes on as what the history knows of it', async () => {
  for (const [name, known, jail, count, since] of cases) {
    const store = {
      latest: (of: readonly { jail: string }[]) =>
        Promise.resolve(of.map((asked) => known.find((each) => each.jail === asked.jail) ?? null)),
    }
    const bans = await adoptable([entry], new WantedSet(), jails, store, now)
    const expected = jail === null ? [] : [[prefix, jail, count, since, entry.until]]
    assert.equal(
      bans.map((ban) => [ban.prefix, ban.jail, ban.count, ban.since, ban.until]),
      expected,
      name,
    )
  }
})

test('what is wanted is not adopted, ports of no jail are a ban by hand, and a store that fails takes nothing away', async () => {
  const broken = { latest: () => Promise.reject(new Error('disk I/O error')) }
  const wanted = new WantedSet()
  wanted.add(last('sshd'), 'restored')
  const web = { ...entry, ports: { protocol: 'tcp', ports: [80] } as Ports }
  const bans = await adoptable([entry, web], wanted, jails, broken, now)
  assert.equal(
    bans.map(({ jail, ports, count }) => [jail, ports.ports, count]),
    [['manual', [80], 1]],
  )
})

test.run()
