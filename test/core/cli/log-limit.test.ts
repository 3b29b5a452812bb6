import * as assert from 'uvu/assert'
import { LogLimit, shortMessage } from '../../../core/cli/log-limit.ts'
import { suite } from '../../suite.ts'

const test = suite('log limit')

function limited() {
  const told: string[] = []
  const limit = new LogLimit((level, withheld, example) => told.push(`${level} ${withheld} ${example}`))
  return { limit, told }
}

test('a flood of one kind is written in part and counted whole; other kinds are written', () => {
  const { limit, told } = limited()
  let written = 0
  for (let i = 0; i < 10_000; i++) if (limit.passes(30, `[sshd] ban 192.0.${i >> 8}.${i & 255} until 2026`)) written++
  for (let i = 0; i < 10_000; i++) if (limit.passes(30, `[sshd] ban 2001:db8::${i.toString(16)} until 2026`)) written++
  assert.is(written, 200)
  assert.ok(limit.passes(50, 'the disk is full'))
  assert.ok(limit.passes(40, '[sshd] ban 192.0.2.1 until 2026'))
  limit.second()
  assert.equal(told, ['30 19800 [sshd] ban 192.0.0.0 until 2026'])
  assert.is(
    Array.from({ length: 9 }, () => limit.passes(30, '[sshd] ban 192.0.2.7 until 2026')).filter(Boolean).length,
    5,
  )
})

test('after a quiet time all is written again', () => {
  const { limit, told } = limited()
  for (let i = 0; i < 300; i++) limit.passes(30, `x ${i}`)
  for (let i = 0; i < 60; i++) limit.second()
  for (let i = 0; i < 200; i++) assert.ok(limit.passes(30, `x ${i}`))
  assert.is(told.length, 1)
})

test('however many kinds there are, what is written is bounded', () => {
  const { limit } = limited()
  const word = (n: number) => String.fromCharCode(...[...String(n)].map((digit) => 103 + Number(digit)))
  let written = 0
  for (let i = 0; i < 50_000; i++) if (limit.passes(30, `kind ${word(i)}`)) written++
  assert.ok(written < 800, String(written))
})

test('a long message is cut and says so', () => {
  assert.is(shortMessage('x'.repeat(2000)).length, 2000)
  assert.match(shortMessage('x'.repeat(100_000)), /^x{2000}… \(100000 characters\)$/)
})

test.run()
