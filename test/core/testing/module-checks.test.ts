import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { field } from '../../../core/wasm-matcher/abi.ts'
import { runCheck } from '../../../core/testing/check.ts'
import { findByModule, moduleChecks } from '../../../core/testing/module-checks.ts'
import { temporaryFolder } from '../cli/agent-process.ts'
import { suite } from '../../suite.ts'
import { answerAt, answerOf, answers, bufferAt, code, isDone, madeModule, record } from '../wasm-matcher/made-module.ts'
import type { MadeModule } from '../wasm-matcher/made-module.ts'

const test = suite('module-checks')
const folder = temporaryFolder()

/** A counter in memory that grows with every call. */
const counterAt = 64
const counted = [
  ...code.number(counterAt),
  ...code.number(counterAt),
  ...code.load(0),
  ...code.number(1),
  ...code.add,
  ...code.store(0),
]
/** Whether the first byte that it is given is this one. */
const begins = (byte: number) => [...code.number(bufferAt), 0x2d, 0, 0, ...code.number(byte), 0x46]

const bad: [name: string, made: MadeModule, check: RegExp, says: string][] = [
  ['one that cannot be used', { abi: 3 }, /^it imports env\.memory alone/, 'made for version 3'],
  ['one that traps at its start', { start: code.trap }, /^it imports env\.memory alone/, 'it failed while it started'],
  [
    'one that comes to no end',
    { scan: [...code.forever, ...answers] },
    /^lines of an enemy/,
    'it was stopped, for it came to no end',
  ],
  [
    'one that fails with a zero',
    { scan: [...begins(0), ...code.when(code.trap), ...isDone, ...answers] },
    /^lines of an enemy/,
    'it failed in bailiff_scan: unreachable, given',
  ],
  [
    'one that counts its calls',
    {
      // Each second call has one record more, of the first line: a `\n` alone.
      scan: [
        ...counted,
        ...isDone,
        ...code.number(answerAt),
        ...code.number(counterAt),
        ...code.load(0),
        ...code.number(1),
        0x71,
        ...code.store(0),
        ...answers,
      ],
      data: [answerOf([record({ [field.addressEnd]: 0 })], 0)],
    },
    /./,
    '',
  ],
  [
    'one that keeps what it read',
    { scan: [...code.number(1), ...code.grow, ...code.drop, ...isDone, ...answers] },
    /^its memory does not grow/,
    'bytes of memory',
  ],
]

for (const [name, made, check, says] of bad)
  test(`${name} fails`, async () => {
    const outcomes = []
    for (const one of moduleChecks({ file: written(made), lines: ['x|1|DENY|192.0.2.77'] }).filter((each) =>
      check.test(each.name),
    )) {
      outcomes.push(await runCheck(one))
    }
    const messages = outcomes.flatMap(({ message }) => message ?? [])
    assert.ok(messages.length > 0, name)
    assert.ok(messages.join('\n').includes(says), messages.join('\n'))
  })

test('one that finds nothing keeps all but the last check', async () => {
  const outcomes = []
  for (const one of moduleChecks({ file: written({}), lines: ['x'] })) outcomes.push(await runCheck(one))
  assert.equal(
    outcomes.filter(({ ok }) => !ok).map(({ message }) => message),
    ['it finds no address in any of 1 lines'],
  )
})

test('what a module finds is told line by line', () => {
  const good = record({ [field.lineEnd]: 19, [field.addressStart]: 9, [field.addressEnd]: 19 })
  const file = written({ scan: [...isDone, ...answers], data: [answerOf([good])] })
  assert.equal(findByModule({ file, lines: ['x|1|DENY|192.0.2.77', 'x|1|DENY|hello.worl'] }), [
    { address: '192.0.2.77', rule: 0, user: null, time: null },
    null,
  ])
  assert.throws(() => findByModule({ file, lines: ['short'] }), /it answered a line from byte 0 to 19/)
})

test.run()

function written(made: MadeModule): string {
  const file = join(folder, 'a.wasm')
  writeFileSync(file, madeModule(made))
  return file
}
