/** Files counted by several threads, and in ranges by one: the same sums and addresses as in one piece. */
import fc from 'fast-check'
import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cutsOf } from '../../../../core/cli/counting/file-cuts.ts'
import { countFile } from '../../../../core/cli/counting/file-count.ts'
import { LineCounter } from '../../../../core/cli/counting/line-counter.ts'
import { loadEngines } from '../../../../core/cli/load-engines.ts'
import { nativeChoice } from '../../../../core/cli/native-choice.ts'
import { nativeProbes } from '../../../../core/cli/native-probes.ts'
import { maxLineBytes } from '../../../../core/matching/line-cutting.ts'
import { suite } from '../../../suite.ts'
import { bailiff, temporaryFolder } from '../agent-process.ts'

const test = suite('counting in threads')
const folder = temporaryFolder()
const log = join(folder, 'some.log')
const engines = await loadEngines()
const now = Date.UTC(2026, 10, 22, 14)
const literal = 'bad <F-USER>.*</F-USER> from <ADDR>$'
const filters = await Promise.all(
  ['sshd', literal, 'grafana'].map(async (name) => (await nativeChoice(name, { date: true, checkAll: true })).filter),
)

/** A counter each: one for the whole, one for the parts. */
function counters(filter: (typeof filters)[number], yesNo: boolean): [LineCounter, LineCounter] {
  const setup = { jails: nativeProbes(filter, false, false), yesNo, now }
  return [new LineCounter(setup, engines), new LineCounter(setup, engines)]
}

function sums({ counts, addresses }: LineCounter) {
  return { ...counts, addresses }
}

async function withFile(text: Buffer, use: (fd: number, size: number) => Promise<void> | void): Promise<void> {
  writeFileSync(log, text)
  const fd = openSync(log, 'r')
  try {
    await use(fd, text.length)
  } finally {
    closeSync(fd)
  }
}

const address = fc.oneof(
  fc.nat(300).map((low) => `198.18.${low >> 8}.${low & 255}`),
  fc.nat(99).map((low) => `2001:2::${low}`),
)
const failed = address.map((from) => `Nov 22 13:41:02 h sshd[7]: Failed password for root from ${from} port 4711 ssh2`)
const line = fc.oneof(
  { weight: 4, arbitrary: failed },
  address.map((from) => `2026-11-22T13:41:02Z bad jürgen from ${from}`),
  fc.constantFrom(
    '',
    '\0',
    'Nov 22 13:41:02 h cron[7]: nothing',
    '{"logger":"context","path":"/login","status":401,"remote_addr":"192.0.2.7"}',
    '{"logger":"context","path":"/login",',
    'x'.repeat(maxLineBytes),
    'y'.repeat(maxLineBytes + 1),
    `Failed password ${'z'.repeat(3 * maxLineBytes)}`,
  ),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)
const end = fc.constantFrom('\n', '\n', '\r\n')
const file = fc
  .tuple(fc.array(fc.tuple(line, end), { maxLength: 40 }), fc.option(line, { nil: '' }))
  .map(([lines, last]) => Buffer.from(lines.flat().join('') + last, 'latin1'))
const filter = fc.constantFrom(...filters)

test('ranges, wherever they are cut, as the whole', async () => {
  await fc.assert(
    fc.asyncProperty(file, filter, fc.boolean(), fc.integer({ min: 1, max: 200_000 }), (text, one, yesNo, rangeBytes) =>
      withFile(text, (fd, size) => {
        const [whole, parts] = counters(one, yesNo)
        whole.countRange(log, fd, 0, size)
        parts.countShare({ log, fd, cuts: cutsOf(fd, size, rangeBytes), taken: new SharedArrayBuffer(4) })
        assert.equal(sums(parts), sums(whole))
        assert.is(whole.counts.bytes, size)
      }),
    ),
    { numRuns: 60 },
  )
})

test('threads, however many, as one', async () => {
  await fc.assert(
    fc.asyncProperty(file, filter, fc.boolean(), fc.integer({ min: 2, max: 4 }), (text, one, yesNo, threads) =>
      withFile(text, async (fd, size) => {
        const [whole, shared] = counters(one, yesNo)
        whole.countRange(log, fd, 0, size)
        await countFile(shared, { log, fd, size }, { threads, rangeBytes: 200, bytesOfThread: 1 })
        assert.equal(sums(shared), sums(whole))
      }),
    ),
    { numRuns: 8 },
  )
})

test('each range begins a line, and no byte is in two', async () => {
  const text = Buffer.from(`${'a\n'.repeat(50)}${'b'.repeat(1000)}\n\n\nc\nd`)
  await withFile(text, (fd, size) => {
    for (let rangeBytes = 1; rangeBytes < 1200; rangeBytes++) {
      const cuts = cutsOf(fd, size, rangeBytes)
      assert.equal([cuts[0], cuts.at(-1)], [0, size])
      for (const [index, cut] of cuts.slice(1, -1).entries()) {
        assert.is(text[cut - 1], 10)
        assert.ok(cut - (cuts[index] ?? 0) >= rangeBytes)
      }
    }
  })
})

test('a file that is cut off meanwhile, or was longer than it is, ends where it ends', async () => {
  await withFile(Buffer.from(`${'x'.repeat(99)}\n`.repeat(1000)), async (fd, size) => {
    const [, shared] = counters(filters[0] as (typeof filters)[number], false)
    truncateSync(log, 40_050)
    await countFile(shared, { log, fd, size: size * 1e6 }, { threads: 3, rangeBytes: 10_000, bytesOfThread: 1 })
    assert.equal([shared.counts.lines, shared.counts.bytes], [401, 40_050])
  })
})

test('--threads: the same summary, and refused where lines come in one piece', async () => {
  writeFileSync(log, 'Nov 22 13:41:02 h sshd[7]: Failed password for root from 192.0.2.7 port 4711 ssh2\n'.repeat(9))
  const said = async (...words: string[]) => (await bailiff(['test', 'sshd', log, ...words])).stdout.split(', CPU')[0]
  assert.is(await said('--summary', '--threads', '4'), await said('--summary'))
  assert.is(await said('--yes-no', '--threads', '2'), await said('--yes-no'))
  const cases: [words: string[], said: string][] = [
    [['sshd', log, '--threads', '2'], 'with --summary or --yes-no'],
    [['sshd', log, '--threads', '2', '--json'], 'with --summary or --yes-no'],
    [['sshd', log, '--threads', '2', '--summary', '--no-date'], 'without --no-date'],
    [['sshd', log, '-', '--threads', '2', '--summary'], '"-" is no file'],
    [['sshd', 'systemd-journal', '--threads', '2', '--summary'], 'is no file'],
    [['sshd', '/dev/null', '--threads', '2', '--summary'], 'is no file'],
    [['sshd', log, '--threads', '0', '--summary'], 'from 1 on'],
    [['sshd', log, '--threads', 'all', '--summary'], 'from 1 on'],
    [['--fail2ban', folder, 'sshd', log, '--threads', '2', '--summary'], 'in one thread'],
  ]
  for (const [words, text] of cases) {
    const { code, stdout, stderr } = await bailiff(['test', ...words])
    assert.equal([code, stdout], [64, ''], words.join(' '))
    assert.match(stderr, text)
  }
})

test.run()
