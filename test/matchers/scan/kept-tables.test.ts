import * as assert from 'uvu/assert'
import regexp from '../../../matchers/regexp/index.ts'
import { compileFrom } from '../../../matchers/scan/late-scanner.ts'
import type { KeptTables } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'
import { allShipped, firstDifference, foundIn, linesFor } from './comparison.ts'

const test = suite('kept tables')

/** Keeps things as long as it lives. */
class Memory implements KeptTables {
  readonly held = new Map<string, Uint8Array>()
  reads = 0

  read(key: string): Uint8Array | null {
    const found = this.held.get(key) ?? null
    if (found !== null) this.reads++
    return found
  }

  write(key: string, content: Uint8Array): void {
    this.held.set(key, content)
  }
}

/** So much that what was made is kept. */
function enough(lines: readonly string[]): string[] {
  const once = lines.reduce((sum, line) => sum + line.length + 1, 0)
  return Array.from({ length: Math.ceil((5 << 20) / once) }, () => lines).flat()
}

test('with tables of another scanner the same is found, also in lines that need more of them', async () => {
  for (const one of (await allShipped()).filter(({ name }) =>
    /^(?:sshd|postfix|nginx-botsearch|dovecot) /.test(name),
  )) {
    const memory = new Memory()
    const filters = [one.filter]
    const plain = regexp.compile(filters)
    const [some, others] = [linesFor(one, 300, 1), linesFor(one, 300, 2)]
    const first = compileFrom(filters, 0, memory)
    foundIn(first, enough(some))
    assert.is(memory.held.size, 1, one.name)
    const second = compileFrom(filters, 0, memory)
    assert.is(firstDifference(second, plain, some), null, one.name)
    assert.is(firstDifference(second, plain, others), null, one.name)
    assert.is(memory.reads, 1)
  }
})

test('what cannot be read is made again, and filters that differ share nothing', async () => {
  const [sshd, other] = (await allShipped()).filter(({ name }) => /^(?:sshd|dovecot) \(normal\)/.test(name))
  if (sshd === undefined || other === undefined) return assert.unreachable('there are such filters')
  const memory = new Memory()
  const lines = linesFor(sshd, 200, 3)
  foundIn(compileFrom([sshd.filter], 0, memory), enough(lines))
  foundIn(compileFrom([other.filter], 0, memory), lines)
  assert.is(memory.reads, 0)
  for (const key of memory.held.keys()) memory.held.set(key, Buffer.from('no tables'))
  assert.is(firstDifference(compileFrom([sshd.filter], 0, memory), regexp.compile([sshd.filter]), lines), null)
  assert.is(memory.reads, 1)
})

test.run()
