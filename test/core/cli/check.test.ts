import { spawnSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { printable } from '../../../core/errors.ts'
import { suite } from '../../suite.ts'

const test = suite('check')
const folder = mkdtempSync(join(tmpdir(), 'bailiff-check-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const script = `
import { Command } from ${JSON.stringify(import.meta.resolve('commander'))}
import add from ${JSON.stringify(new URL('../../../core/cli/check.js', import.meta.url).href)}
const program = new Command('bailiff')
add(program)
await program.parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})`

/** Runs the command on a configuration of these files; paths in the output are relative to it. */
function check(files: Readonly<Record<string, string>>, ...options: string[]) {
  const root = mkdtempSync(join(folder, 'c-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  const words = ['check', '--config', join(root, 'bailiff.yaml'), ...options]
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', script, '--', ...words], {
    encoding: 'utf8',
    timeout: 60_000,
    cwd: root,
  })
  return { code: done.status, out: done.stdout.replaceAll(`${root}/`, ''), err: done.stderr }
}

const plain = {
  'filters/plain.yaml': `
sources: [/dev/null]
ports: [ssh]
failregex: ['^bad from <ADDR>$']
samples: { match: [ { line: 'bad from 192.0.2.1', address: 192.0.2.1 } ], pass: ['good'] }
`,
}

test('a right configuration', () => {
  const { code, out, err } = check({ 'bailiff.yaml': 'jails: { plain: on }', ...plain })
  assert.equal([code, err], [0, ''])
  assert.match(out, /plain +enforce +plain +\/dev\/null +tcp 22 +firewall/)
  assert.match(out, /bailiff\.yaml: 1 jail, 1 filter, 1 pattern, 2 samples, 0 problems, 0 warnings\n$/)
})

test('--verbose says what runs for each jail, and what of it is doubtful', () => {
  const files = {
    'bailiff.yaml': `defaults: { findtime: 90s, bantime: { base: 1h, max: 1d } }
jails:
  plain: on
  loose:
    source: /dev/null
    ports: all
    mode: observe
    bantime: permanent
    timezone: '+02:00'
    filter:
      programs: [popd]
      failregex: ['<ADDR>', '(a)\\1 failed for <ADDR>$']
  fields: { source: stdin, ports: [80], filter: { format: json, match: { status: 401 }, address: ip, time: t } }
  recidive: { jails: [plain] }
`,
    ...plain,
  }
  const { out, code } = check(files, '--verbose')
  assert.is(code, 0, out)
  const facts: RegExp[] = [
    /^plain \(enforce\)\n {2}where +bailiff\.yaml:3\n {2}filter +plain in mode normal, filters\/plain\.yaml/m,
    /^ {2}because +\/dev\/null is written to|^ {2}because +\/dev\/null/m,
    /^ {2}counts +5 failures within 1m30s are a ban of 1h, each 2 times the last, at most 1d; IPv6 networks too$/m,
    /^ {2}samples +2 of 2 passed$/m,
    /^ {2}failregex 0 {2}linear; needs "bad from "; filters\/plain\.yaml:4$/m,
    /^ {2}engine +scan$/m,
    /^ {2}engine +structured$/m,
    /^loose \(observe\)$/m,
    /^ {2}dates +all usual forms; those without a zone are of \+02:00$/m,
    /^ {2}counts +5 failures within 1m30s are a ban for ever/m,
    /^ {2}failregex 0 {2}.*no literal: every line is looked at; bailiff\.yaml:12$/m,
    /^ {2}failregex 1 {2}backtracking: it has .*; needs "failed for "|^ {2}failregex 1 {2}backtracking: it has .*needs " failed for "/m,
    /^ {2}warning +failregex 0: without a literal text/m,
    /^ {2}warning +failregex 0, failregex 1: runs by backtracking/m,
    /^ {2}warning +failregex 0, failregex 1: does not begin with \^/m,
    /^ {2}reads +stdin$/m,
    /^ {2}dates +in the field t$/m,
    /^ {2}match 0 +.*status.*401/m,
    /^ {2}reads +bans of plain\n {2}counts +5 bans within 1d are a ban of 1w/m,
  ]
  for (const fact of facts) assert.match(out, fact)
  const { details } = JSON.parse(check(files, '--verbose', '--json').out) as { details: Record<string, unknown>[] }
  assert.equal(
    details.map(({ jail }) => jail),
    ['plain', 'loose', 'fields', 'recidive'],
  )
  assert.not.match(check(files, '--json').out, /"details"/)
})

test('a log into which a peer can write lines of his own, by its name and by a pattern', () => {
  const logs = mkdtempSync(join(folder, 'logs-'))
  for (const name of ['error.log', 'access.log']) writeFileSync(join(logs, name), '')
  const filter = plain['filters/plain.yaml'].replace('ports:', 'forgeable: { error.log: read access.log }\nports:')
  for (const [source, forgeable] of [
    ['error.log', true],
    ['*.log', true],
    ['access.log', false],
    ['acc*.log', false],
  ] as const) {
    const { code, out } = check({
      'bailiff.yaml': `jails: { plain: { source: '${join(logs, source)}' } }`,
      'filters/plain.yaml': filter,
    })
    assert.is(code, 0, out)
    assert.is(/lines of his own and have anybody banned\n +read access\.log/.test(out), forgeable, source)
  }
})

test('certificates that are not there, and a folder of the agent that its user may not write in', () => {
  const listening = (files: string) => `user: nobody
state: ./state
control: ./state/c.sock
jails:
  plain:
    source: { syslog: { listen: 'tls://127.0.0.1:6514', ${files} } }
`
  const files = { ...plain, cert: 'x', 'state/other': 'x' }
  const { code, out } = check({
    ...files,
    'bailiff.yaml': listening('cert: /nowhere/c.pem, key: /nowhere/k.pem, clients: any'),
  })
  assert.is(code, 0, out)
  for (const option of ['cert', 'key'])
    assert.match(out, new RegExp(`bailiff\\.yaml:6\\S* \\S+\\.${option}: there is no file "/nowhere/`))
  const closed = /(state|control): the user nobody may not write in/g
  assert.equal(
    Array.from(out.matchAll(closed), ([, option]) => option),
    process.geteuid?.() === 0 ? ['state', 'control'] : [],
  )
  const there = check({ ...plain, 'bailiff.yaml': listening('cert: /etc/passwd, key: /etc/passwd, clients: any') })
  assert.not.match(there.out, /there is no file|may not write/)
})

test('a filter of fields inside a jail, with samples', () => {
  const samples = (address: string) => `
      samples:
        match:
          - line: '{"method":"POST","path":"/wp-login.php","status":200,"remote_addr":"192.0.2.7","user":"joe"}'
            address: ${address}
            user: joe
        hostile:
          - line: '{"method":"POST","path":"/wp-login.php","status":200,"remote_addr":"192.0.2.7","xff":"203.0.113.9"}'
            address: 192.0.2.7`
  const jail = (address: string) => `jails:
  wp-login:
    mode: observe
    source: /dev/null
    ports: [http, https]
    filter:
      format: json
      match: { method: POST, path: /wp-login.php, status: 200 }
      address: [xff, remote_addr]
      time: time_iso8601
      user: user${samples(address)}
`
  const { code, out } = check({ 'bailiff.yaml': jail('192.0.2.7') })
  assert.is(code, 0, out)
  assert.match(out, /1 jail, 1 filter, 1 pattern, 2 samples, 0 problems, 0 warnings/)
  const wrong = check({ 'bailiff.yaml': jail('192.0.2.8') })
  assert.match(wrong.out, /:14:\d+: .*tells of 192\.0\.2\.7 instead of 192\.0\.2\.8, by match 1/)
  const alone =
    'jails: { a: { source: /dev/null, filter: { format: json, match: { a: b }, address: x_forwarded_for } } }'
  assert.match(check({ 'bailiff.yaml': alone }).out, /^warning .*the address is in x_forwarded_for alone/m)
})

test('what is wrong is shown at its place, and the rest as well', () => {
  const { code, out } = check({
    'bailiff.yaml':
      'jails:\n  plain: on\n  typo: { filter: plain, maxrety: 3 }\n  bad: on\n  lies: { source: /nonexistent/log }\n',
    ...plain,
    'filters/bad.yaml': "sources: [/dev/null]\nfailregex: ['(<ADDR>']\n",
    'filters/lies.yaml': "failregex: ['<ADDR>']\nsamples:\n  pass:\n    - 'from 192.0.2.1'\n",
  })
  assert.is(code, 78)
  assert.match(
    out,
    /^problem {2}bailiff\.yaml:3:26: jails\.typo\.maxrety: unknown option "maxrety"; did you mean maxretry\?$/m,
  )
  assert.match(out, /^problem {2}filters\/bad\.yaml:2:13: failregex\[0\]: failregex 1, character/m)
  assert.match(out, /^problem {2}filters\/lies\.yaml:4:7: samples\.pass\[0\]: .*this sample tells of 192\.0\.2\.1/m)
  assert.match(out, /^warning {2}bailiff\.yaml:5:3: jails\.lies: there is no \/nonexistent\/log yet/m)
  assert.match(out, /typo is left out/)
  assert.match(out, /2 jails, 2 filters, 2 patterns, 3 samples, 3 problems, 1 warning\n$/)
})

test('users, groups and programs that are not there are found, at their places', () => {
  const { code, out } = check({
    'bailiff.yaml': `user: nobody-is-called-this
firewall:
  user: nor-this
jails:
  plain:
    also:
      - command:
          ban: [/nonexistent/edge, '{prefix}']
          unban: [/etc/passwd, '{prefix}']
      - command: { ban: [/bin/true] }
`,
    ...plain,
  })
  assert.is(code, 78)
  assert.match(out, /^problem {2}bailiff\.yaml:1:7: user: there is no user "nobody-is-called-this"\n {2}make one with/m)
  assert.match(out, /^problem {2}bailiff\.yaml:3:9: firewall\.user: there is no user "nor-this"/m)
  assert.match(
    out,
    /^warning {2}bailiff\.yaml:8:17: .*the program "\/nonexistent\/edge" cannot be run: there is no such file/m,
  )
  assert.match(
    out,
    /^warning {2}bailiff\.yaml:9:19: .*the program "\/etc\/passwd" cannot be run: nobody may execute it/m,
  )
  assert.match(out, /, 2 problems, 2 warnings\n$/)
  const groups = check({ 'bailiff.yaml': 'jails: { plain: on }\nuser: daemon\ngroups: [adm, no-such-group]', ...plain })
  assert.match(groups.out, /^problem {2}bailiff\.yaml:3:\d+: groups: there is no group "no-such-group"/m)
  const shared = check({ 'bailiff.yaml': 'user: daemon\nfirewall: { user: daemon }\njails: { plain: on }', ...plain })
  assert.match(shared.out, /^problem {2}bailiff\.yaml:2:19: firewall\.user: "daemon" is the user of the agent/m)
  for (const user of ['root', 'daemon'])
    assert.is(check({ 'bailiff.yaml': `jails: { plain: on }\nuser: ${user}`, ...plain }).code, 0, user)
})

function told(level: 'warning' | 'problem', code: number, cases: readonly (readonly [source: string, told: string])[]) {
  const jails = cases.map(([source], index) => `  j${index}: { filter: plain, source: ${source} }\n`)
  const checked = check({ ...plain, 'bailiff.yaml': `jails:\n${jails.join('')}` })
  assert.is(checked.code, code)
  for (const [index, [, says]] of cases.entries()) {
    assert.match(checked.out, says)
    assert.match(checked.out, new RegExp(`^${level} +bailiff\\.yaml:${index + 2}:\\d+: `, 'm'))
  }
  assert.not.match(checked.out, /expected \w+, received|Too small|Invalid option|Unrecognized/)
}

test('sources that can bring nothing are found', () => {
  told('warning', 0, [
    ['/etc', '/etc is a folder, so j0 sees nothing of it\n  name the files in it, such as /etc/*.log'],
    [`'/x/${'{a,b}'.repeat(9)}'`, 'stands for more than 256 others, so j1 sees nothing of it'],
    ['{ command: { command: [/nonexistent/tail] } }', 'the program "/nonexistent/tail" cannot be run'],
  ])
})

test('options that a source does not take are refused in plain words', () => {
  told('problem', 78, [
    ['{ command: [/bin/true] }', 'must be a map, but is a list; there are command, env'],
    ['{ stdin: { follow: yes } }', 'it has no options'],
    ['{ journal: { units: [] } }', 'units: is an empty list'],
    ['{ journal: { priority: 9 } }', 'priority: must be one of emerg, alert'],
    ['{ file: { path: /x/*, limit: 0 } }', 'limit: must be at least 1'],
    ['{ file: { path: /x/*, limit: many } }', 'limit: must be a number, but is a text'],
    ['{ syslog: {} }', 'listen: is missing: say where to listen'],
  ])
})

test('a path that begins with ~ makes no folder of that name', () => {
  const cases: [text: string, places: string[]][] = [
    [
      'state: ~/bans\ncontrol: ~/x.sock\nfirewall: { socket: ~me/x.sock }\nnotifiers: [~/tell.mjs]',
      ['1:8: state', '2:10: control', '3:21: firewall.socket', '4:13: notifiers[0]'],
    ],
    [
      `jails:
  plain: { source: ~/a.log }
  b: { filter: plain, sources: [~/a.log] }
  c: { filter: plain, source: { file: { path: ~/a.log } } }`,
      ['2:20: jails.plain.source', '3:33: jails.b.sources[0]', '4:47: jails.c.source'],
    ],
  ]
  for (const [text, places] of cases) {
    const { code, out } = check({ 'bailiff.yaml': text, ...plain })
    assert.is(code, 78, out)
    for (const place of places) assert.match(out, `problem  bailiff.yaml:${place}`, out)
    assert.is(out.match(/~ is no home folder in YAML/g)?.length, places.length, out)
  }
})

test('a configuration of which nothing can be used', () => {
  const broken = check({ 'bailiff.yaml': 'jail: {}\ndefaults: { maxretry: x, findtime: y }' })
  assert.is(broken.code, 78)
  assert.is(broken.out.match(/^problem/gm)?.length, 3)
  const noYaml = check({ 'bailiff.yaml': 'a: [' })
  assert.equal([noYaml.code, noYaml.err], [78, ''])
  assert.match(noYaml.out, /^problem {2}bailiff\.yaml:1:\d+: not valid YAML/)
})

test('no configuration is an error of another kind', () => {
  const { code, err } = check({})
  assert.is(code, 1)
  assert.match(err, 'there is no such file')
})

test('nothing is on', () => {
  const { code, out } = check({ 'bailiff.yaml': '' })
  assert.is(code, 0)
  assert.match(out, 'no jail is on')
})

test('as JSON', () => {
  const { code, out } = check({ 'bailiff.yaml': 'jails: { plain: on, x: on }', ...plain }, '--json')
  assert.is(code, 78)
  const found = JSON.parse(out) as Record<string, unknown[]>
  const [jail] = found.jails as { maxretry: number }[]
  assert.is(jail?.maxretry, 5)
  assert.equal(found.broken, ['x'])
  assert.equal(found.filters, [{ name: 'plain', patterns: 1, samples: 2 }])
  assert.match(JSON.stringify(found.problems), '"line":1')
})

test('control characters of a configuration do not reach the terminal', () => {
  const { out } = check({ 'bailiff.yaml': 'jails: { "a\\e[31m": on }\n' })
  assert.match(out, '\\x1b')
  for (const line of out.split('\n')) assert.is(line, printable(line))
})

test('each failregex is marked as linear or backtracking, in both dialects', () => {
  const files = {
    'bailiff.yaml': `jails: { odd: { source: /dev/null, ports: [22], filter: { failregex: ['^a <HOST>$', '^(?!x)b <HOST>$', '^c <HOST>$'] } } }`,
    'tree/fail2ban.conf': '[Definition]\n',
    'tree/filter.d/odd.conf':
      '[Definition]\nfailregex = ^a <HOST>$\n            ^(?!x)b <HOST>$\n            ^c <HOST>$\n',
    'tree/jail.conf': '[odd]\nenabled = true\nfilter = odd\nbackend = polling\nlogpath = /dev/null\nport = 22\n',
  }
  const own = { 'bailiff.yaml': files['bailiff.yaml'] }
  const ofTree = { ...files, 'bailiff.yaml': 'jails: {}' }
  for (const [given, ...options] of [[own], [ofTree, '--fail2ban', 'tree']] as const) {
    assert.match(check(given, ...options).out, /LINEAR FAILREGEX +BACKTRACKING\nodd +0, 2 +1 \(a look-around\)/)
    const { jails } = JSON.parse(check(given, ...options, '--json').out) as {
      jails: { failregex: { index: number; runs: string; because: string | null }[] }[]
    }
    assert.equal(
      jails[0]?.failregex.map(({ index, runs, because }) => [index, runs, because]),
      [
        [0, 'linear', null],
        [1, 'backtracking', 'a look-around'],
        [2, 'linear', null],
      ],
    )
  }
})

test.run()
