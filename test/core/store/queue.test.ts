import * as assert from 'uvu/assert'
import { CommitQueue, type Batch } from '../../../core/store/commit-queue.ts'
import type { Change } from '../../../core/store/tables.ts'
import type { LogPosition } from '../../../core/events.ts'
import { suite } from '../../suite.ts'
import { ban, position } from './bans.ts'

const test = suite('commit queue')

interface Written {
  readonly changes: readonly Change[]
  readonly positions: readonly LogPosition[]
  readonly again: boolean
}

function queueInto(written: Written[], before: () => Promise<void> | void = () => {}) {
  const alarms: string[] = []
  let overflows = 0
  const write = async (batch: Batch, again: boolean) => {
    await before()
    written.push({ changes: [...batch.changes], positions: [...batch.positions.values()], again })
  }
  const queue = new CommitQueue({
    write,
    overflow: () => overflows++,
    alarm: (message) => alarms.push(message),
    waitMs: 20,
  })
  return { alarms, queue, overflows: () => overflows }
}

test('what comes while a transaction is under way goes into the next, in order', async () => {
  const written: Written[] = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const { queue } = queueInto(written, () => gate)
  const first = queue.add([{ ban: ban('192.0.2.0') }], [])
  await Promise.resolve()
  const rest = Array.from({ length: 100 }, (_, i) => queue.add([{ ban: ban(`192.0.2.${i + 1}`) }], [position('/a', i)]))
  open()
  await Promise.all([first, ...rest])
  assert.equal(
    written.map(({ changes }) => changes.length),
    [1, 100],
  )
  assert.equal(written[1]?.positions, [position('/a', 99)])
})

test('positions wait for company, and a ban does not wait for them', async () => {
  const written: Written[] = []
  const { queue } = queueInto(written)
  for (let i = 0; i < 10; i++) void queue.add([], [position('/a', i), position('/b', i)])
  await queue.add([{ ban: ban('192.0.2.1') }], [])
  assert.is(written.length, 1)
  assert.equal(written[0]?.positions, [position('/a', 9), position('/b', 9)])
  await queue.add([], [position('/a', 10)])
  assert.is(written.length, 2)
})

test('what brings nothing is done with at once, and does not wait for what comes later', async () => {
  const written: Written[] = []
  const { queue } = queueInto(written)
  const turns = async () => {
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve))
    return 'waits'
  }
  const outcome = (stored: Promise<void>) => Promise.race([stored.then(() => 'stored'), turns()])
  assert.is(await outcome(queue.add([], [])), 'stored')
  assert.is(await outcome(queue.add([], [])), 'stored')
  assert.equal(written, [])
})

test('a disk that fails is told once and tried until it works', async () => {
  const written: Written[] = []
  let failures = 3
  const { queue, alarms } = queueInto(written, () => {
    if (failures-- > 0) throw new Error('database or disk is full')
  })
  const done = queue.add([{ ban: ban('192.0.2.1') }], [position('/a', 1)])
  void queue.add([{ ban: ban('192.0.2.2') }], [])
  await done
  await queue.add([{ ban: ban('192.0.2.3') }], [])
  assert.equal(
    written.flatMap(({ changes }) => changes.map((change) => 'ban' in change && change.ban.prefix)),
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  )
  assert.equal(
    written.map(({ again }) => again),
    [true, false],
  )
  assert.is(alarms.length, 1)
  assert.match(alarms[0] ?? '', 'disk is full')
})

test('what waits for a disk that fails is bounded, and then everything is asked for', async () => {
  const written: Written[] = []
  let failures = 1
  const { queue, alarms, overflows } = queueInto(written, () => {
    if (failures-- > 0) throw new Error('database or disk is full')
  })
  const first = queue.add([{ ban: ban('192.0.2.0') }], [])
  for (let i = 0; i < 100 && alarms.length === 0; i++) await Promise.resolve()
  const change = { ban: ban('192.0.2.1') }
  const many = queue.add(Array<Change>(100_001).fill(change), [position('/a', 1)])
  await Promise.all([first, many])
  assert.is(overflows(), 1)
  assert.is(written.length, 1)
  assert.ok((written[0]?.changes.length ?? 0) <= 1)
  assert.is(written[0]?.positions.length, 1)
})

test('a long list is taken whole while the disk works', async () => {
  const written: Written[] = []
  const { queue } = queueInto(written)
  await queue.add(Array<Change>(300_000).fill({ ban: ban('192.0.2.1') }), [])
  assert.is(written[0]?.changes.length, 300_000)
})

test('a close does not wait for a disk that never works', async () => {
  const written: Written[] = []
  const { queue } = queueInto(written, () => {
    throw new Error('disk I/O error')
  })
  const done = queue.add([{ ban: ban('192.0.2.1') }], [])
  let message = ''
  done.catch((error: Error) => (message = error.message))
  await Promise.resolve()
  await queue.close(1000)
  await done.catch(() => {})
  assert.match(message, 'I/O error')
})

test.run()
