import { chmodSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { eventually } from './namespace.ts'
import { withFiles, type Files } from './never-banned-places.ts'

const test = suite('firewall never banned')

let files: Files
test.before.each(() => void (files = withFiles()))
test.after.each(() => {
  files.neverBanned.stop()
  files.remove()
})

/** The list at a time; readings are far enough apart for the list to be read anew. */
const at = (seconds: number) => files.neverBanned.at(seconds * 1000).map(({ prefix, reason }) => `${prefix} ${reason}`)
const now = () => performance.now() / 1000

test('it has next hops, resolvers and what root wrote; what is not there is left out', () => {
  assert.equal(at(now()), [])
  files.write('route', 'eth0\t00000000\tC0000201\t0003\neth0\t00000000\t010200C0\t0003\n')
  files.write('resolv.conf', 'nameserver 192.0.2.53\n')
  files.write('upstream.conf', 'nameserver 198.51.100.53\n')
  files.write('firewall.conf', 'never-ban = 203.0.113.0/24\n')
  const list = at(now() + 60)
  for (const part of ['192.0.2.53 resolver', '198.51.100.53 resolver', '203.0.113.0/24 never-ban'])
    assert.ok(list.includes(part), part)
  // One of the two spellings, whatever the byte order of this machine.
  assert.ok(list.includes('192.0.2.1 gateway'))
  assert.equal(files.warnings, [])
})

test('the list is the same object until something changes', () => {
  files.write('resolv.conf', 'nameserver 192.0.2.53\n')
  const first = files.neverBanned.at(performance.now())
  assert.is(files.neverBanned.at(performance.now() + 60_000), first)
  files.write('resolv.conf', 'nameserver 192.0.2.54\n')
  // It was read a moment ago.
  assert.is(files.neverBanned.at(performance.now()), first)
  assert.is.not(files.neverBanned.at(performance.now() + 60_000), first)
})

test('of a file that is spoiled the last good version holds, and the problem is told once', () => {
  const path = files.write('firewall.conf', 'never-ban = 203.0.113.0/24\nbroken\n')
  assert.equal(at(now()), ['203.0.113.0/24 never-ban'])
  assert.equal(at(now() + 60), ['203.0.113.0/24 never-ban'])
  assert.is(files.warnings.length, 1)
  chmodSync(path, 0o666)
  assert.equal(at(now() + 60), ['203.0.113.0/24 never-ban'])
  assert.equal(at(now() + 60), ['203.0.113.0/24 never-ban'])
  assert.is(files.warnings.length, 2)
  assert.match(files.warnings[1] ?? '', 'is refused')
  chmodSync(path, 0o644)
  files.write('firewall.conf', '')
  assert.equal(at(now() + 60), [])
})

test('whoever wants to know hears of a change, without asking', async () => {
  files.write('resolv.conf', 'nameserver 192.0.2.53\n')
  assert.equal(at(now()), ['192.0.2.53 resolver'])
  let changes = 0
  files.neverBanned.onChange(() => changes++)
  files.write('resolv.conf', 'nameserver 192.0.2.54\n')
  assert.ok(await eventually(() => changes > 0))
  assert.is(changes, 1)
})

test.run()
