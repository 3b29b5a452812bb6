import * as assert from 'uvu/assert'
import { SlowLogs } from '../../../core/matching/slow-logs.ts'
import { silent } from '../../../core/testing/seen-lines.ts'
import { suite } from '../../suite.ts'

const test = suite('which logs have slow lines')

/** Chunks of one log, in a row: bytes and milliseconds of each. */
const rows: readonly [what: string, filters: number, chunks: readonly (readonly [number, number])[], slow: boolean][] =
  [
    ['a usual chunk', 1, [[512 * 1024, 60]], false],
    [
      'slow lines',
      1,
      [
        [20_000, 50],
        [20_000, 50],
      ],
      true,
    ],
    [
      'slow lines behind a quick chunk',
      1,
      [
        [20_000, 50],
        [20_000, 5],
        [20_000, 50],
      ],
      false,
    ],
    [
      'patterns of 100 filters that V8 still has to compile',
      100,
      [
        [24_000, 50],
        [8_000, 50],
      ],
      false,
    ],
    [
      'the same time for one filter',
      1,
      [
        [24_000, 50],
        [8_000, 50],
      ],
      true,
    ],
    [
      'slow lines among 100 filters',
      100,
      [
        [4_000, 50],
        [4_000, 50],
      ],
      true,
    ],
  ]

for (const [what, filters, chunks, slow] of rows)
  test(`${what}: ${slow ? 'slow' : 'not slow'}`, () => {
    const logs = new SlowLogs(silent)
    for (const [bytes, ms] of chunks) logs.took('log', bytes, ms, () => filters)
    assert.is(logs.lineMs('log') !== null, slow)
  })

test.run()
