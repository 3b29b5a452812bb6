import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Ban, CountedFailures } from '../../../core/events.ts'
import { BailiffError } from '../../../core/errors.ts'
import { suite } from '../../suite.ts'
import {
  ban,
  cursor,
  entries,
  holding,
  inStateFolder,
  position,
  prefix,
  start,
  storeAt,
  until,
  withCopy,
  withStore,
} from './bans.ts'

const test = suite('store')
const hour = 3600_000
const day = 24 * hour

test('what was committed is there after a reopening', () =>
  inStateFolder(async (path) => {
    const bans = [
      ban('192.0.2.1'),
      ban('192.0.2.1', { jail: 'pam', count: 3 }),
      ban('2001:db8::/64', { until: null, ports: { protocol: 'all', ports: [] }, lines: [] }),
    ]
    const positions = [position('/var/log/a.log', 10), position('/var/log/b.log', 7)]
    await withStore(path, (store) => store.commit({ bans, positions }))
    await withStore(path, (store) => {
      assert.equal(sorted([...store.loaded.bans]), sorted(bans))
      assert.equal(store.loaded.positions, positions)
      assert.equal(
        [...store.loaded.offences].map(({ prefix: p, jail, count, last }) => [p, jail, count, last]),
        [
          ['192.0.2.1', 'sshd', 1, start],
          ['192.0.2.1', 'pam', 3, start],
          ['2001:db8::/64', 'sshd', 1, start],
        ],
      )
    })
  }))

test('what was counted is stored with the position it came with, and once', () =>
  inStateFolder(async (path) => {
    const counted = [entries(1), null, entries(2), entries(3)]
    await withStore(path, async (store) => {
      store.hold(holding({ counted: () => counted.shift() ?? null }))
      await store.commit({ counted: true, positions: [position('/a', 2)] })
      await withCopy(path, (copy) => {
        assert.equal(copy.loaded.failures.map(plain), [entries(1)].map(plain))
        assert.equal(copy.loaded.positions, [position('/a', 2)])
      })
      await store.commit({ positions: [position('/a', 4)] })
      await store.commit({ counted: true })
      await store.commit({ bans: [ban('192.0.2.1')] })
    })
    await withStore(path, (store) => {
      assert.equal(store.loaded.failures.map(plain), [entries(1), entries(2), entries(3)].map(plain))
      store.forgetLoaded()
      assert.equal([store.loaded.failures, [...store.loaded.bans]], [[], []])
    })
  }))

test('what stages keep by keys is written with the rest, and gone when they drop it', () =>
  inStateFolder(async (path) => {
    const kept = (key: string, value: object | null) => ({ kind: 'id-ban' as const, key, value })
    await withStore(path, async (store) => {
      const waiting = { kind: 'waiting-failure' as const, key: 'a', value: { n: 3 } }
      await store.commit({ kept: [kept('a', { n: 1 }), kept('b', { n: 2 }), waiting], positions: [position('/a', 2)] })
      await store.commit({ kept: [kept('a', { n: 4 }), kept('b', null), kept('c', null)] })
    })
    await withStore(path, ({ loaded }) =>
      assert.equal(loaded.kept, [kept('a', { n: 4 }), { kind: 'waiting-failure', key: 'a', value: { n: 3 } }]),
    )
  }))

test('cursors are kept as positions are, and forgotten when no source speaks of them for thirty days', () =>
  inStateFolder(async (path) => {
    const [kept, old] = [cursor('journal-1/', 'b'), cursor('journal-2/gone', 'x', start - 40 * day)]
    await withStore(path, async (store) => {
      await store.commit({ positions: [cursor('journal-1/', 'a'), old] })
      await store.commit({ positions: [kept] })
      await withCopy(path, ({ loaded }) => assert.equal(loaded.positions, [kept, old]))
    })
    await withStore(path, async (store) => {
      await store.commit({ bans: [ban('192.0.2.3')] })
      await withCopy(path, ({ loaded }) => assert.equal(loaded.positions, [kept]))
      // Of a cursor that is known it is news only once a day that its source still runs.
      store.seen([{ ...kept, named: start + hour }])
      await store.commit({ bans: [ban('192.0.2.1')] })
      await withCopy(path, ({ loaded }) => assert.equal(loaded.positions, [kept]))
      store.seen([{ ...kept, named: start + 2 * day }])
      await store.commit({ bans: [ban('192.0.2.2')] })
      await withCopy(path, ({ loaded }) => assert.equal(loaded.positions, [{ ...kept, named: start + 2 * day }]))
    })
  }))

test('of much that was counted only what counts now is kept', () =>
  inStateFolder(async (path) => {
    const asked: string[] = []
    const piece = (size: number) => ({ jails: [['sshd']], entries: new Uint8Array(size) })
    const counted = () => {
      asked.push('counted')
      return piece(17 * 1024 * 1024)
    }
    function* everything() {
      asked.push('everything')
      for (let i = 0; i < 3; i++) yield piece(32)
    }
    await withStore(path, async (store) => {
      store.hold(holding({ counted, everything }))
      for (let i = 0; i < 4; i++) await store.commit({ counted: true })
      await withCopy(path, (copy) => assert.is(copy.loaded.failures.length, 3 + 1))
    })
    assert.is(asked.filter((what) => what === 'everything').length, 2, 'each time there was more than 16 MiB')
    assert.ok(statSync(path).size < 60 * 1024 * 1024)
  }))

test('after a commit that failed all that counts is told anew, never the same twice', () =>
  inStateFolder(async (path) => {
    let broken = true
    await withStore(path, async (store) => {
      const counted = () => (broken ? entries(1) : null)
      store.hold(holding({ counted, everything: () => [entries(7)] }))
      // A jail that is no text cannot be written.
      const bad = { ...ban('192.0.2.1'), jail: { toString: () => 'x' } as unknown as string }
      const first = store.commit({ bans: [bad], counted: true, positions: [position('/a', 2)] })
      void first.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 20))
      broken = false
      Object.assign(bad, { jail: 'sshd' })
      await first
    })
    await withStore(path, (store) => {
      assert.equal(store.loaded.failures.map(plain), [plain(entries(7))])
      assert.equal(store.loaded.positions, [position('/a', 2)])
      assert.is([...store.loaded.bans].length, 1)
    })
  }))

test('a ban that is extended is one ban, one that comes again is another', () =>
  inStateFolder((path) =>
    withStore(path, async (store) => {
      void store.commit({ bans: [ban('192.0.2.1')] })
      void store.commit({ bans: [ban('192.0.2.1', { until: start + 2 * hour })] })
      await store.commit({ bans: [ban('192.0.2.1', { since: start + hour, until: start + 3 * hour, count: 2 })] })
      const entries = await store.history({ limit: 10 })
      assert.equal(
        entries.map(({ since, until, count }) => [since, until, count]),
        [
          [start + hour, start + 3 * hour, 2],
          [start, start + 2 * hour, 1],
        ],
      )
    }),
  ))

test('an unban ends the ban and says so in the history', () =>
  inStateFolder(async (path) => {
    await withStore(path, async (store) => {
      await store.commit({ bans: [ban('192.0.2.1'), ban('192.0.2.2')] })
      await store.commit({ unbans: [{ prefix: prefix('192.0.2.1'), jail: 'sshd', at: start + 5, reason: 'unbanned' }] })
      const [entry] = await store.history({ prefix: '192.0.2.1', limit: 10 })
      assert.equal([entry?.ended, entry?.reason], [start + 5, 'unbanned'])
    })
    await withStore(path, (store) =>
      assert.equal(
        [...store.loaded.bans].map((each) => each.prefix),
        ['192.0.2.2'],
      ),
    )
  }))

test('a ban whose time is over is not loaded, and its history says that it expired', () =>
  inStateFolder(async (path) => {
    await withStore(path, (store) => store.commit({ bans: [ban('192.0.2.1')] }))
    const later = { now: () => start + 2 * day }
    await withStore(
      path,
      async (store) => {
        assert.equal([...store.loaded.bans], [])
        assert.is([...store.loaded.offences].length, 1)
        await store.commit({ positions: [position('/a', 1)] })
        const [entry] = await store.history({ limit: 1 })
        assert.equal([entry?.ended, entry?.reason], [start + hour, 'expired'])
      },
      later,
    )
  }))

test('history is asked by prefix and jail, the youngest first, up to the limit', () =>
  inStateFolder((path) =>
    withStore(path, async (store) => {
      const all = Array.from({ length: 30 }, (_, i) =>
        ban(`192.0.2.${i % 3}`, { jail: i % 2 ? 'sshd' : 'pam', since: start + i }),
      )
      await store.commit({ bans: all })
      const since = async (query: { prefix?: string; jail?: string; limit: number }) =>
        (await store.history(query)).map((entry) => entry.since - start)
      assert.equal(await since({ limit: 3 }), [29, 28, 27])
      assert.equal(await since({ limit: 3, jail: 'pam' }), [28, 26, 24])
      assert.equal(await since({ limit: 3, prefix: '192.0.2.1', jail: 'sshd' }), [25, 19, 13])
      assert.equal(await since({ limit: 5, prefix: "'; DROP TABLE history; --" }), [])
      assert.equal(await since({ limit: -1 }), [])
    }),
  ))

test('old history is forgotten, bounded in number, and never that of a ban in force', () =>
  inStateFolder(async (path) => {
    await withStore(path, async (store) => {
      const old = Array.from({ length: 50 }, (_, i) =>
        ban(`192.0.2.${i}`, { since: start - 40 * day, until: start - 39 * day }),
      )
      const young = Array.from({ length: 50 }, (_, i) =>
        ban(`198.51.100.${i}`, { since: start - 3 * day, until: start - 2 * day }),
      )
      const forever = ban('203.0.113.1', { since: start - 90 * day, until: null })
      await store.commit({ bans: [forever, ...old, ...young] })
    })
    const bounds = { historyDays: 30, historyEntries: 20 }
    await withStore(
      path,
      async (store) => {
        await store.history({ limit: 1 })
        await until(async () => (await store.history({ limit: 1000 })).length === 21)
        const left = await store.history({ limit: 1000 })
        assert.is(left.filter((entry) => entry.prefix.startsWith('198.51.100.')).length, 20)
        assert.is(left.filter((entry) => entry.prefix === '203.0.113.1').length, 1)
      },
      bounds,
    )
  }))

test('folder and file are private', () =>
  inStateFolder((path) =>
    withStore(path, async (store) => {
      await store.commit({ bans: [ban('192.0.2.1')] })
      assert.is(statSync(dirname(path)).mode & 0o777, 0o700)
      assert.is(statSync(path).mode & 0o777, 0o600)
      assert.is(statSync(`${path}-wal`).mode & 0o777, 0o600)
    }),
  ))

test('a store in use is refused with a word', () =>
  inStateFolder((path) =>
    withStore(path, async () => {
      let refused: unknown
      await storeAt(path).catch((error: unknown) => (refused = error))
      assert.ok(refused instanceof BailiffError)
      assert.match(refused.message, 'in use by another process')
    }),
  ))

test('after a close nothing is taken, and nobody has to catch that', () =>
  inStateFolder(async (path) => {
    const store = await storeAt(path)
    const waiting = store.commit({ positions: [position('/a', 1)] })
    await store.close()
    await waiting
    void store.commit({ bans: [ban('192.0.2.1')] })
    let message = ''
    await store.commit({ bans: [ban('192.0.2.1')] }).catch((error: Error) => (message = error.message))
    assert.match(message, 'closed')
    await withStore(path, (again) => {
      assert.equal([...again.loaded.bans], [])
      assert.equal(again.loaded.positions, [position('/a', 1)])
    })
  }))

test('whatever is committed and undone, what is loaded is what a table in memory holds', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(5), fc.constantFrom('ban', 'unban', 'reopen'), fc.nat(100)), { maxLength: 30 }),
      (steps) =>
        inStateFolder(async (path) => {
          const model = new Map<string, Ban>()
          let store = await storeAt(path)
          for (const [host, what, seconds] of steps) {
            const next = ban(`192.0.2.${host}`, { until: start + hour + seconds * 1000 })
            const at = start + seconds
            if (what === 'ban') {
              model.set(next.prefix, next)
              void store.commit({ bans: [next] })
            } else if (what === 'unban') {
              model.delete(next.prefix)
              void store.commit({ unbans: [{ prefix: next.prefix, jail: 'sshd', at, reason: 'expired' }] })
            } else {
              await store.close()
              store = await storeAt(path)
            }
          }
          await store.close()
          await withStore(path, ({ loaded }) => assert.equal(sorted([...loaded.bans]), sorted([...model.values()])))
        }),
    ),
    { numRuns: 15 },
  ))

test.run()

/** Arrays instead of bytes: what comes back may be a Buffer. */
function plain({ jails, entries: bytes }: CountedFailures) {
  return { jails, entries: [...bytes] }
}

function sorted(bans: readonly Ban[]): Ban[] {
  return bans.toSorted((a, b) => `${a.prefix} ${a.jail}`.localeCompare(`${b.prefix} ${b.jail}`))
}
