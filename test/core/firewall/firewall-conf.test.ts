import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { parsePrefix } from '../../../core/address.ts'
import { parseFirewallConf, readFirewallConf, usualFirewallConf } from '../../../core/firewall/firewall-conf.ts'
import { suite } from '../../suite.ts'
import { withFiles, type Files } from './never-banned-places.ts'

const test = suite('firewall.conf')
const asRoot = suite('firewall.conf as root', 'root')

let files: Files
for (const each of [test, asRoot]) {
  each.before.each(() => void (files = withFiles()))
  each.after.each(() => files.remove())
}

const me = process.getuid?.() ?? 0

test('what it says', () => {
  const text = [
    '# who is spared',
    'backend = nft',
    '',
    'never-ban=192.0.2.7/24  # the office',
    '  never-ban = 2001:db8::1',
  ]
  assert.equal(parseFirewallConf(text.join('\r\n'), 'f'), {
    conf: { backend: 'nft', neverBan: ['192.0.2.0/24', '2001:db8::1'] },
    problems: [],
  })
  assert.equal(parseFirewallConf('').conf, usualFirewallConf)
})

test('a bad line is told with its number, and the others hold', () => {
  const cases: [line: string, problem: string][] = [
    ['never-ban = office', 'f:2: "office" is no address and no prefix like 192.0.2.0/24 or 2001:db8::/32'],
    ['never-ban =', 'f:2: "" is no address and no prefix like 192.0.2.0/24 or 2001:db8::/32'],
    ['never-ban = 192.0.2.0/33', 'f:2: "192.0.2.0/33" is no address'],
    ['never-ban = 010.1.1.1', 'f:2: "010.1.1.1" is no address'],
    ['backend = iptables', 'f:2: backend is "iptables"; it can be auto, netlink, nft'],
    ['neverban = 192.0.2.1', 'f:2: "neverban = 192.0.2.1" is neither "backend = …" nor "never-ban = PREFIX" nor'],
    ['\u001b[31m', 'f:2: "\\u001b[31m" is neither'],
    ['192.0.2.1', 'f:2: "192.0.2.1" is neither'],
    ['=', 'f:2: "=" is neither'],
  ]
  for (const [line, problem] of cases) {
    const { conf, problems } = parseFirewallConf(`never-ban = 192.0.2.1\n${line}\nnever-ban = 192.0.2.3`, 'f')
    assert.equal(conf, { backend: 'auto', neverBan: ['192.0.2.1', '192.0.2.3'] }, line)
    assert.is(problems.length, 1, line)
    assert.match(problems[0] ?? '', problem)
  }
})

test('many prefixes and many problems are cut, and that is told', () => {
  const prefixes = Array.from({ length: 10_001 }, (_, i) => `never-ban = 10.${i >> 8}.${i & 255}.1`)
  const many = parseFirewallConf(prefixes.join('\n'), 'f')
  assert.is(many.conf.neverBan.length, 10_000)
  assert.equal(many.problems, ['f:10001: more than 10000 prefixes; this one is left out'])
  const wrong = parseFirewallConf('x\n'.repeat(100), 'f')
  assert.is(wrong.problems.length, 21)
  assert.is(wrong.problems.at(-1), 'f: 80 more lines are wrong')
})

test('no text makes it throw, nothing but prefixes comes out, and no control byte goes into a problem', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some).toString('utf8'))
  const lines = fc
    .array(
      fc
        .tuple(fc.constantFrom('never-ban', 'backend', '#', ' '), fc.constantFrom('=', ' = ', ''), fc.string())
        .map((parts) => parts.join('')),
    )
    .map((some) => some.join('\n'))
  const property = fc.property(fc.oneof(bytes, lines), (text) => {
    const { conf, problems } = parseFirewallConf(text)
    for (const prefix of conf.neverBan) assert.is(parsePrefix(prefix), prefix)
    for (const problem of problems) assert.match(problem, /^[ -~…]*$/)
  })
  fc.assert(property, { numRuns: 5000 })
})

test('the example that comes with the package is right', () => {
  const example = readFileSync(new URL('../../../../config/firewall.conf', import.meta.url), 'utf8')
  const { conf, problems } = parseFirewallConf(example)
  assert.equal(problems, [])
  assert.equal(conf, { backend: 'auto', neverBan: ['192.0.2.10', '198.51.100.0/24', '2001:db8:1::/48'] })
})

test('a file that is not there is no problem; one that is no file is refused', () => {
  assert.equal(readFirewallConf(join(files.folder, 'firewall.conf'), me), { conf: usualFirewallConf, problems: [] })
  mkdirSync(join(files.folder, 'folder'))
  const folder = readFirewallConf(join(files.folder, 'folder'), me)
  assert.is(folder.conf, null)
  assert.match(folder.problems[0] ?? '', 'is refused: it is no plain file')
})

test('a file that others may write is refused', () => {
  const path = files.write('firewall.conf', 'backend = nft')
  for (const mode of [0o664, 0o646, 0o666]) {
    chmodSync(path, mode)
    const { conf, problems } = readFirewallConf(path, me)
    assert.is(conf, null, mode.toString(8))
    assert.equal(problems, [`${path} is refused: others than root may write it: chmod go-w`])
  }
  for (const mode of [0o644, 0o600, 0o755]) {
    chmodSync(path, mode)
    assert.is(readFirewallConf(path, me).conf?.backend, 'nft', mode.toString(8))
  }
})

test('a file that is too large is refused', () => {
  const path = files.write('firewall.conf', '#'.repeat(256 * 1024 + 1))
  assert.match(readFirewallConf(path, me).problems[0] ?? '', 'it is larger than 262144 bytes')
})

asRoot('a file of somebody else is refused', () => {
  const path = files.write('firewall.conf', 'backend = nft')
  chownSync(path, 65_534, 0)
  assert.equal(readFirewallConf(path), {
    conf: null,
    problems: [`${path} is refused: it belongs to the user 65534 and must belong to root: chown root`],
  })
})

test.run()
asRoot.run()
