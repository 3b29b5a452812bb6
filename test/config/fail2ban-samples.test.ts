/**
 * Our filters on the sample logs that come with Debian's package fail2ban, of whose lines each says what
 * Fail2ban finds in it. They are read where the package has put them; nothing of them is kept here.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../core/address.ts'
import { suite } from '../suite.ts'
import { scannerOf, shippedFilter, shippedFilters } from './scan-text.ts'

const test = suite('sample logs of fail2ban', 'fail2ban-regex')
const logs = '/usr/lib/python3/dist-packages/fail2ban/tests/files/logs'

/** A line, and whom Fail2ban finds in it; null: nobody. */
interface Sample {
  readonly line: string
  readonly host: string | null
  /** Whether it is one for an option of Fail2ban's filter. */
  readonly optional: boolean
}

/** What the comment before a line says of it. */
interface Expectation {
  readonly match?: boolean
  readonly host?: string
}

/** Compared another way: sshd's sessions take several lines, and recidive reads no log here. */
const elsewhere = new Set(['sshd', 'pam-generic', 'mongodb-auth', 'recidive'])
/** Lines that we leave alone on purpose, beyond one in twenty. */
const leftAlone: Readonly<Record<string, number>> = {
  // A name with a colon, which nginx never writes: with older versions of nginx it could be read in two ways.
  'nginx-http-auth': 1,
}

for (const name of shippedFilters().filter((one) => existsSync(join(logs, one)) && !elsewhere.has(one))) {
  test(`${name}: at least 95 % of what Fail2ban finds, and nobody else`, async () => {
    const filter = await shippedFilter(name)
    const scans = Object.keys(filter.modes).map((mode) => ({ mode, scan: scannerOf(filter, mode) }))
    const missed: string[] = []
    let wanted = 0
    for (const { line, host, optional } of samplesOf(name)) {
      const found = scans.flatMap(({ mode, scan }) => scan(line).map(({ address }) => ({ mode, address })))
      if (host === null) {
        const usual = optional ? [] : found.filter(({ mode }) => mode === 'normal')
        assert.equal(usual, [], `should find nobody: ${line}`)
        continue
      }
      for (const { address } of found) assert.is(address, host, line)
      wanted++
      if (found.length === 0) missed.push(line)
    }
    const allowed = Math.floor(wanted / 20) + (leftAlone[name] ?? 0)
    assert.ok(wanted > 0, 'the log has lines to find')
    assert.ok(missed.length <= allowed, `missed ${missed.length} of ${wanted}:\n${missed.join('\n')}`)
  })
}

test('there are sample logs for the filters that people have most', () => {
  const compared = shippedFilters().filter((name) => existsSync(join(logs, name)))
  for (const name of ['apache-auth', 'nginx-http-auth', 'postfix', 'dovecot']) assert.ok(compared.includes(name), name)
})

test.run()

/** The lines of a log whose expectation names an address that stands in them: DNS finds nobody here. */
function samplesOf(name: string): Sample[] {
  const samples: Sample[] = []
  let optional = false
  let expected: Expectation | null = null
  for (const line of readFileSync(join(logs, name), 'utf8').split('\n')) {
    if (/^#\s*filterOptions:/.test(line)) optional = true
    const json = /^#\s*failJSON:\s*(\{.*\})/.exec(line)?.[1]
    if (json !== undefined) expected = JSON.parse(json) as Expectation
    if (line === '' || line.startsWith('#') || expected === null) continue
    const { match, host = '' } = expected
    expected = null
    if (match !== true) samples.push({ line, host: null, optional })
    else if (line.includes(host) && parseAddress(host) !== null)
      samples.push({ line, host: parseAddress(host), optional })
  }
  return samples
}
