import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { checkFirewallConf } from '../../../core/cli/check-firewall-conf.ts'
import { describeError } from '../../../core/errors.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from './agent-process.ts'

const test = suite('check of firewall.conf')
const path = join(temporaryFolder(), 'firewall.conf')
const me = process.geteuid?.() ?? 0

/** What is said of a file of this text. */
function problemsOf(text: string, mode = 0o644): string[] {
  writeFileSync(path, text)
  chmodSync(path, mode)
  const { problems, warnings } = checkFirewallConf(path, me)
  assert.equal(warnings, [])
  return problems.map(describeError)
}

test('no file, and a right one, are fine', () => {
  assert.equal(checkFirewallConf(path, me), { problems: [], warnings: [] })
  assert.equal(problemsOf('backend = nft # a comment\nnever-ban = 192.0.2.0/24\n'), [])
})

test('each wrong line is told at its place', () => {
  const text = 'backend = iptables\n\nnever-ban = 192.0.2.0/33\nnever_ban = 192.0.2.1\n'
  assert.equal(problemsOf(text), [
    `${path}:1: backend is "iptables"; it can be auto, netlink, nft`,
    `${path}:3: "192.0.2.0/33" is no address and no prefix like 192.0.2.0/24 or 2001:db8::/32`,
    `${path}:4: "never_ban = 192.0.2.1" is neither "backend = …" nor "never-ban = PREFIX" nor a # comment`,
  ])
  writeFileSync(path, text)
  const [first] = checkFirewallConf(path, me).problems
  assert.equal(first?.where, { file: path, line: 1 })
})

test('a file that others may write is refused', () => {
  assert.equal(problemsOf('backend = nft', 0o666), [`${path} is refused: others than root may write it: chmod go-w`])
})

test.run()
