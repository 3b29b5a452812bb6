/** What `bailiff import` makes of trees: of one that is written here, and of Debian's with all jails on. */
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { makeImport } from '../../../../core/cli/import-run.ts'
import { importText } from '../../../../core/cli/import-text.ts'
import { check } from '../../../../core/cli/check-configuration.ts'
import { durationText, offsetText, withMaskLength } from '../../../../core/fail2ban/importing/native-text.ts'
import { comparedTree } from '../../../compared-fail2ban.ts'
import { suite } from '../../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder } from '../../cli/agent-process.ts'
import { writeTree } from '../running/written-tree.ts'

const test = suite('import')
const stock = suite('import of a whole tree', 'fail2ban-server')
test.after.each(endAgents)

async function imported(tree: string) {
  const { imported: made, lost } = await makeImport(tree)
  const yaml = importText(tree, made, lost, true)
  return { lost, yaml, config: parse(yaml) as Record<string, Record<string, unknown>> }
}

/** The tree with these options of the jail `door`, and all of the import that is about it. */
async function door(options: string, more: Record<string, string> = {}) {
  const { config, lost } = await imported(writeTree({ 'jail.d/a.local': `[door]\n${options}`, ...more }))
  const { filter: _, source: __, ...map } = (config.jails?.door ?? {}) as Record<string, unknown>
  const { findtime, maxretry, bantime } = config.defaults ?? {}
  const told = lost.filter(({ jail }) => jail === 'door').map(({ what }) => what)
  return { map: { findtime, maxretry, bantime, ...map }, lost: told }
}

const usual = { findtime: '10m', maxretry: 3, bantime: '1h', ports: ['ssh', 8022] }
const cases: Record<string, [options: string, map: object, lost?: readonly string[]]> = {
  'as it is': ['', usual],
  'times and counts': [
    'findtime = 1h 30m\nmaxretry = 7\nbantime = 90000\n',
    { ...usual, findtime: '1h30m', maxretry: 7, bantime: '1d1h' },
  ],
  'for ever': ['bantime = -1\n', { ...usual, bantime: 'permanent' }],
  'longer and longer': [
    'bantime.increment = true\nbantime.maxtime = 1w\n',
    { ...usual, bantime: { base: '1h', increment: 'on', factor: 2, max: '1w' } },
  ],
  'longer by a formula': [
    'bantime.increment = true\nbantime.formula = ban.Time * 3\nbantime.rndtime = 5m\n',
    { ...usual, bantime: { base: '1h', increment: 'on', factor: 2, max: 'permanent' } },
    ['bantime.formula', 'bantime.rndtime'],
  ],
  ignored: [
    'ignoreip = 192.0.2.1 198.51.100.0/255.255.255.0, home.example.net file:/etc/friends\n',
    { ...usual, ignoreip: ['192.0.2.1', '198.51.100.0/24', 'home.example.net'] },
    ['ignoreip file:/etc/friends'],
  ],
  'all ports': ['banaction = iptables-allports\n', { ...usual, ports: 'all' }],
  'a range': ['port = 6000:6003,http\n', { ...usual, ports: ['6000-6003', 'http'] }],
  'too many ports': ['port = 1000:9000\n', { ...usual, ports: 'all' }, ['port = 1000-9000']],
  'both protocols': ['protocol = tcp,udp\n', { ...usual, protocol: 'tcp+udp' }],
  udp: ['protocol = udp\n', { ...usual, protocol: 'udp' }],
  'an action that tells': [
    'action = %(banaction)s[port="%(port)s", protocol=tcp]\n         tell[dest=root]\n',
    usual,
    ['action tell'],
  ],
  zone: ['logtimezone = UTC+0230\n', { ...usual, timezone: '+02:30' }],
  'a pattern that may begin with a blank': ['failregex = ^(?: \\[\\d+\\])? door: <HOST>$\n', usual, ['failregex']],
  'a program that is asked': ['ignorecommand = /bin/true <ip>\n', usual, ['ignorecommand']],
}

for (const [name, [options, map, lost = []]] of Object.entries(cases))
  test(name, async () => {
    const files = {
      'action.d/tell.conf': '[Definition]\nactionban = true\n',
      'action.d/iptables-allports.conf': '[Definition]\nactionban = true\n',
    }
    assert.equal(await door(options, files), { map, lost })
  })

test('the journal', async () => {
  const local = '[door]\nbackend = systemd\njournalmatch = _SYSTEMD_UNIT=door.service + _COMM=door\n'
  const { config } = await imported(writeTree({ 'jail.d/a.local': local }))
  const { source } = (config.jails ?? {}).door as { source: unknown }
  assert.equal(source, { journal: { matches: ['_SYSTEMD_UNIT=door.service', '+', '_COMM=door'] } })
})

test('jails that cannot be taken over are told with the reason, and the others are', async () => {
  const tree = writeTree({
    'filter.d/gate.conf': '[Definition]\nfailregex = ^ gate: <F-ALT_USER>\\S+</F-ALT_USER> <HOST>$\n',
    'jail.d/a.local': '[hall]\nenabled = true\nlogpath = FOLDER/door.log\n',
    'filter.d/hall.conf': '[Init]\nmaxlines = 3\n[Definition]\nfailregex = ^ hall: <HOST><SKIPLINES>gone$\n',
  })
  const { config, lost, yaml } = await imported(tree)
  assert.equal(Object.keys(config.jails ?? {}), ['door'])
  assert.equal(lost.map(({ jail, what }) => [jail, what]).toSorted(), [
    ['gate', 'jail'],
    ['hall', 'jail'],
  ])
  assert.match(yaml, /^# Not taken over: jail hall: .*maxlines/m)
})

test('what is written passes the check, bans, and is never written over', async () => {
  const tree = writeTree({ 'jail.d/a.local': '[gate]\nenabled = false\n' })
  const file = join(temporaryFolder(), 'bailiff.yaml')
  const json = await bailiff(['import', tree, '--json'])
  const { file: none, jails, filters, lost, yaml } = JSON.parse(json.stdout) as Record<string, unknown>
  assert.equal([none, jails, filters, lost], [null, ['door'], ['door'], []])
  assert.match(String(yaml), 'door: wrong key of')
  const first = await bailiff(['import', tree, '--out', file])
  assert.is(first.code, 0, first.stderr)
  assert.match(first.stdout, /1 jail, 1 new filter/)
  const filter = join(file, '../filters/door.yaml')
  assert.match(readFileSync(filter, 'utf8'), 'door: wrong key of')
  assert.equal((await check({ config: file })).problems, [])
  const [text, filterText] = [readFileSync(file, 'utf8'), readFileSync(filter, 'utf8')]
  const second = await bailiff(['import', tree, '--out', file])
  assert.is(second.code, 73)
  assert.match(second.stderr, 'is there already and is not changed')
  rmSync(file)
  assert.is((await bailiff(['import', tree, '--out', file])).code, 73)
  assert.not(existsSync(file))
  assert.is(readFileSync(filter, 'utf8'), filterText)
  writeFileSync(file, `${text}state: ${tree}/state\ncontrol: ${tree}/c.sock\nuser: root\n`)
  const agent = new AgentProcess(['run', '--config', file, '--observe'])
  await agent.shows('watching: door')
  appendFileSync(join(tree, 'door.log'), `${new Date().toISOString()} door: wrong key of 198.51.100.7\n`.repeat(3))
  await agent.shows('[door] would ban 198.51.100.7 ')
})

test('values as the native configuration writes them', () => {
  const durations: [seconds: number, text: string][] = [
    [1, '1s'],
    [600, '10m'],
    [3600, '1h'],
    [86_399, '23h59m59s'],
    [1_209_600, '2w'],
    [0.2, '1s'],
  ]
  for (const [seconds, text] of durations) assert.is(durationText(seconds), text)
  assert.is(withMaskLength('192.0.2.0/255.255.255.128'), '192.0.2.0/25')
  assert.is(withMaskLength('192.0.2.0/255.0.255.0'), '192.0.2.0/255.0.255.0')
  assert.is(offsetText('UTC-03'), '-03:00')
  assert.is(offsetText('CEST'), null)
})

stock('all jails at once: what is taken over passes the check, and each other jail has its reason', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'bailiff-tree-'))
  try {
    cpSync(comparedTree, tree, { recursive: true })
    writeFileSync(join(tree, 'jail.local'), '[DEFAULT]\nenabled = true\n')
    const { lost, yaml, config } = await imported(tree)
    const jails = Object.keys(config.jails ?? {})
    assert.ok(jails.length > 75, String(jails.length))
    const all = [...jails, ...lost.filter(({ what }) => what === 'jail').map(({ jail }) => jail)]
    assert.is(new Set(all).size, all.length)
    const file = join(temporaryFolder(), 'bailiff.yaml')
    writeFileSync(file, yaml)
    const { problems } = await check({ config: file })
    assert.equal(problems, [])
    // Ours of the same service, not patterns that somebody else wrote.
    for (const name of ['sshd', 'recidive', 'nginx-http-auth', 'dovecot'])
      assert.not(Object.hasOwn((config.jails?.[name] ?? {}) as object, 'filter'), name)
    const { 'postfix-sasl': sasl, recidive } = config.jails ?? {}
    assert.equal((sasl as { filter: unknown }).filter, { name: 'postfix', mode: 'auth' })
    assert.not(Object.hasOwn(recidive as object, 'source'))
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
})

test.run()
stock.run()
