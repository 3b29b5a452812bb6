import { closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { LogChunk, ScanResult } from '../../../core/events.ts'
import { compileFilter } from '../../../core/matching/filters.ts'
import { createPool, type PoolOptions } from '../../../core/matching/pool.ts'
import { createLogScanner } from '../../../core/matching/scan.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { suite } from '../../suite.ts'
import { failureOf, failuresOf } from './row-failures.ts'

const test = suite('the matching pool')
const engineUrl = new URL('../../../matchers/regexp/index.js', import.meta.url).href

/** Look-arounds keep the second pattern from V8's linear engine. */
const filter = compileFilter({
  name: 'test',
  programs: null,
  prefregex: null,
  failregex: ['^bad <HOST>$', '^slow (?=a)(?:(?:a|aa)+)+ <HOST>$', '^linear (?:a+)+ <HOST>$'],
  ignoreregex: [],
})
const users = compileFilter({
  name: 'users',
  programs: null,
  prefregex: null,
  failregex: ['<F-ONCE>seen</F-ONCE> <F-USER>.*</F-USER> by <HOST>$'],
  ignoreregex: [],
})
const good = (host: number) => `bad 192.0.2.${host}\n`
const killer = `slow ${'a'.repeat(60)}! 192.0.2.1\n`

test('a chunk is scanned in a thread', async () => {
  await withPool({}, async (pool) => {
    const { rows, lines, consumed } = await pool.scan(chunk(`${good(1)}x\n${good(2)}`))
    assert.equal(
      failuresOf(rows).map(({ address, offset }) => [address, offset]),
      [
        ['192.0.2.1', 0],
        ['192.0.2.2', 16],
      ],
    )
    assert.equal([lines, consumed], [3, 30])
  })
})

test('rows of parts lie in memory that is used again, those of a whole chunk in their own', async () => {
  await withPool({ maxThreads: 1 }, async (pool) => {
    const memories: Uint32Array[] = []
    const found: string[] = []
    const take = ({ rows }: ScanResult) => {
      memories.push(rows.words)
      found.push(...failuresOf(rows).map(({ address }) => address))
    }
    for (const host of [1, 2]) await pool.scanInParts(chunk(good(host)), take)
    // The last word of the address.
    assert.equal(
      memories.map((words) => words[3]),
      [0xc000_0202, 0xc000_0202],
    )
    const whole = await pool.scan(chunk(good(3)))
    await pool.scanInParts(chunk(good(4)), take)
    assert.equal(
      [...found, ...failuresOf(whole.rows).map(({ address }) => address)],
      ['192.0.2.1', '192.0.2.2', '192.0.2.4', '192.0.2.3'],
    )
  })
})

test('what comes out of a thread is what the scanner found', async () => {
  const log = `Nov 22 13:41:02 h x[7]: seen é user by 192.0.2.1\nseen \x1b by 2001:db8::1\nseen  by 192.0.2.2\nno\n`
  const jails = [
    { jail: 'test', filter: users },
    { jail: 'more', filter: users },
  ]
  await withPool({ jails }, async (pool) => {
    const both = { ...chunk(log), jails: ['test', 'more'] }
    const expected = createLogScanner({ jails, engines: [regexp] }).scan(both)
    assert.is(expected.matches.length, 6)
    const { slow, ms: _, seen, matches, ...result } = expected
    assert.equal(slow, [])
    const { seen: seenByPool, rows, ...answer } = await pool.scan(both)
    assert.equal(answer, result)
    assert.equal(failuresOf(rows), matches.map(failureOf))
    // Only the time differs.
    assert.equal({ ...seenByPool, ms: 0 }, { ...seen, ms: 0 })
    assert.equal(
      seen?.jails.map(({ jail, hits }) => [jail, hits]),
      [
        ['test', 3],
        ['more', 3],
      ],
    )
  })
})

test('a line that breaks the deadline is skipped alone; all others are matched once, and nobody waits', async () => {
  const warnings: object[] = []
  await withPool({ deadlineMs: 400, maxThreads: 2, warn: (fields) => warnings.push(fields) }, async (pool) => {
    const order: string[] = []
    const stuck = pool
      .scan(chunk(`${good(1)}${killer}${good(2)}${killer}${good(3)}rest`))
      .finally(() => order.push('stuck'))
    const other = pool.scan(chunk(good(4))).finally(() => order.push('other'))
    const [found, others] = await Promise.all([stuck, other])
    assert.equal(order, ['other', 'stuck'])
    assert.is(failuresOf(others.rows).length, 1)
    assert.equal(
      failuresOf(found.rows).map(({ address, offset }) => [address, offset]),
      [
        ['192.0.2.1', 0],
        ['192.0.2.2', good(1).length + killer.length],
        ['192.0.2.3', good(1).length + 2 * killer.length + good(2).length],
      ],
    )
    assert.equal([found.lines, found.skipped], [5, 2])
    assert.is(found.consumed, 3 * good(1).length + 2 * killer.length)
    assert.is(warnings.length, 1)
    assert.is(failuresOf((await pool.scan(chunk(good(5)))).rows).length, 1)
  })
})

test('a line is skipped only for the jails whose patterns are slow on it', async () => {
  const plain = compileFilter({
    name: 'plain',
    programs: null,
    prefregex: null,
    failregex: ['^slow .* <HOST>$'],
    ignoreregex: [],
  })
  const jails = [
    { jail: 'test', filter },
    { jail: 'plain', filter: plain },
  ]
  await withPool({ jails, deadlineMs: 400 }, async (pool) => {
    const both = { ...chunk(`${good(1)}${killer}${good(2)}`), jails: ['test', 'plain'] }
    const { rows, skipped, lines } = await pool.scan(both)
    assert.equal(
      failuresOf(rows).map(({ jail, address, offset }) => [jail, address, offset]),
      [
        ['test', '192.0.2.1', 0],
        ['plain', '192.0.2.1', good(1).length],
        ['test', '192.0.2.2', good(1).length + killer.length],
      ],
    )
    assert.equal([lines, skipped], [3, 1])
  })
})

test('a pattern that V8 can run in linear time is answered, not skipped', async () => {
  await withPool({ deadlineMs: 4000 }, async (pool) => {
    const { skipped, lines } = await pool.scan(chunk(`linear ${'a'.repeat(60)}! 192.0.2.1\n`))
    assert.equal([lines, skipped], [1, 0])
  })
})

test('an engine that fails is an error that says so', async () => {
  await withPool({ engineUrls: ['data:text/javascript,export default 1'] }, async (pool) => {
    await rejects(pool.scan(chunk(good(1))), /matching \/log failed: .*exports no matcher/)
  })
  const exits = 'data:text/javascript,export default { compile: () => process.exit(3) }'
  await withPool({ engineUrls: [exits] }, async (pool) => {
    await rejects(pool.scan(chunk(good(1))), /matching \/log failed/)
  })
})

test('a closed pool finishes what is under way and takes no more', async () => {
  const pool = createPool(options({}))
  const last = pool.scan(chunk(good(1)))
  await pool.close()
  assert.is(failuresOf((await last).rows).length, 1)
  await rejects(pool.scan(chunk(good(1))), /closed/)
})

test('a large file is read once, in order, in spite of a killer line, however many threads there are', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'bailiff-pool-')), 'log')
  const fill = 'nothing of note here\n'.repeat(2000)
  const parts = Array.from({ length: 250 }, (_, index) => `${index === 60 ? killer : ''}${good(index)}${fill}`)
  const text = parts.join('')
  writeFileSync(file, text)
  const fd = openSync(file, 'r')
  const read = (maxThreads: number, skipped: number[] = []) =>
    withPool({ maxThreads }, async (pool) => {
      const found: { readonly address: string; readonly offset: number }[] = []
      let [lines, insideLine] = [0, false]
      for (let start = 0; start < text.length;) {
        const data = { fd, start, end: Math.min(start + (512 << 10), text.length) }
        const result = await pool.scan({ ...chunk(''), data, insideLine })
        found.push(...failuresOf(result.rows))
        start += result.consumed
        lines += result.lines
        insideLine = result.insideLine
        skipped.push(result.skipped)
      }
      assert.equal(
        found.map(({ address }) => address),
        parts.map((_, index) => `192.0.2.${index}`),
      )
      for (const { address, offset } of found)
        assert.ok(text.startsWith(`bad ${address}\n`, offset), `${address} at ${offset}`)
      assert.is(lines, text.match(/\n/g)?.length)
      assert.is(
        skipped.reduce((sum, count) => sum + count, 0),
        1,
      )
    })
  for (const threads of [1, 2, 4]) await read(threads)
  closeSync(fd)
})

test.run()

interface Changes extends Partial<PoolOptions> {
  readonly warn?: (fields: object) => void
}

async function withPool(changes: Changes, use: (pool: ReturnType<typeof createPool>) => Promise<void>): Promise<void> {
  const pool = createPool(options(changes))
  try {
    await use(pool)
  } finally {
    await pool.close()
  }
}

function options({ warn = () => {}, ...changes }: Changes): PoolOptions {
  const silent = () => {}
  const log = { debug: silent, info: silent, warn, error: silent }
  return { jails: [{ jail: 'test', filter }], engineUrls: [engineUrl], log, ...changes }
}

function chunk(text: string): LogChunk {
  return {
    log: '/log',
    jails: ['test'],
    data: Buffer.from(text),
    arrivedAt: 0,
    live: true,
    undatedAt: null,
    insideLine: false,
  }
}

async function rejects(promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  assert.instance(error, Error)
  assert.match((error as Error).message, message)
}
