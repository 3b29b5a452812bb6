import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { suite } from '../suite.ts'
import { scannerOf, shippedFilter, shippedFilters } from './scan-text.ts'

const test = suite('shipped filters')

/** What names are made of to look like sshd's own words. */
const enemyWords = [
  ...'from|for|user|invalid user|port|22|ssh2|198.51.100.9|2001:db8::9|[preauth]|Failed password|x||because|with'.split(
    '|',
  ),
  ...'"\'[]()\\$é '.split(''),
]

for (const name of shippedFilters()) {
  test(`${name}: its samples, in every mode`, async () => {
    const filter = await shippedFilter(name)
    if (filter.counts === 'bans') return
    const { match, pass, hostile } = filter.samples
    const spoken = new Set<string>()
    for (const mode of Object.keys(filter.modes)) {
      const scan = scannerOf(filter, mode)
      const used = new Set<number>()
      for (const { line, address, user, modes } of match) {
        const [found, ...more] = scan(line)
        assert.is(more.length, 0)
        assert.is(found?.address, modes === null || modes.includes(mode) ? address : undefined, `${mode}: ${line}`)
        if (found === undefined) continue
        used.add(found.rule)
        if (user !== null) assert.is(found.groups.user, user, `${mode}: ${line}`)
      }
      for (const { line } of pass) assert.equal(scan(line), [], `${mode}: ${line}`)
      for (const { line, address } of hostile) {
        const [found] = scan(line)
        if (found === undefined) continue
        assert.is(found.address, address, `${mode}: ${line}`)
        spoken.add(line)
      }
      const rules = scannedRules(filter, mode)
      assert.equal(
        Array.from({ length: rules }, (_, rule) => rule).filter((rule) => !used.has(rule)),
        [],
        `${mode}: rules without a sample`,
      )
    }
    for (const { line, address } of hostile) if (address !== null) assert.ok(spoken.has(line), `missed: ${line}`)
    assert.ok(match.length > 0 && pass.length > 0 && hostile.length > 0, 'has samples of all three kinds')
  })
}

test('sshd: no user name has anybody but the peer banned, and hides no failed login', async () => {
  const filter = await shippedFilter('sshd')
  const scan = scannerOf(filter, 'aggressive')
  const peer = fc.constantFrom('192.0.2.7', '2001:db8::7')
  const words = fc.constantFrom(...enemyWords)
  // sshd cuts a name at its first colon, and to 100 characters.
  const name = fc.array(words, { maxLength: 14 }).map((some) => (some.join(' ').split(':')[0] ?? '').slice(0, 100))
  fc.assert(
    fc.property(name, peer, (user, address) => {
      const head = 'Nov 22 13:41:02 web1 sshd[4242]: '
      const lines = [
        `Failed password for invalid user ${user} from ${address} port 55114 ssh2`,
        `Invalid user ${user} from ${address} port 55114`,
        `Invalid user ${user} from ${address}`,
        `error: PAM: Authentication failure for illegal user ${user} from ${address}`,
        `Failed keyboard-interactive/pam for invalid user ${user} from ${address} port 55114 ssh2`,
        `error: maximum authentication attempts exceeded for invalid user ${user} from ${address} port 5 ssh2 [preauth]`,
        `Disconnecting invalid user ${user} ${address} port 55114: Too many authentication failures [preauth]`,
        `Connection closed by invalid user ${user} ${address} port 55114 [preauth]`,
        `Failed publickey for invalid user ${user} from ${address} port 55114 ssh2: RSA SHA256:Zm9v`,
      ]
      for (const line of lines) {
        const [found] = scan(head + line)
        assert.is(found?.address, address, line)
      }
    }),
    { numRuns: 300 },
  )
})

test.run()

function scannedRules(filter: Awaited<ReturnType<typeof shippedFilter>>, mode: string): number {
  const include = (filter.modes[mode]?.include ?? []).map((part) => part.mode)
  const parts = [filter, ...[...include, mode].map((part) => filter.modes[part])]
  return parts.reduce((sum, part) => sum + (part?.failregex.length ?? 0), 0)
}
