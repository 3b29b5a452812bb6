import { spawnSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type {
  AddressReport,
  AllowAnswer,
  BanAnswer,
  JailReport,
  ListAnswer,
  StatusReport,
} from '../../../core/control/api.ts'
import { suite, which } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('every day, without a firewall')
const folder = temporaryFolder()
const log = join(folder, 'auth.log')
const list = join(folder, 'list.txt')
const jails = `ignoreself: false
ignoreip: [198.51.100.0/24]
defaults: { maxretry: 3, bantime: 10m, actions: [memory] }
jails:
  sshd: { source: ${log} }
  watch: { filter: sshd, mode: observe, source: ${log} }
  lost: { filter: sshd, source: ${folder}/nowhere.log }
`
const config = writeConfig(folder, jails)
const cli = (...words: string[]) => bailiff([...words, '-c', config])
const json = async <T>(...words: string[]): Promise<T> => {
  const { code, stdout, stderr } = await cli(...words, '--json')
  assert.is(code, 0, stderr)
  return JSON.parse(stdout) as T
}
const fail = (address: string, times = 3) =>
  appendFileSync(
    log,
    `${new Date().toISOString()} host sshd[77]: Failed password for root from ${address} port 4711 ssh2\n`.repeat(
      times,
    ),
  )
let agent: AgentProcess

test.before(async () => {
  writeFileSync(log, '')
  agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: sshd')
})

test('an observing jail shows whom it would ban, and bans nobody, not even when asked to', async () => {
  fail('192.0.2.7')
  await agent.shows('would ban 192.0.2.7')
  await agent.shows('ban 192.0.2.7 until')
  const { jails: all } = await json<StatusReport>('status')
  assert.equal(
    all.slice(0, 2).map(({ jail, banned, wouldBan, bannedTotal }) => [jail, banned, wouldBan, bannedTotal]),
    [
      ['sshd', 1, 0, 1],
      ['watch', 0, 1, 1],
    ],
  )
  const { bans } = await json<JailReport>('status', 'watch')
  assert.equal(
    bans.map(({ prefix, enforced, observed }) => [prefix, enforced, observed]),
    [['192.0.2.7', false, true]],
  )
  assert.match((await cli('status')).stdout, 'WOULD BE BANNED')
  const asked = await cli('ban', '192.0.2.8', '--jail', 'watch')
  assert.is(asked.code, 69)
  assert.match(asked.stderr, 'only observes')
})

test('who is allowed is let in, spared by every jail, and told of', async () => {
  const { ended, allowed } = await json<AllowAnswer>('allow', '192.0.2.7', 'LOCALHOST', '--for', '1h')
  assert.equal(
    ended.map(({ prefix, jail }) => [prefix, jail]),
    [['192.0.2.7', 'sshd']],
  )
  assert.equal(
    allowed.map(({ subject }) => subject),
    ['192.0.2.7', 'localhost'],
  )
  assert.ok(allowed[1]?.prefixes.some((prefix) => prefix === '127.0.0.1' || prefix === '::1'))
  fail('192.0.2.7', 5)
  fail('192.0.2.9')
  await agent.shows('ban 192.0.2.9 until')
  const report = await json<AddressReport>('status', '192.0.2.7')
  assert.equal(report.bans, [])
  assert.match(report.spared ?? '', /^allowed until /)
  assert.match((await cli('status')).stdout, /ALLOWED +ENDS/)
  const refused = await bailiff(['ban', '192.0.2.0/29', '--json', '-c', config])
  assert.match((JSON.parse(refused.stdout) as BanAnswer).results[0]?.detail ?? '', 'allowed until')
  assert.is((await cli('allow', '--remove', '192.0.2.7')).code, 0)
  assert.is((await cli('allow', '--remove', '192.0.2.7')).code, 66)
  fail('192.0.2.7')
  await agent.shows(/\] ban 192\.0\.2\.7 until[\s\S]*\] ban 192\.0\.2\.7 until/)
})

test('a name that there is not is refused, and changes nothing', async () => {
  const { code, stderr } = await cli('allow', 'no-such-host.invalid')
  assert.is(code, 66)
  assert.match(stderr, /"no-such-host\.invalid" cannot be looked up/)
})

test('a list: bad lines are told with their place, ignored addresses are left out', async () => {
  writeFileSync(
    list,
    '\ufeff# a list\n203.0.113.5\r\n198.51.100.9 # ours\n  2001:db8::/32 ; note\n\nbad \u001b[2J line\n300.1.1.1\n203.0.113.5',
  )
  const told = await cli('ban', '--file', list, '--name', 'drop', '--for', '1d')
  assert.is(told.code, 0, told.stderr)
  assert.match(told.stdout, 'drop: 2 entries banned, 2 new, 0 gone, ends in ')
  assert.match(told.stdout, '1 left out, for example 198.51.100.9: the ignore list has 198.51.100.0/24')
  assert.match(told.stderr, `${list}:6: "bad \\x1b[2J line" is not an IP address or prefix`)
  assert.match(told.stderr, `${list}:7: "300.1.1.1"`)
  const answer = await json<ListAnswer & { bad: number; badLines: { line: number }[] }>(
    'ban',
    '--file',
    list,
    '--name',
    'drop',
  )
  assert.equal([answer.lines, answer.entries, answer.added, answer.gone, answer.bad], [4, 2, 0, 0, 2])
  assert.equal(
    answer.badLines.map(({ line }) => line),
    [6, 7],
  )
  assert.match((await cli('status')).stdout, /LIST +ENTRIES/)
  const piped = await bailiff(['ban', '--file', '-', '--name', 'piped', '-c', config], '203.0.113.0/24\n')
  assert.match(piped.stdout, 'piped: 1 entry banned')
  const everything = await cli('unban', '--all')
  assert.match(everything.stdout, 'the list drop: ended (2 entries)')
  assert.match(everything.stdout, '192.0.2.9: unbanned (sshd)')
  assert.is((await json<StatusReport>('status')).bans, 0)
})

test('words that make no sense together are refused, with what does', async () => {
  const cases: [words: string[], said: string][] = [
    [['ban'], 'name addresses to ban, a --file, or --list-names'],
    [['ban', '--file', list], '--file and --name go together'],
    [['ban', '--name', 'x'], 'name addresses to ban'],
    [['ban', '192.0.2.1', '--file', list, '--name', 'x'], 'only one of these'],
    [['ban', '--file', list, '--name', 'x', '--jail', 'sshd'], 'leave --jail out'],
    [['ban', '192.0.2.1', '--strict'], '--strict goes with --file'],
    [['ban', '--file', list, '--name', 'a/b'], 'cannot be the name of a list'],
    [['unban', '192.0.2.1', '--name', 'x'], 'only one of these'],
    [['allow', '--list', '192.0.2.1'], '--list takes no address'],
    [['allow', '--remove'], 'name whom to --remove'],
    [['allow', '--for', '1h'], '--for needs an address'],
    [['allow', '192.0.2.1', '--for', 'soon'], 'not a length of time'],
    [['allow', '192.0.2'], 'neither an IP address or prefix nor the name'],
    [['status', '192.0.2.300'], '"192.0.2.300" is not an IP address or prefix'],
    [['status', '2001:db8::/129'], '"2001:db8::/129" is not an IP address or prefix'],
  ]
  for (const [words, said] of cases) {
    const { code, stderr } = await cli(...words)
    assert.is(code, 64, words.join(' '))
    assert.match(stderr, said, words.join(' '))
  }
})

test('a jail whose log is not there says so, with what mends it', async () => {
  await agent.shows('nowhere.log')
  for (let tries = 0; tries < 100; tries++) {
    const { findings } = await json<StatusReport>('status')
    if (findings.length === 0) continue
    assert.equal(
      findings.map(({ jail, grade }) => [jail, grade]),
      [['lost', 'blind']],
    )
    const { stdout } = await cli('status', 'lost')
    assert.ok(/there is no such file\.\n {2}Correct the path/.test(stdout), stdout)
    return
  }
  assert.unreachable('no finding')
})

test('metrics are read as Prometheus reads them, on the socket and on loopback', async () => {
  const text = (await cli('metrics')).stdout
  const read = readMetrics(text)
  assert.is(read.get('bailiff_bans_total{jail="sshd"}'), 3)
  assert.is(read.get('bailiff_would_bans_total{jail="watch"}'), 3)
  assert.is(read.get('bailiff_jail_blind{jail="lost"}'), 1)
  assert.is(read.get('bailiff_log_readable{log="' + log + '"}'), 1)
  assert.ok((read.get(`bailiff_lines_total{log="${log}"}`) ?? 0) >= 14)
  const promtool = which('promtool')
  if (promtool !== undefined) {
    const checked = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' })
    assert.is(checked.stderr, '')
  }
  const port = await freePort()
  writeConfig(folder, `${jails}metrics: 127.0.0.1:${port}\n`)
  assert.is((await cli('reload')).code, 0)
  assert.equal([...readMetrics(await fetched(port, '/metrics')).keys()], [...read.keys()])
  assert.match(await fetched(port, '/v1/status'), 'only /metrics')
  writeConfig(folder, `${jails}metrics: 0.0.0.0:${port}\n`)
  assert.match((await bailiff(['check', '-c', config])).stdout, /metrics are served to this machine only/)
  writeConfig(folder, jails)
  assert.is((await cli('reload')).code, 0)
  await fetched(port, '/metrics').then(
    () => assert.unreachable('nothing listens any more'),
    (error: NodeJS.ErrnoException) => assert.is(error.code, 'ECONNREFUSED'),
  )
})

test('a log into which a peer can write lines is told for the jails that read it, and is no blindness', async () => {
  const [error, access] = [join(folder, 'error.log'), join(folder, 'access.log')]
  for (const each of [error, access]) writeFileSync(each, '')
  const more = `  limits: { filter: nginx-limit-req, source: '${folder}/e*.log' }\n  web: { filter: nginx-http-auth, source: ${access} }\n`
  writeConfig(folder, jails + more)
  assert.is((await cli('reload')).code, 0)
  const { findings } = await json<StatusReport>('status')
  assert.equal(
    findings.filter(({ grade }) => grade === 'forgeable').map(({ jail, log: each }) => [jail, each]),
    [['limits', error]],
  )
  assert.match((await cli('status')).stdout, /limits, .*error\.log: a peer can write lines of his own into it/)
  assert.match(
    (await cli('doctor', '--no-proof')).stdout,
    /note +configuration: .*limits reads .*error\.log, into which/,
  )
})

test('who is written into ignoreip is let in at the reload; others stay banned', async () => {
  const banned = async () =>
    (await Promise.all(['sshd', 'manual'].map((jail) => json<JailReport>('status', jail).catch(() => ({ bans: [] })))))
      .flatMap(({ bans }) => bans.map(({ prefix, jail }) => `${jail} ${prefix}`))
      .filter((each) => /192\.0\.2\.(?:4\d|64)/.test(each))
      .toSorted()
  fail('192.0.2.40')
  fail('192.0.2.41')
  await agent.shows('ban 192.0.2.40 until')
  await agent.shows('ban 192.0.2.41 until')
  assert.is((await cli('ban', '192.0.2.64/28')).code, 0)
  assert.is((await cli('ban', '192.0.2.48', '--jail', 'sshd')).code, 0)
  assert.equal(await banned(), ['manual 192.0.2.64/28', 'sshd 192.0.2.40', 'sshd 192.0.2.41', 'sshd 192.0.2.48'])
  writeConfig(folder, jails.replace('ignoreip: [', 'ignoreip: [192.0.2.41, 192.0.2.48/29, 192.0.2.70, '))
  assert.is((await cli('reload')).code, 0)
  assert.equal(await banned(), ['sshd 192.0.2.40'])
  await agent.shows('unban 192.0.2.41 (ignored)')
  const { stdout } = await cli('explain', '192.0.2.41')
  assert.match(stdout, 'ended since it is never banned')
  writeConfig(folder, jails)
  assert.is((await cli('reload')).code, 0)
  assert.equal(await banned(), ['sshd 192.0.2.40'], 'who is not ignored any more begins anew')
})

test('who asks for JSON gets errors as JSON, too', async () => {
  const cases: [words: string[], code: number, kind: string][] = [
    [['status', '--json', '--socket', '/nowhere'], 69, 'unavailable'],
    [['status', 'nobody', '--json', '-c', config], 66, 'no-input'],
    [['ban', '192.0.2', '--json'], 64, 'usage'],
    [['status', '--nonsense', '--json'], 64, 'usage'],
    [['nonsense', '--json'], 64, 'usage'],
  ]
  for (const [words, code, kind] of cases) {
    const ended = await bailiff(words)
    assert.is(ended.code, code, words.join(' '))
    assert.is(ended.stdout, '')
    const { error } = JSON.parse(ended.stderr) as { error: { kind: string; exitCode: number } }
    assert.equal([error.kind, error.exitCode], [kind, code])
  }
})

test('on a terminal the tables fit, with colours unless nobody wants them', async () => {
  const script = which('script')
  if (script === undefined) return
  const main = fileURLToPath(new URL('../../../core/cli/main.js', import.meta.url))
  const shown = (env: NodeJS.ProcessEnv) =>
    spawnSync(script, ['-qec', `stty cols 60; ${process.execPath} ${main} status -c ${config}`, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm', ...env },
      input: '',
    }).stdout
  const plain = shown({ NO_COLOR: '1' })
  assert.not.match(plain, '\u001b')
  const logs = plain.split(/\r?\n/).filter((line) => line.includes('auth') || line.startsWith('LOG'))
  for (const line of logs) assert.ok(line.length <= 60, line)
  assert.match(plain, '…')
  // Node takes a CI for a terminal without colours.
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...env } = process.env
  const coloured = spawnSync(script, ['-qec', `${process.execPath} ${main} status -c ${config}`, '/dev/null'], {
    encoding: 'utf8',
    env: { ...env, TERM: 'xterm' },
    input: '',
  }).stdout
  assert.match(coloured, '\u001b[1m')
})

test.after(endAgents)
test.run()

/** A strict reader of the text format: HELP and TYPE before each metric, one line a sample. */
function readMetrics(text: string): Map<string, number> {
  const found = new Map<string, number>()
  let current = ''
  for (const line of text.trimEnd().split('\n')) {
    const [, help] = /^# HELP ([a-z_]+) \S.*\.$/.exec(line) ?? []
    const [, type, kind] = /^# TYPE ([a-z_]+) (counter|gauge)$/.exec(line) ?? []
    const [, key, name, value] =
      /^(([a-z_]+)(?:\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"\})?) (-?\d[\d.e+-]*)$/.exec(line) ?? []
    assert.ok(help ?? type ?? key, `no line of the format: ${line}`)
    if (help !== undefined) current = help
    if (type !== undefined) assert.is(type, current)
    if (kind !== undefined) assert.is(kind === 'counter', current.endsWith('_total'), current)
    if (key === undefined) continue
    assert.is(name, current)
    assert.not.ok(found.has(key), `${key} twice`)
    found.set(key, Number(value))
  }
  return found
}

function fetched(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = ''
      response.on('data', (part) => (text += part))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}
