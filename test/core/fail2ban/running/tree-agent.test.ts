/** The agent on trees of Fail2ban that are written here. */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { JailReport, StatusReport } from '../../../../core/control/api.ts'
import { suite } from '../../../suite.ts'
import { AgentProcess, bailiff, endAgents } from '../../cli/agent-process.ts'
import { writeTree } from './written-tree.ts'

const test = suite('agent on a tree')
test.after.each(endAgents)

/** How an agent runs on a tree without a firewall. */
function on(tree: string, more = 'defaults: { actions: [memory] }') {
  const config = join(tree, 'bailiff.yaml')
  writeFileSync(config, `state: ${tree}/state\ncontrol: ${tree}/c.sock\nuser: root\n${more}\n`)
  const words = ['--fail2ban', tree, '--config', config]
  const json = async (...command: string[]): Promise<unknown> => {
    const { stdout, stderr } = await bailiff([...command, '--config', config, '--json'])
    return JSON.parse(stdout || stderr)
  }
  return {
    tree,
    start: (...options: string[]) => new AgentProcess(['run', ...words, ...options]),
    check: () => bailiff(['check', ...words]),
    write: (log: string, ...messages: string[]) =>
      appendFileSync(join(tree, log), messages.map((message) => `${new Date().toISOString()} ${message}\n`).join('')),
    status: async () => (await json('status')) as StatusReport,
    jail: async (name: string) => (await json('status', name)) as JailReport,
    command: (...command: string[]) => bailiff([...command, '--config', config]),
  }
}

const wrongKey = (address: string) => `door: wrong key of ${address}`

test('jails ban as their options say, with their ports', async () => {
  const at = on(writeTree())
  const agent = at.start()
  await agent.shows('watching: door, gate')
  at.write('door.log', wrongKey('192.0.2.1'), wrongKey('192.0.2.1'), wrongKey('192.0.2.2'))
  at.write(
    'gate.log',
    'gate: 192.0.2.1 was turned away',
    'gate: 192.0.2.3 was turned away, closed',
    'gate: 192.0.2.1 was turned away',
  )
  await agent.shows('[gate] ban 192.0.2.1 ')
  at.write('door.log', wrongKey('192.0.2.1'), wrongKey('2001:db8::1'), wrongKey('2001:db8::1'), wrongKey('2001:db8::1'))
  await agent.shows('[door] ban 192.0.2.1 ')
  await agent.shows('[door] ban 2001:db8::1 ')
  const bansOf = async (jail: string) =>
    (await at.jail(jail)).bans.map(({ prefix, since, until, ports }) => [prefix, Number(until) - since, ports])
  const hour = 3_600_000
  const ports = { protocol: 'tcp', ports: [22, 8022] }
  assert.equal(await bansOf('door'), [
    ['192.0.2.1', hour, ports],
    ['2001:db8::1', hour, ports],
  ])
  assert.equal(await bansOf('gate'), [['192.0.2.1', hour, { protocol: 'udp', ports: [80] }]])
  const { jails, config } = await at.status()
  assert.equal(
    jails.map(({ jail, failures }) => [jail, failures]),
    [
      ['door', 7],
      ['gate', 2],
    ],
  )
  assert.match(config, 'bailiff.yaml')
})

test('a jail that can read no date of its log is blind, in status and with what tells more', async () => {
  const tree = writeTree()
  const at = on(tree)
  const agent = at.start()
  await agent.shows('watching: door, gate')
  appendFileSync(join(tree, 'door.log'), 'the twenty-second of November, door: wrong key of 192.0.2.1\n'.repeat(1500))
  at.write('gate.log', ...Array.from({ length: 1500 }, () => 'gate: nothing'))
  // The lines may come in several pieces, and it is found with the first.
  const isWhole = async () => (await at.status()).findings[0]?.what.includes('of 1500 lines') ?? false
  for (let tries = 0; tries < 600 && !(await isWhole()); tries++) await sleep(100)
  const { findings } = await at.status()
  assert.equal(
    findings.map(({ jail, grade, mend }) => [jail, grade, mend]),
    [['door', 'blind', `bailiff test --fail2ban ${tree} door ${tree}/door.log`]],
  )
  assert.match(findings[0]?.what ?? '', /none of 1500 lines that were looked at has a date/)
  assert.match((await at.command('status')).stdout, 'none of 1500 lines')
})

test('a broken jail is told with file, section and option, and the others run', async () => {
  const cases: Record<string, [files: Record<string, string>, message: RegExp]> = {
    'a pattern that is none': [
      { 'filter.d/gate.conf': '[Definition]\nfailregex = ^ gate: (<HOST>\n' },
      /filter\.d\/gate\.conf:2: \[Definition\] failregex: .*failregex 1/,
    ],
    'a pattern without an address': [
      { 'filter.d/gate.conf': '[Definition]\nfailregex = ^ gate: nobody\n' },
      /filter\.d\/gate\.conf:2: \[Definition\] failregex: /,
    ],
    'a filter that is not there': [{ 'jail.d/a.local': '[gate]\nfilter = gait\n' }, /gait/],
    'an option that is not there': [
      { 'jail.d/a.local': '[gate]\nlogpath = %(nowhere)s/x\n' },
      /\[gate\].*nowhere|nowhere.*\[gate\]/,
    ],
    'a journalmatch that is none': [
      { 'jail.d/a.local': '[gate]\nbackend = systemd\njournalmatch = sshd.service\n' },
      /jail\.d\/a\.local:3: \[gate\] journalmatch: "sshd\.service" is no condition/,
    ],
    'a formula that is none': [
      { 'jail.d/a.local': '[gate]\nbantime.increment = true\nbantime.formula = ban.Time *\n' },
      /jail\.d\/a\.local:3: \[gate\] bantime\.formula: (?!bantime)/,
    ],
    'an encoding that is none': [
      { 'jail.d/a.local': '[gate]\nlogencoding = klingon\n' },
      /jail\.d\/a\.local:2: \[gate\] logencoding: .*"klingon" is not known\n {2}name one/,
    ],
    'a zone that is none': [
      { 'jail.d/a.local': '[gate]\nlogtimezone = Mars\n' },
      /jail\.d\/a\.local:2: \[gate\] logtimezone: .*"Mars" is no zone/,
    ],
    'a quote that is open': [
      { 'jail.d/a.local': '[gate]\nbackend = systemd\njournalmatch = _COMM="x\n' },
      /jail\.d\/a\.local:3: \[gate\] journalmatch: .*a quote that is not closed/,
    ],
  }
  for (const [name, [files, message]] of Object.entries(cases)) {
    const at = on(writeTree(files))
    const { stdout, code } = await at.check()
    assert.is(code, 78, `${name}: ${stdout}`)
    assert.match(stdout, message, name)
    assert.match(stdout, /gate is left out/, name)
    if (!name.startsWith('a pattern that')) continue
    const agent = at.start()
    await agent.shows('watching: ')
    await agent.shows(message)
    at.write('door.log', wrongKey('192.0.2.1'), wrongKey('192.0.2.1'), wrongKey('192.0.2.1'))
    await agent.shows('[door] ban 192.0.2.1 ')
    const { jails, problems } = await at.status()
    assert.equal(
      jails.map(({ jail }) => jail),
      ['door'],
      name,
    )
    assert.match(problems.join('\n'), message, name)
    await agent.end()
  }
})

test('what is hardly meant is told, and the jails run', async () => {
  const cases: Record<string, [files: Record<string, string>, message: RegExp]> = {
    'an age that is no time': [
      { 'fail2ban.local': '[Definition]\ndbpurgeage = never\n' },
      /warning .*fail2ban\.local:2: \[Definition\] dbpurgeage: "never" is no time: .*, so it is a day/,
    ],
    'a filter whose local file is passed over': [
      { 'filter.d/gate.local': '[Definition]\nfailregex = \xff\xfe<HOST>\n' },
      /warning .*filter\.d\/gate\.local: the file is passed over: it is not UTF-8/,
    ],
    'a filter without a failregex': [
      { 'filter.d/gate.conf': '[Other]\nfailregex = <HOST>\n' },
      /warning .*filter\.d\/gate\.conf: \[Definition\] failregex: there is no failregex/,
    ],
    'a way with names that is none': [
      { 'jail.d/a.local': '[gate]\nusedns = maybe\n' },
      /warning .*jail\.d\/a\.local:2: \[gate\] usedns: "maybe" is none of yes, warn, no and raw, so it is no/,
    ],
  }
  for (const [name, [files, message]] of Object.entries(cases)) {
    const tree = writeTree(files)
    if ('filter.d/gate.local' in files)
      writeFileSync(join(tree, 'filter.d/gate.local'), Buffer.from(files['filter.d/gate.local'] ?? '', 'latin1'))
    const { stdout, code } = await on(tree).check()
    assert.is(code, 0, `${name}: ${stdout}`)
    assert.match(stdout, message, name)
    assert.match(stdout, /^door .*^gate /ms, name)
  }
})

test('a log that is not there yet is waited for; with skip_if_nologs the jail is left out', async () => {
  const local = '[gate]\nlogpath = FOLDER/later.log\n'
  const waiting = on(writeTree({ 'jail.d/a.local': local }))
  const agent = waiting.start()
  await agent.shows('[gate] logpath: no log is there yet, and the jail waits for it')
  // It may be starting still, and goes on.
  agent.child.kill('SIGHUP')
  await agent.shows('watching: door, gate')
  await agent.shows('the configuration was read again')
  waiting.write('later.log', 'gate: 192.0.2.1 was turned away', 'gate: 192.0.2.1 was turned away')
  await agent.shows('[gate] ban 192.0.2.1 ')
  await agent.end()
  const skipping = on(writeTree({ 'jail.d/a.local': `${local}skip_if_nologs = true\n` }))
  const other = skipping.start()
  await other.shows('[gate] logpath: no log is there, so the jail is left out (skip_if_nologs)')
  await other.shows(/watching: door$/m)
  assert.is((await skipping.check()).code, 0)
})

test('head reads what a log has already as far as it is recent, tail does not', async () => {
  const recent = `${new Date().toISOString()} gate: 192.0.2.1 was turned away\n`.repeat(2)
  const old = `${new Date(Date.now() - 3_600_000).toISOString()} gate: 192.0.2.2 was turned away\n`.repeat(2)
  const before = (tail: string) => ({
    'gate.log': old + recent,
    'jail.d/a.local': `[gate]\nlogpath = FOLDER/gate.log${tail}\n`,
  })
  const head = on(writeTree(before('')))
  const agent = head.start()
  await agent.shows('[gate] ban 192.0.2.1 ')
  assert.equal(
    (await head.jail('gate')).bans.map(({ prefix }) => prefix),
    ['192.0.2.1'],
  )
  await agent.end()
  const tail = on(writeTree(before(' tail')))
  const other = tail.start()
  await other.shows('watching')
  tail.write('gate.log', 'gate: 192.0.2.3 was turned away', 'gate: 192.0.2.3 was turned away')
  await other.shows('[gate] ban 192.0.2.3 ')
  assert.equal(
    (await tail.jail('gate')).bans.map(({ prefix }) => prefix),
    ['192.0.2.3'],
  )
})

test('of the first lines of a log those that are too old do not count, of later ones they count as new', async () => {
  const tree = writeTree()
  const at = on(tree)
  const agent = at.start()
  await agent.shows('watching')
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString()
  const old = (address: string) => `${hourAgo} gate: ${address} was turned away\n`.repeat(2)
  const recent = (address: string) => old(address).replaceAll(hourAgo, new Date().toISOString())
  appendFileSync(join(tree, 'gate.log'), old('192.0.2.2') + recent('192.0.2.1'))
  await agent.shows('[gate] ban 192.0.2.1 ')
  appendFileSync(join(tree, 'gate.log'), old('192.0.2.3'))
  await agent.shows('[gate] ban 192.0.2.3 ')
  assert.equal((await at.jail('gate')).bans.map(({ prefix }) => prefix).toSorted(), ['192.0.2.1', '192.0.2.3'])
})

test('SIGHUP reads the tree again; a jail that was broken runs, and bans stay', async () => {
  const tree = writeTree({ 'jail.d/a.local': '[gate]\nenabled = false\n' })
  const at = on(tree)
  const agent = at.start()
  await agent.shows(/watching: door$/m)
  at.write('door.log', ...Array.from({ length: 3 }, () => wrongKey('192.0.2.1')))
  await agent.shows('[door] ban 192.0.2.1 ')
  writeFileSync(join(tree, 'jail.d/a.local'), '[gate]\nmaxretry = 1\n')
  agent.child.kill('SIGHUP')
  await agent.shows('the configuration was read again')
  at.write('gate.log', 'gate: 192.0.2.2 was turned away')
  await agent.shows('[gate] ban 192.0.2.2 ')
  assert.equal(
    (await at.jail('door')).bans.map(({ prefix }) => prefix),
    ['192.0.2.1'],
  )
})

test('failures that wait for a command are not lost with the agent, nor counted twice', async () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    // Whoever is asked about waits for a file, and is not ignored.
    const ignorecommand = 'until test -e FOLDER/go; do sleep 0.1; done; exit 1'
    const tree = writeTree({ 'jail.d/a.local': `[door]\nignorecommand = ${ignorecommand}\n` })
    const at = on(tree)
    const agent = at.start()
    await agent.shows('watching: door, gate')
    at.write('door.log', wrongKey('192.0.2.1'), wrongKey('192.0.2.1'), wrongKey('192.0.2.2'), wrongKey('192.0.2.1'))
    at.write('gate.log', ...Array(2).fill('gate: 192.0.2.3 was turned away'))
    await agent.shows('[gate] ban 192.0.2.3 ')
    await sleep(2000)
    await agent.end(signal)
    assert.not.match(agent.output, /\[door\] ban/)
    writeFileSync(join(tree, 'go'), '')
    const other = at.start()
    await other.shows('[door] ban 192.0.2.1 ')
    assert.is((await at.jail('door')).bans[0]?.failures, 3)
    at.write('door.log', wrongKey('192.0.2.2'))
    await until(async () => (await at.status()).jails.some(({ jail, tracked }) => jail === 'door' && tracked === 1))
    assert.equal(
      (await at.jail('door')).bans.map(({ prefix }) => prefix),
      ['192.0.2.1'],
    )
    await other.end()
  }
})

test('a ban of an id that is no address goes on after a start', async () => {
  const at = on(
    writeTree({
      'filter.d/gate.conf': '[Definition]\nfailregex = ^ gate: <F-ID>\\w+</F-ID> was turned away$\n',
      'jail.d/a.local': '[gate]\nbantime.increment = true\n',
    }),
  )
  const read = () => readFileSync(join(at.tree, 'own.log'), 'utf8')
  const turnedAway = Array<string>(2).fill('gate: joe was turned away')
  const agent = at.start()
  await agent.shows('watching: door, gate')
  at.write('gate.log', ...turnedAway)
  await until(() => read().includes('[gate] Ban joe'))
  await sleep(700)
  await agent.end('SIGKILL')
  const other = at.start()
  await other.shows('watching: door, gate')
  await until(() => read().includes('[gate] Restore Ban joe'))
  at.write('gate.log', ...turnedAway)
  await until(() => /Found joe, bad - .*, 1 # -> 2/.test(read()))
  assert.is(read().split('[gate] Ban joe').length - 1, 1, read())
})

test('a log in UTF-16 is read as it grows, in either order', async () => {
  const tree = writeTree({
    'jail.d/a.local': '[door]\nlogencoding = utf-16\n[gate]\nlogencoding = utf-16le\n',
    'filter.d/door.conf': '[Definition]\nfailregex = ^ door: 上 <HOST>$\n',
  })
  const at = on(tree)
  const agent = at.start()
  await agent.shows('watching: door, gate')
  const write = (log: string, order: 'le' | 'be', text: string) => {
    const bytes = Buffer.from(text, 'utf16le')
    appendFileSync(join(tree, log), order === 'le' ? bytes : bytes.swap16())
  }
  const now = new Date().toISOString()
  write('door.log', 'be', '\ufeff')
  for (let i = 0; i < 3; i++) {
    write('door.log', 'be', `${now} door: 上 192.0.2.1\r\n${now} door: `)
    write('gate.log', 'le', `${now} gate: 192.0.2.2 was turned away\n`)
    await sleep(100)
    write('door.log', 'be', '上 192.0.2.3\n')
  }
  for (const [jail, ip] of [
    ['door', '192.0.2.1'],
    ['door', '192.0.2.3'],
    ['gate', '192.0.2.2'],
  ] as const)
    await agent.shows(`[${jail}] ban ${ip} `)
})

test('a log whose times are not those of this host is told of, once a kind', async () => {
  const at = on(writeTree())
  const agent = at.start()
  await agent.shows('watching: door, gate')
  const lineAt = (ms: number, message: string) => `${new Date(Date.now() + ms).toISOString()} ${message}\n`
  const append = (log: string, ...lines: string[]) => appendFileSync(join(at.tree, log), lines.join(''))
  at.write('door.log', wrongKey('192.0.2.9'))
  await sleep(1500)
  for (let i = 0; i < 3; i++) append('door.log', lineAt(-2 * 3_600_000, wrongKey('192.0.2.1')))
  await agent.shows('[door] ban 192.0.2.1 ')
  await agent.shows(
    /door\.log: its lines are dated 2h before the time of this host, .*set logtimezone.* First such line: .*192\.0\.2\.1/,
  )
  append('door.log', lineAt(-600_000, wrongKey('192.0.2.2')))
  await agent.shows(/door\.log: its lines come 10m after they are dated/)
  await sleep(500)
  assert.is(agent.output.split('the time of this host').length - 1, 1)
})

test('recidive reads the log that the agent writes, as far as it is one of Fail2ban', async () => {
  const recidive = {
    'jail.d/a.local':
      '[door]\nmaxretry = 1\nbantime = 8s\n\n[again]\nenabled = true\nlogpath = FOLDER/own.log\nmaxretry = 2\nport = 0:65535\n',
    'filter.d/again.conf':
      '[Definition]\nfailregex = ^\\s+fail2ban\\.actions\\s+\\[\\d+\\]: NOTICE\\s+\\[(?!again\\])(?:.*)\\]\\s+Ban\\s+<HOST>\\s*$\n',
  }
  const tree = writeTree(recidive)
  const at = on(tree)
  const agent = at.start()
  await agent.shows('watching')
  at.write('door.log', wrongKey('192.0.2.1'))
  await agent.shows('[door] ban 192.0.2.1 ')
  await agent.shows('[door] unban 192.0.2.1 ')
  at.write('door.log', wrongKey('192.0.2.1'))
  await agent.shows('[again] ban 192.0.2.1 ')
  const { bans } = await at.jail('again')
  assert.equal(
    bans.map(({ prefix, ports }) => [prefix, ports]),
    [['192.0.2.1', { protocol: 'all', ports: [] }]],
  )
  const log = readFileSync(join(tree, 'own.log'), 'utf8')
  for (const line of [
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} fail2ban\.filter {9}\[\d+\]: INFO {4}\[door\] Found 192\.0\.2\.1 - \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m,
    /^\S+ \S+ fail2ban\.actions {8}\[\d+\]: NOTICE {2}\[door\] Ban 192\.0\.2\.1$/m,
    /^\S+ \S+ fail2ban\.actions {8}\[\d+\]: NOTICE {2}\[door\] Unban 192\.0\.2\.1$/m,
    /^\S+ \S+ fail2ban\.actions {8}\[\d+\]: NOTICE {2}\[again\] Ban 192\.0\.2\.1$/m,
    /^\S+ \S+ fail2ban\.jail {11}\[\d+\]: INFO {4}Jail 'door' started$/m,
  ])
    assert.match(log, line)
})

test('ids stand in the log as there, and none can be read as the ban of another', async () => {
  const failregex = '^ gate: <F-ID>.+?</F-ID> came from <ADDR>$\n ^ gate: <F-ID>.+</F-ID> alone$'
  const tree = writeTree({
    'filter.d/gate.conf': `[Definition]\nfailregex = ${failregex}\n`,
    'jail.d/a.local': '[gate]\nmaxretry = 2\nbantime = 3s\n',
  })
  const at = on(tree)
  const agent = at.start()
  await agent.shows('watching')
  at.write('gate.log', 'gate: joe came from 192.0.2.6', 'gate: joe came from 192.0.2.7')
  at.write('gate.log', ...Array.from({ length: 2 }, () => 'gate: x] Ban 192.0.2.8 alone'))
  await agent.shows('[gate] ban 192.0.2.7 ')
  await agent.shows('[gate] unban 192.0.2.7 ')
  const told = () =>
    Array.from(
      readFileSync(join(tree, 'own.log'), 'utf8').matchAll(/\[gate\] ((?:Ban|Unban) .*)$/gm),
      ([, what]) => what,
    )
  for (let i = 0; i < 500 && told().length < 4; i++) await sleep(20)
  const forged = String.raw`x\x5d Ban 192.0.2.8`
  assert.equal(told().toSorted(), ['Ban joe', `Ban ${forged}`, 'Unban joe', `Unban ${forged}`])
})

test('who observes writes no log of Fail2ban, and one that is asked for goes where it is asked for', async () => {
  const tree = writeTree()
  const at = on(tree)
  const agent = at.start('--observe')
  await agent.shows('watching')
  at.write('door.log', ...Array.from({ length: 3 }, () => wrongKey('192.0.2.1')))
  await agent.shows('[door] would ban 192.0.2.1 ')
  await agent.end()
  assert.is(readFileSync(join(tree, 'own.log'), 'utf8'), '')
  const other = at.start('--observe', '--fail2ban-log', join(tree, 'asked.log'))
  await other.shows('watching')
  for (let i = 0; i < 500 && !existsSync(join(tree, 'asked.log')); i++) await sleep(20)
  renameSync(join(tree, 'asked.log'), join(tree, 'asked.log.1'))
  // The path is looked at again after a second.
  await sleep(1200)
  at.write('gate.log', ...Array.from({ length: 2 }, () => 'gate: 192.0.2.2 was turned away'))
  await other.shows('[gate] would ban 192.0.2.2 ')
  await other.end()
  assert.match(readFileSync(join(tree, 'asked.log'), 'utf8'), /NOTICE {2}\[gate\] Ban 192\.0\.2\.2$/m)
})

test('jails of our own run beside; one that is in both runs as ours says', async () => {
  const tree = writeTree()
  const filter = "{ failregex: '^own: <ADDR>$' }"
  const at = on(
    tree,
    `defaults: { actions: [memory] }\njails:\n  own: { source: ${tree}/own-jail.log, filter: ${filter}, maxretry: 1 }\n  gate: { source: ${tree}/other.log, filter: ${filter} }`,
  )
  const agent = at.start()
  await agent.shows('there is a jail "gate" in ')
  await agent.shows(/watching: own, gate, door$/m)
  at.write('own-jail.log', 'own: 198.51.100.1')
  await agent.shows('[own] ban 198.51.100.1 ')
  at.write('door.log', ...Array.from({ length: 3 }, () => wrongKey('192.0.2.1')))
  await agent.shows('[door] ban 192.0.2.1 ')
})

test('a folder that is no configuration of Fail2ban is refused', async () => {
  const { code, stderr } = await bailiff(['run', '--fail2ban', '/nonexistent', '--observe'])
  assert.is(code, 66, stderr)
  assert.match(stderr, '/nonexistent')
})

test.run()

/** Waits until it holds, for ten seconds at most. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end && !(await holds());) await sleep(50)
  assert.ok(await holds())
}
