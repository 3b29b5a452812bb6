import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { AddressExplanation } from '../../../core/control/api.ts'
import type { LineExplanation } from '../../../core/explaining/line-explanation.ts'
import { suite } from '../../suite.ts'
import { eventually, must } from '../firewall/namespace.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

type Answer = AddressExplanation & { cause: string; verdict: string; lastLine: { explanation: LineExplanation } | null }

const test = suite('bailiff explain')
const failed = (address: string, ago = 0, message = 'Failed password for root from') =>
  `${new Date(Date.now() - ago).toISOString()} web sshd[77]: ${message} ${address} port 4711 ssh2\n`

function bed(action = 'memory') {
  const folder = temporaryFolder()
  const log = join(folder, 'auth.log')
  const app = join(folder, 'app.log')
  writeFileSync(log, '')
  writeFileSync(app, '')
  const config = writeConfig(
    folder,
    `ignoreip: [198.51.100.0/24]
defaults: { findtime: 10m, maxretry: 3, bantime: { base: 10m, increment: true }, actions: [${action}] }
jails:
  sshd: { source: ./auth.log }
  shadow:
    mode: observe
    source: ./app.log
    filter: { failregex: ['^login of \\S+ from <ADDR> failed$'] }
`,
  )
  const ask = async (...words: string[]) => {
    const ended = await bailiff(['explain', '--config', config, ...words])
    assert.is(ended.code, 0, ended.stderr)
    return ended.stdout
  }
  const explain = async (address: string) => JSON.parse(await ask(address, '--json')) as Answer
  return { folder, log, app, config, ask, explain }
}

test('of an address: counted, banned with its lines and rules, ended, banned longer, ignored, observed; and all of it offline', async () => {
  const { log, app, config, ask, explain } = bed()
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: sshd, shadow')
  appendFileSync(log, failed('192.0.2.7') + failed('192.0.2.7') + failed('198.51.100.9'))
  const line = `${new Date().toISOString()} login of x from 192.0.2.9 failed\n`
  appendFileSync(app, line.repeat(3))
  await eventually(async () => (await explain('192.0.2.9')).cause === 'observed')

  const counted = await explain('192.0.2.7')
  assert.equal([counted.cause, counted.running], ['counted', true], counted.verdict)
  assert.match(counted.verdict, '192.0.2.7 is not banned: 2 of 3 failures in sshd within 10 min')
  assert.match(await ask('192.0.2.7'), /sshd +enforce +2 of 3 +10 min +in 9 min/)
  assert.match((await explain('192.0.2.9')).verdict, 'shadow would ban it')
  const ignored = await explain('198.51.100.9')
  assert.match(
    ignored.verdict,
    /ignoreip has 198\.51\.100\.0\/24 \(.*bailiff\.yaml:3\); 1 of its failures were ignored/,
  )

  appendFileSync(log, failed('192.0.2.7'))
  await agent.shows('ban 192.0.2.7')
  const banned = await explain('192.0.2.7')
  assert.equal(
    [banned.cause, banned.bans[0]?.actions],
    ['banned', [{ action: 'memory', confirmed: true, failure: null }]],
  )
  await eventually(async () => (await explain('192.0.2.7')).history.length > 0)
  const [first] = (await explain('192.0.2.7')).history
  assert.is(first?.evidence.length, 3)
  for (const { line: each, rule, version } of must(first).evidence) {
    assert.match(each, 'Failed password for root from 192.0.2.7')
    assert.match(rule, /config\/filters\/sshd\.yaml:\d+$/)
    assert.match(version, /^[0-9a-f]{8}$/)
  }
  const again = JSON.parse(await ask('--json', must(first).evidence[0]?.line ?? '')) as LineExplanation
  assert.equal([again.cause, again.jail], ['bans', 'sshd'], again.verdict)
  const another = JSON.parse(await ask('--json', failed('192.0.2.7').trim())) as LineExplanation
  assert.is(another.cause, 'already-banned', another.verdict)

  await bailiff(['unban', '192.0.2.7', '--config', config])
  await eventually(async () => (await explain('192.0.2.7')).history[0]?.reason === 'unbanned')
  const over = await explain('192.0.2.7')
  assert.is(over.cause, 'was-banned')
  assert.equal(
    over.jails.map(({ bansBefore, nextBanMs }) => [bansBefore, nextBanMs]),
    [
      [1, 1_200_000],
      [0, 600_000],
    ],
  )
  assert.match(await ask('192.0.2.7'), 'its next ban would be number 2, for 20 min: it was banned 1 time before')
  await agent.end()

  const offline = await explain('192.0.2.7')
  assert.equal([offline.running, offline.cause, offline.history.length], [false, 'was-banned', 1])
  assert.match(await ask('192.0.2.7'), 'No agent answers')
  assert.is((await explain('192.0.2.9')).cause, 'not-counted', 'what is only observed is not stored')
})

test('of an IPv6 network its addresses are told, before it is banned and after', async () => {
  const { log, config, ask, explain } = bed()
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: sshd')
  const network = '2001:db8:0:1::/64'
  appendFileSync(log, [1, 2, 2].map((host) => failed(`2001:db8:0:1::${host}`)).join(''))
  await eventually(async () => (await explain(network)).cause === 'counted')
  const { verdict, jails } = await explain(network)
  assert.match(verdict, '3 of 6 failures in sshd within 10 min, by 2 of at least 3 addresses.')
  assert.equal(jails[0]?.network?.addresses, [
    { address: '2001:db8:0:1::2', failures: 2 },
    { address: '2001:db8:0:1::1', failures: 1 },
  ])
  assert.match(await ask(network), '2001:db8:0:1::2 (2), 2001:db8:0:1::1 (1)')
  appendFileSync(log, [3, 4, 5].map((host) => failed(`2001:db8:0:1::${host}`)).join(''))
  await agent.shows(`ban ${network}`)
  await eventually(async () => (await explain(network)).history.length > 0)
  const text = await ask(network)
  for (const host of [1, 2, 3, 4, 5]) assert.match(text, `Failed password for root from 2001:db8:0:1::${host} `)
  await agent.end()
})

test('of an address that nothing counts, the last line that names it says why', async () => {
  const { log, explain } = bed()
  for (const [text, cause] of [
    [failed('192.0.2.7', 0, 'Failed password for root at'), 'failregex'],
    [failed('192.0.2.7', 7_200_000), 'too-old'],
    [failed('192.0.2.7').trimEnd(), 'unfinished'],
    [failed('192.0.2.7').replace('sshd[', 'dropbear['), 'other-program'],
    [failed('192.0.2.7').replace(/^\S+/, '22-11-26/10.00.00'), 'no-date'],
    [failed('192.0.2.77'), 'unknown'],
  ] as const) {
    writeFileSync(log, failed('203.0.113.1') + text)
    const answer = await explain('192.0.2.7')
    assert.is(answer.cause, cause, answer.verdict)
  }
})

test('lines on standard input are read one after the other', async () => {
  const { config } = bed()
  const lines = [
    failed('192.0.2.7'),
    failed('192.0.2.7'),
    failed('192.0.2.7'),
    failed('192.0.2.7'),
    failed('192.0.2.8', 0, 'Invalid user x from').replace(' ssh2', ''),
    failed('192.0.2.8', 0, 'Failed password for invalid user x from'),
    failed('192.0.2.9').trimEnd(),
  ]
  const { stdout } = await bailiff(['explain', '--config', config, '--json', '-'], lines.join(''))
  const causes = stdout
    .trim()
    .split('\n')
    .map((each) => (JSON.parse(each) as LineExplanation).cause)
  assert.equal(causes, ['counts', 'counts', 'bans', 'already-banned', 'counts', 'already-counted', 'unfinished'])
})

test('what makes no sense is refused in words', async () => {
  const { config } = bed()
  const run = (...words: string[]) => bailiff(['explain', '--config', config, ...words])
  for (const [words, code, message] of [
    [['--now', 'soon', 'x'], 64, '--now "soon" is no time'],
    [['--jail', 'none', 'x'], 64, 'there is no jail none; there are sshd, shadow'],
    [['-'], 65, 'there is no line'],
    [['192.0.2.300'], 64, '"192.0.2.300" is neither an IP address or prefix nor a line'],
    [['sshd'], 64, 'neither an IP address or prefix nor a line'],
  ] as const) {
    const ended = await run(...words)
    assert.is(ended.code, code, ended.stderr)
    assert.match(ended.stderr, message)
  }
})

test.after(endAgents)
test.run()
