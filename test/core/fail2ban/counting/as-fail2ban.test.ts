/** Ignoring, tags and the cache against Debian's Fail2ban, running. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../../../core/address.ts'
import { replaceKnownTags } from '../../../../core/fail2ban/counting/command-tags.ts'
import { HostNames } from '../../../../core/fail2ban/counting/host-names.ts'
import { IgnoreRules } from '../../../../core/fail2ban/counting/ignore-rules.ts'
import { TimedCache } from '../../../../core/fail2ban/counting/timed-cache.ts'
import { maskedAddress } from '../../../../core/fail2ban/masked-address.ts'
import { suite } from '../../../suite.ts'
import { cacheThere, ignoredThere, nameServer, tagsThere, type TagCase } from './gate-reference.ts'

const test = suite('ignoring as Fail2ban does', 'fail2ban-regex')

const octet = fc.constantFrom('0', '1', '2', '127', '128', '192', '254', '255')
const ip4 = fc
  .tuple(fc.constantFrom('192.0.2', '198.51.100', '10.0.0', '10.1.2'), octet)
  .map((parts) => parts.join('.'))
const ip6 = fc.constantFrom(
  '2001:db8::1',
  '2001:db8::77',
  '2001:db8:0:1::1',
  '2001:db8:ffff::',
  '::1',
  '::ffff:192.0.2.1',
  '::192.0.2.1',
  '::ffff:10.0.0.1',
)
const address = fc.oneof(ip4, ip6)
const mask = fc.constantFrom(
  '255.255.255.0',
  '255.255.255.255',
  '255.0.0.0',
  '0.0.0.0',
  '255.255.255.128',
  '255.0.255.0',
  'ffff:ffff::',
  'ffff:ffff:ffff:ffff::',
  'ffff:ff00::',
)
const word = fc.oneof(
  address,
  address.map((text) => `[${text}]`),
  fc.tuple(address, fc.nat(34)).map((parts) => parts.join('/')),
  fc.tuple(ip6, fc.nat(130)).map((parts) => parts.join('/')),
  fc.tuple(address, mask).map((parts) => parts.join('/')),
  fc.constantFrom(...Object.keys(nameServer), 'elsewhere.example'),
  fc.constantFrom(
    '10.0.0.0/x',
    '10.0.0.0/',
    '10.0.0.1/24/8',
    'home.example/24',
    '192.030.0.6',
    '1.2.3',
    '0/0',
    'a_b',
    '2001:db8::/+32',
  ),
)

/** Taken there as an id that nobody has, and told here. */
function isNoNetwork(text: string): boolean {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  return bare.includes('/') && !isMasked(bare) && parseAddress(bare.split('/')[0] ?? '') !== null
}

function isMasked(text: string): boolean {
  try {
    return maskedAddress(text) !== null
  } catch {
    return true
  }
}

test('the same ids are ignored by the same words', async () => {
  const lists = fc.sample(fc.array(word, { maxLength: 6 }), Number(process.env.LISTS ?? 400))
  // A network as an id is compared by its first address there; a text that is a word as well is spared here only.
  const texts = ['joe', '203.0.113.0/24', '192.0.2.0/24', '10.0.0.0/8', '2001:db8::/32']
  const ids = [...new Set([...fc.sample(address, 60), ...Object.values(nameServer).flat(), ...texts])]
  const theirs = ignoredThere(lists, ids)
  const hosts = new HostNames(
    () => {},
    async (name) => nameServer[name] ?? [],
  )
  const words = [...new Set(lists.flat())]
  hosts.follow(words)
  await Promise.all(words.map((name) => hosts.followed(name)))
  try {
    for (const [index, list] of lists.entries()) {
      const rules = new IgnoreRules(list, { hosts, isOwn: () => false, warn: () => {}, namesChanged: () => {} })
      const there = theirs[index]
      if (there === null || there === undefined) {
        assert.ok(rules.problems.length > 0, `refused there: ${list.join(' ')}`)
        continue
      }
      const told = list.filter(isNoNetwork).length
      assert.is(rules.problems.length, told, `taken there: ${list.join(' ')}`)
      ids.forEach((id, at) => assert.is(rules.source(id), there[at], `${id} by ${list.join(' ')}`))
    }
    assert.ok(theirs.flat().filter((source) => source === 'ip').length > lists.length)
    assert.ok(theirs.flat().includes('dns'))
  } finally {
    hosts.stop()
  }
})

const value = fc.oneof(
  fc.constantFrom(
    'joe',
    'a b',
    '$(id)',
    '`id`',
    "x'; id; '",
    '"',
    '\\',
    'a\nb',
    '<ip>',
    '<F-USER>',
    '-rf',
    '*',
    '~',
    'ä€😀',
    '%s',
    '!x',
    'a=b',
    '^',
    '#',
    '\t',
    '\r',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const pieces = fc.constantFrom(
  '/bin/x ',
  '<ip>',
  '<fid>',
  '<family>',
  '<ip-rev>',
  '<failures>',
  '<time>',
  '<bantime>',
  '<bancount>',
  '<matches>',
  '<restored>',
  '<F-USER>',
  '<F-ID>',
  '<F-PORT>',
  '<F-NONE>',
  '<f-user>',
  '<br>',
  '<sp>',
  '<nothing>',
  ' ',
  '"',
  "'",
  '<',
  '>',
  ' < ip>',
  '<F-FID>',
  '<<ip>>',
  '<ipmatches>',
  '<ip',
  '$',
  '\n',
)
const tagCase: fc.Arbitrary<TagCase> = fc.record({
  text: fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
  id: fc.oneof(ip4, fc.constantFrom('2001:db8::1', 'joe', "x'$(id)")),
  ip: fc.option(ip4),
  time: fc.constantFrom(1_790_000_000, 1_790_000_000.25, 1_790_000_000.123),
  lines: fc.array(value, { maxLength: 3 }),
  groups: fc.record({ user: value, fid: value, fport: value }, { requiredKeys: [] }),
})

test('tags become the same script with the same arguments', () => {
  const cases = fc.sample(tagCase, Number(process.env.TAGS ?? 800))
  const theirs = tagsThere(cases)
  cases.forEach(({ text, time, ...one }, index) => {
    const rest = { jail: 'x', filter: 'x', rule: 0, attempts: 1, isName: false, line: '', log: '', offset: 0 }
    const { script, values } = replaceKnownTags(text, { ...rest, ...one, time: time * 1000 }, { bantimeSeconds: 600 })
    assert.equal([script, ...values], theirs[index], JSON.stringify(cases[index]))
  })
})

test('the cache keeps and forgets the same', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const step = fc.oneof(
    fc.tuple(fc.constant('set' as const), key),
    fc.tuple(fc.constant('get' as const), key),
    fc.tuple(fc.constant('wait' as const), fc.constantFrom(1, 3, 10)),
  )
  for (const [maxCount, maxTime] of [
    [1, 10],
    [3, 10],
    [5, 4],
    [100, 1],
  ] as const) {
    const [steps = []] = fc.sample(fc.array(step, { minLength: 400, maxLength: 400 }), 1)
    let now = 0
    const cache = new TimedCache<number>(maxCount, maxTime * 1000, () => now)
    const ours: (number | null)[] = []
    steps.forEach(([what, which], number) => {
      if (what === 'set') cache.set(which, number)
      else if (what === 'get') ours.push(cache.get(which) ?? null)
      else now += which * 1000
    })
    assert.equal(ours, cacheThere(maxCount, maxTime, steps), JSON.stringify(steps))
  }
})

test.run()
