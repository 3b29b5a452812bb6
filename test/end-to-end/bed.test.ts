import * as assert from 'uvu/assert'
import type { Match } from '../../core/events.ts'
import { createSessions } from '../../core/matching/sessions.ts'
import { scannerOf, shippedFilter } from '../config/scan-text.ts'
import { suite } from '../suite.ts'
import { makeBed, needs, type LoginAttempt } from './bed.ts'
import { outside } from './network.ts'
import { waitFor } from './processes.ts'
import type { FileForm } from './ssh-server.ts'

const test = suite('end to end: what sshd logs', ...needs)

interface Case extends LoginAttempt {
  /** The failures that the mode `normal` and the mode `extra` count. */
  readonly normal: number
  readonly extra: number
}

const cases: readonly Case[] = [
  { normal: 1, extra: 1 },
  { tries: 3, normal: 3, extra: 3 },
  { user: 'nobody-here', normal: 1, extra: 1 },
  { user: 'nobody-here', tries: 3, normal: 3, extra: 3 },
  // sshd ends the connection after MaxAuthTries 6.
  { tries: 9, normal: 6, extra: 6 },
  { user: 'nobody-here', tries: 9, normal: 6, extra: 6 },
  // Gave up without a password: a failure for a user who is not there, otherwise only in the mode `extra`.
  { method: 'publickey', normal: 0, extra: 1 },
  { user: 'nobody-here', method: 'publickey', normal: 1, extra: 1 },
  { user: `x from ${outside.v4(39)} port 22 ssh2`, tries: 2, normal: 2, extra: 2 },
  { user: `${outside.v4(39)}`, tries: 2, normal: 2, extra: 2 },
  { user: 'a\\b é [d] e', tries: 2, normal: 2, extra: 2 },
  { user: 'root:style', tries: 2, normal: 2, extra: 2 },
  { user: ' ', normal: 1, extra: 1 },
]

for (const form of ['traditional', 'rfc3339', 'sshd -E'] as const) {
  test(`${form}: a failed login is one failure of the address it came from`, () => check(form, cases, []))
}

test('a user who is not allowed: a failed login is one failure', async () => {
  await check('traditional', [{ tries: 2, normal: 2, extra: 2 }], [`AllowUsers root@${outside.v4(38)}`])
})

test('keyboard-interactive through PAM: a failed login is one failure', async () => {
  const method = 'keyboard-interactive'
  const attempts = [
    { method, tries: 2, normal: 2, extra: 2 },
    { method, user: 'nobody-here', tries: 2, normal: 2, extra: 2 },
  ] as const
  await check('rfc3339', attempts, ['UsePAM yes', 'KbdInteractiveAuthentication yes'])
})

test.run()

/** Makes the attempts, each from an address of its own, and counts what the filter finds in the log. */
async function check(form: FileForm, attempts: readonly Case[], options: readonly string[]): Promise<void> {
  const bed = await makeBed(form.replaceAll(/[^a-z0-9]/g, ''), { form, options })
  try {
    const host = (index: number) => (index % 2 === 0 ? outside.v4(index) : outside.v6(index))
    for (const [index, attempt] of attempts.entries()) await bed.failLogin(host(index), attempt)
    assert.ok(await bed.logIn(outside.v4(38)), 'a good login')
    await waitFor('the last line', () => bed.log().includes(`Disconnected from user root ${outside.v4(38)}`))
    const filter = await shippedFilter('sshd')
    for (const mode of ['normal', 'extra'] as const) {
      const matches = createSessions().merge(scannerOf(filter, mode)(bed.log()))
      const expected = attempts.map((attempt, index) => [host(index), attempt[mode]] as const)
      assert.equal(
        countByAddress(matches),
        Object.fromEntries(expected.filter(([, count]) => count > 0)),
        `${mode}\n${bed.log()}`,
      )
    }
  } finally {
    await bed.close()
  }
}

function countByAddress(matches: readonly Match[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { address } of matches) counts[address] = (counts[address] ?? 0) + 1
  return counts
}
