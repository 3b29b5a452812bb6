import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { BailiffError, describeError } from '../../../core/errors.ts'
import { InvalidSettings, loadSettings, type Settings } from '../../../core/settings/load-settings.ts'
import { has, suite } from '../../suite.ts'
import { scratch } from './scratch.ts'

const test = suite('load settings')
const filters = {
  'filters/plain.yaml': 'sources: [/nonexistent/a.log, /dev/null, /dev/zero]\nports: [ssh]\nfailregex: bad <ADDR>\n',
}

function load(text: string, more: Readonly<Record<string, string>> = {}): Promise<Settings> {
  return loadSettings({ file: join(scratch({ 'bailiff.yaml': text, ...filters, ...more }), 'bailiff.yaml') })
}

/** The errors of the jails, without the folder, one text each. */
async function problemsOf(text: string, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
  return (await load(text, more)).problems.map(withoutFolder)
}

async function refusal(text: string, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
  try {
    await load(text, more)
  } catch (error) {
    assert.instance(error, BailiffError, String(error))
    return (error instanceof InvalidSettings ? error.problems : [error as BailiffError]).map(withoutFolder)
  }
  throw new Error('nothing was refused')
}

test('what is not said has a default', async () => {
  const settings = await load('jails: { plain: on }')
  const [jail] = settings.jails
  assert.ok(jail)
  assert.equal(settings.problems, [])
  assert.is(settings.historyMs, 30 * 86_400_000)
  assert.is(settings.workers, null)
  assert.is(settings.observe, false)
  assert.is(jail.mode, 'enforce')
  assert.is(jail.maxretry, 5)
  assert.is(jail.findtimeMs, 600_000)
  assert.equal(jail.bantime, { baseMs: 3_600_000, increment: true, factor: 2, maxMs: 604_800_000 })
  assert.equal(jail.ports, { protocol: 'tcp', ports: [22] })
  assert.equal(jail.ignore, { prefixes: [], names: [], self: true, proxies: [], places: {} })
  assert.equal(
    jail.actions.map(({ plugin }) => plugin),
    ['firewall'],
  )
  // Of the usual sources the first that is there.
  assert.equal(
    jail.sources.map(({ plugin, options }) => [plugin, options]),
    [['file', { path: '/dev/null' }]],
  )
})

test('trusted proxies add up over files and with those of a jail', async () => {
  const { jails } = await load(
    'trusted_proxies: 10.0.0.0/8\ndefaults: { trusted_proxies: [192.0.2.1] }\njails:\n  plain: on\n  own: { filter: plain, trusted_proxies: 2001:db8::/48 }\n',
    { 'conf.d/a.yaml': 'trusted_proxies: [10.0.0.0/8, 198.51.100.7]' },
  )
  assert.equal(
    jails.map(({ ignore }) => ignore.proxies),
    [
      ['10.0.0.0/8', '198.51.100.7', '192.0.2.1'],
      ['10.0.0.0/8', '198.51.100.7', '2001:db8::/48'],
    ],
  )
  const cases: [text: string, problem: RegExp][] = [
    [
      'trusted_proxies: [lb.example.net]',
      /trusted_proxies\[0\]: must be an address or a prefix .* not "lb\.example\.net"/,
    ],
    ['trusted_proxies: [0.0.0.0/0]', /0\.0\.0\.0\/0 would trust everybody/],
    ['trusted_proxies: [10.1]', /not the number 10\.1/],
  ]
  for (const [text, problem] of cases) assert.match((await refusal(`${text}\n`)).join(), problem)
})

test('an empty configuration enables nothing', async () => {
  for (const text of ['', '# nothing', 'jails:\n', 'jails:\n  # plain: on\ndefaults:\nignoreip:\n']) {
    const settings = await load(text)
    assert.equal([settings.jails, settings.problems], [[], []], text)
  }
})

test('on, off, true, false and a map switch a jail', async () => {
  const text = `
jails:
  a: on
  b: off
  c: true
  d: false
  e: { filter: plain }
  f: { filter: plain, enabled: off, unknown: 1 }
  g: { filter: plain, enabled: true }
  plain: 'on'`
  const settings = await load(text, {
    'filters/a.yaml': filters['filters/plain.yaml'],
    'filters/c.yaml': filters['filters/plain.yaml'],
  })
  assert.equal(
    settings.jails.map(({ name }) => name),
    ['a', 'c', 'e', 'g', 'plain'],
  )
  assert.equal(settings.problems, [])
})

test('a jail has its own values, then the defaults', async () => {
  const settings = await load(`
defaults: { findtime: 1h, maxretry: 3, bantime: 2d, actions: [firewall, memory], notifiers: [log] }
ignoreip: [192.0.2.0/24, Home.example.net]
ignoreself: off
jails:
  plain: on
  own:
    filter: plain
    findtime: 30
    maxretry: 1
    bantime: { base: 1m, factor: 3 }
    ipv6prefix: 128
    also: [./plugins/edge.mjs, memory]
    notifiers: []
    ports: [53, domain]
    protocol: udp
    ignoreip: 2001:db8::/32
    source: ./app.log
  all: { filter: plain, ports: all, actions: [], mode: observe, bantime: permanent }
`)
  const [plain, own, all] = settings.jails
  assert.ok(plain && own && all, settings.problems.map(describeError).join('\n'))
  assert.equal([plain.findtimeMs, plain.maxretry], [3_600_000, 3])
  assert.equal(plain.bantime, { baseMs: 172_800_000, increment: false, factor: 2, maxMs: null })
  assert.equal(
    { ...plain.ignore, places: {} },
    { prefixes: ['192.0.2.0/24'], names: ['home.example.net'], self: false, proxies: [], places: {} },
  )
  assert.equal([own.findtimeMs, own.maxretry], [30_000, 1])
  assert.equal([plain.ipv6prefix, own.ipv6prefix], [64, 128])
  assert.equal(own.bantime, { baseMs: 60_000, increment: true, factor: 3, maxMs: 604_800_000 })
  assert.equal(own.ignore.prefixes, ['192.0.2.0/24', '2001:db8::/32'])
  assert.equal(
    Object.entries(own.ignore.places)
      .map(([entry, { line, option }]) => [entry, line, option])
      .toSorted(),
    [
      ['192.0.2.0/24', 3, 'ignoreip[0]'],
      ['2001:db8::/32', 17, 'jails.own.ignoreip'],
      ['home.example.net', 3, 'ignoreip[1]'],
    ],
  )
  assert.equal(own.ports, { protocol: 'udp', ports: [53] })
  const folder = join(settings.file, '..')
  assert.equal(
    own.actions.map(({ plugin }) => plugin),
    ['firewall', 'memory', join(folder, 'plugins/edge.mjs')],
  )
  assert.equal(own.notifiers, [])
  assert.equal(own.sources[0]?.options, { path: join(folder, 'app.log') })
  assert.equal(all.ports, { protocol: 'all', ports: [] })
  assert.equal([all.mode, all.actions, all.bantime.baseMs], ['observe', [], null])
})

test('plugins are named by name, by path, or with options', async () => {
  const settings = await load(`
notifiers:
  - log
  - webhook: { url: 'https://example.org', headers: { a: b } }
jails:
  plain:
    actions:
      - ./a.mjs: { x: 1 }
      - /opt/b.js
      - firewall:
    sources: [/var/log/x.log, journal: { unit: ssh.service }, ./feed.mjs]
`)
  const folder = join(settings.file, '..')
  const [log, webhook] = settings.notifiers
  assert.equal([log?.kind, log?.plugin, log?.options], ['notifier', 'log', {}])
  assert.equal(webhook?.options, { url: 'https://example.org', headers: { a: 'b' } })
  assert.is(webhook?.where.line, 4)
  assert.equal(webhook?.optionsAt['headers.a'], {
    file: settings.file,
    line: 4,
    column: 58,
    option: 'notifiers[1].webhook.headers.a',
  })
  const [jail] = settings.jails
  assert.equal(
    jail?.actions.map(({ plugin, options }) => [plugin, options]),
    [
      [join(folder, 'a.mjs'), { x: 1 }],
      ['/opt/b.js', {}],
      ['firewall', {}],
    ],
  )
  assert.equal(
    jail?.sources.map(({ plugin, options }) => [plugin, options]),
    [
      ['file', { path: '/var/log/x.log' }],
      ['journal', { unit: 'ssh.service' }],
      [join(folder, 'feed.mjs'), {}],
    ],
  )
})

test('conf.d lies over the main file, in the order of its names', async () => {
  const settings = await load(
    'defaults: { maxretry: 3, findtime: 1h }\nignoreip: [192.0.2.1]\njails:\n  plain: { maxretry: 4, ports: [ssh, 80] }\n  gone: { filter: plain }\n',
    {
      'conf.d/20-b.yaml': 'jails: { plain: { maxretry: 6 }, extra: { filter: plain } }\nignoreip: 198.51.100.1\n',
      'conf.d/10-a.yaml':
        'defaults: { findtime: 2h }\nignoreip: [192.0.2.2]\njails: { plain: { maxretry: 5, ports: [443] }, gone: off }\n',
      'conf.d/notes.txt': 'not: [read',
      'conf.d/.hidden.yaml': 'not: [read',
    },
  )
  assert.equal(
    settings.jails.map(({ name }) => name),
    ['plain', 'extra'],
  )
  const [plain, extra] = settings.jails
  assert.equal([plain?.maxretry, plain?.findtimeMs, plain?.ports.ports], [6, 7_200_000, [443]])
  assert.is(extra?.maxretry, 3)
  // A file that adds to the never-banned must not lift what the others protect.
  assert.equal(plain?.ignore.prefixes, ['192.0.2.1', '192.0.2.2', '198.51.100.1'])
  assert.equal(
    settings.files.map((file) => file.replace(/^.*bailiff-settings-[^/]*\//, '')),
    ['bailiff.yaml', 'conf.d/10-a.yaml', 'conf.d/20-b.yaml', 'filters/plain.yaml'],
  )
})

test('an error in conf.d names its own file and line', async () => {
  const more = { 'conf.d/a.yaml': '\njails:\n  plain:\n    maxrety: 3\n', 'conf.d/b.yaml': '' }
  assert.equal(await problemsOf('jails: { plain: on }', more), [
    'conf.d/a.yaml:4:5: jails.plain.maxrety: unknown option "maxrety"; did you mean maxretry?',
  ])
  assert.equal(
    await refusal('ignoreip: [192.0.2.1]', { 'conf.d/a.yaml': 'ignoreip:\n  - 192.0.2.2\n  - 192.0.2.300\n' }),
    [
      'conf.d/a.yaml:3:5: ignoreip[2]: "192.0.2.300" is neither an address (192.0.2.1), a prefix (192.0.2.0/24, 2001:db8::/32) nor a host name',
    ],
  )
  assert.match((await refusal('', { 'conf.d/a.yaml': 'a: [' }))[0] ?? '', /^conf\.d\/a\.yaml:1:\d+: not valid YAML/)
})

test('what is wrong outside the jails is refused with its place', async () => {
  const cases: [text: string, problems: RegExp[]][] = [
    ['- a list\n', [/^bailiff\.yaml: must be a map of options, but is a list/]],
    ['just text', [/must be a map of options, but is the text "just text"/]],
    ['jail: {}', [/^bailiff\.yaml:1:1: jail: unknown option "jail"; did you mean jails\?/]],
    ['$import: x', [/unknown option "\$import"/]],
    ['constructor: x', [/unknown option "constructor"; there are .*; a jail stands below "jails:"$/]],
    [
      'maxretry: 3',
      [/unknown option "maxretry" here; maxretry stands below "defaults:", or below the name of a jail$/],
    ],
    ['bantme: 1h', [/unknown option "bantme" here; did you mean bantime\? bantime stands below "defaults:"/]],
    ['sources: [/x]', [/unknown option "sources" here; sources stands below the name of a jail/]],
    [
      'bantime: 1h\njails:\n  plain: { maxrety: 3 }\n  off: off\n  planet: on\ndefaults: { findtime: x }',
      [
        /^bailiff\.yaml:6:\d+: defaults\.findtime/,
        /^bailiff\.yaml:1:1: bantime/,
        /jails\.plain\.maxrety: unknown option "maxrety"; did you mean maxretry\?/,
        /jails\.planet: there is no filter "planet"/,
      ],
    ],
    ['defaults: { maxrety: 1, bantimes: 2 }', [/did you mean maxretry/, /did you mean bantime/]],
    ['defaults:\n  maxretry: 0\n', [/^bailiff\.yaml:2:13: defaults\.maxretry: must be at least 1, but is 0/]],
    ['defaults:\n  maxretry: many\n', [/must be a number, but is the text "many"/]],
    ['defaults:\n  maxretry: 1.5\n', [/must be a whole number, but is the number 1.5/]],
    ['defaults:\n  maxretry:\n', [/must be a number, but is empty/]],
    ['defaults:\n  findtime: permanent\n', [/cannot be permanent/]],
    ['defaults:\n  bantime: { base: 1x }\n', [/:2:20: defaults\.bantime\.base: "1x" is not a length of time/]],
    [
      'defaults:\n  bantime: { bse: 1h }\n',
      [/:2:14: defaults\.bantime\.bse: unknown option "bse"; did you mean base\?/],
    ],
    ['defaults:\n  bantime: { base: 2h, max: 1h }\n', [/defaults\.bantime\.max: is shorter than base/]],
    ['defaults:\n  bantime: [1h]\n', [/not a length of time/]],
    [
      'defaults:\n  actions: 5\n',
      [/must be the name of a plugin or a map of its name to its options, but is the number 5/],
    ],
    ['defaults:\n  actions: [{ a: 1, b: 2 }]\n', [/one plugin an item, but this names a, b/]],
    ['defaults:\n  actions: [{}]\n', [/must be the name of a plugin/]],
    [
      'ignoreip: [2001:db8::, 192.0.2.1]\n',
      [/ignoreip\[0\]: .* a colon at the end for one: write "2001:db8::" in quotes/],
    ],
    ['ignoreip:\n  - fe80::\n', [/write "fe80::" in quotes/]],
    ['ignoreip: [10.1]\n', [/but is the number 10.1/]],
    ['ignoreip: [10.0.0.0/33]\n', [/"10.0.0.0\/33" is neither/]],
    ['ignoreip: [0x7f.1]\n', [/neither/]],
    ['ignoreip: [1.2.3]\n', [/neither/]],
    ['ignoreip: [0x7f]\n', [/the number 127/]],
    ['ignoreip: ["fe80::1%eth0"]\n', [/neither/]],
    ['ignoreip: ["-x.example"]\n', [/neither/]],
    ['ignoreself: yes\n', [/must be on or off, not "yes"/]],
    ['observe: 1\n', [/must be on or off/]],
    ['workers: 65\n', [/must be at most 64, but is 65/]],
    ['state: 5\n', [/must be text, but is the number 5; write it in quotes: '5'/]],
    ['state: ""\n', [/must not be empty/]],
    [`control: /${'x'.repeat(107)}\n`, [/^bailiff\.yaml:1:10: control: the path of a socket has at most 107 bytes/]],
    ['jails: [sshd]\n', [/^bailiff\.yaml:1:1: jails: must be a map, but is a list/]],
  ]
  for (const [text, wanted] of cases) {
    const problems = await refusal(text)
    assert.is(problems.length, wanted.length, `${text}: ${problems.join('\n')}`)
    for (const [index, message] of wanted.entries()) assert.match(problems[index] ?? '', message)
  }
})

test('a broken jail is left out, the others stay', async () => {
  const cases: [jail: string, problem: RegExp][] = [
    ['{ filter: plain, maxrety: 3 }', /jails\.x\.maxrety: unknown option "maxrety"; did you mean maxretry\?/],
    ['{ filter: plain, logpath: /x }', /unknown option "logpath"; did you mean source\?/],
    ['{ filter: plain, nonsense: 1 }', /unknown option "nonsense"; there are enabled, from, mode, filter/],
    ['{ filter: plain, "a\\nb": 1 }', /unknown option "a\\x0ab"/],
    ['{ filter: plain, maxretry: -1 }', /must be at least 1, but is -1/],
    ['{ filter: plain, mode: enforced }', /must be enforce or observe, not "enforced"; did you mean enforce\?/],
    ['{ filter: plain, ports: [shh] }', /jails\.x\.ports: "shh" is no port; did you mean ssh\?/],
    ['{ filter: plain, ports: all, protocol: udp }', /jails\.x\.protocol: a ban of all ports covers all protocols/],
    ['{ filter: plain, protocol: icmp }', /must be tcp or udp/],
    [
      '{ filter: plan }',
      /there is no filter "plan"; did you mean plain\?\n {2}a filter is a file .*filters\/plan\.yaml/,
    ],
    ['{ filter: 404 }', /must be the name of a filter, its path or a map, not "404"/],
    [
      '{ filter: { name: plain, mode: agressive } }',
      /:2:\d+: jails\.x\.filter\.mode: the filter "plain" has no mode "agressive"; it has normal/,
    ],
    ['{ filter: { name: plain, modes: x } }', /unknown option "modes"; did you mean mode\?/],
    ['{ filter: { mode: 5 } }', /jails\.x\.filter\.mode: must be text, but is the number 5/],
    ['{ filter: [plain] }', /must be the name of a filter, its path or a map/],
    ['{ filter: { name: plain, mode: constructor } }', /no mode "constructor"/],
    ['{ filter: plain, ports: constructor }', /"constructor" is no port/],
    ['{ filter: plain, findtime: 1constructor }', /not a length of time/],
    ['{ filter: plain, constructor: 1 }', /unknown option "constructor"; there are/],
    ['{ filter: { name: constructor } }', /no filter "constructor"/],
    ['{ filter: ./none.yaml }', /none\.yaml: cannot be read: there is no such file/],
    ['{ filter: ../../../etc/hostname }', /cannot be read|must be a map/],
    ['{ filter: { failregex: [] , description: x }, source: /x }', /the filter "x" has no failregex/],
    ['{ filter: { failregx: [a] }, source: /x }', /unknown option "failregx"; did you mean failregex\?/],
    ['{ filter: { failregex: a <ADDR> } }', /knows no usual source: name one\n {2}jails: \{ x: \{ source/],
    ['{ filter: plain, source: [/a] }', /must be the name of a plugin/],
    ['on', /jails\.x: there is no filter "x"/],
    ['onn', /jails\.x\.enabled: must be on or off, not "onn"/],
    ['', /jails\.x\.enabled: must be on or off, not "null"/],
    ['[]', /jails\.x: must be a map of options, but is a list/],
  ]
  for (const [jail, wanted] of cases) {
    const settings = await load(`jails:\n  x: ${jail}\n  plain: on\n`)
    assert.equal(
      settings.jails.map(({ name }) => name),
      ['plain'],
      jail,
    )
    assert.equal(settings.broken, ['x'])
    const text = settings.problems.map(withoutFolder).join('\n')
    assert.match(text, wanted, jail)
    assert.is(settings.problems.length, 1, text)
  }
})

test('a filter by its path, and the mode of the filter of the same name', async () => {
  const settings = await load('jails: { x: { filter: ./filters/plain.yaml }, two: { filter: { mode: hard } } }', {
    'filters/two.yaml':
      'sources: [/a]\nfailregex: a\nmodes: { hard: { include: [soft], failregex: c }, soft: { failregex: b } }\n',
  })
  assert.equal(
    settings.jails.map(({ filter }) => [filter.name, filter.mode, filter.failregex.map(({ text }) => text).join('')]),
    [
      ['plain', 'normal', 'bad <ADDR>'],
      ['two', 'hard', 'abc'],
    ],
  )
})

test('a filter that contradicts itself is refused', async () => {
  const cases: [filter: string, problem: RegExp][] = [
    [
      'failregex: a\nmodes: { x: { include: [other] } }',
      /modes\.x\.include\[0\]: there is no mode "other" here, but normal, x/,
    ],
    ['failregex: a\nmodes: { x: { patterns: [y] } }', /modes\.x\.patterns: unknown option "patterns"/],
    [
      'failregex: a\nsamples: { match: [ { line: x, address: localhost } ] }',
      /samples\.match\[0\]\.address: "localhost" is no address/,
    ],
    ['failregex: a\nsamples: { match: [ { line: x } ] }', /samples\.match\[0\]\.address: is missing/],
    ['failregex: a\nsamples: { match: [ { line: x, address: 192.0.2.1, modes: [other] } ] }', /no mode "other" here/],
    ['failregex: a\nsamples: { hostile: [ { line: x } ] }', /samples\.hostile\[0\]\.address: is missing/],
    ['failregex: a\nsamples: { pass: [5] }', /must be text, but is the number 5/],
    ['modes: { x: { include: [x] } }', /has no failregex/],
  ]
  for (const [filter, problem] of cases) {
    const problems = await problemsOf('jails: { f: { source: /a } }', { 'filters/f.yaml': filter })
    assert.is(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', problem)
    assert.match(problems[0] ?? '', /^filters\/f\.yaml/)
  }
  // Modes that include each other end all the same.
  const circle = 'failregex: a\nmodes: { x: { include: [y], failregex: x }, y: { include: [x], failregex: y } }'
  const settings = await load('jails: { f: { source: /a, filter: { mode: x } } }', { 'filters/f.yaml': circle })
  assert.is(settings.jails[0]?.filter.failregex.length, 3)
})

test('names of jails are plain', async () => {
  for (const name of ['manual', '-x', 'a b', 'a/b', '"a\\x1b"', '"é"', 'x'.repeat(65), '""']) {
    const problems = await problemsOf(`jails:\n  ${name}: { filter: plain }\n  plain: on\n`)
    assert.is(problems.length, 1, name)
    assert.match(problems[0] ?? '', /cannot be (the name of a jail|called)|can be called manual/)
  }
  assert.equal(await problemsOf('jails: { 404: { filter: plain }, a.b_c-d: { filter: plain } }'), [])
})

test('a filter of the machine comes before the one of the package', async () => {
  const builtIn = await load('jails: { sshd: { source: /x } }')
  const own = await load('jails: { sshd: { source: /x } }', { 'filters/sshd.yaml': 'failregex: mine <ADDR>\n' })
  assert.match(own.jails[0]?.filter.where.file ?? '', /filters\/sshd\.yaml$/)
  assert.equal(
    own.jails[0]?.filter.failregex.map(({ text }) => text),
    ['mine <ADDR>'],
  )
  for (const jail of builtIn.jails) assert.match(jail.filter.where.file, /config\/filters\/sshd\.yaml$/)
})

test('a file that anybody may change is told, and refused when it names programs', async () => {
  const folder = scratch({ 'bailiff.yaml': 'jails: { plain: on }', ...filters })
  const file = join(folder, 'bailiff.yaml')
  assert.equal((await loadSettings({ file })).warnings, [])
  chmodSync(file, 0o666)
  const [warning] = (await loadSettings({ file })).warnings
  assert.match(warning?.message ?? '', 'anybody may change this file')
  assert.match(warning?.hint ?? '', `chmod go-w ${file}`)
  for (const use of [
    'actions: [./x.mjs]',
    'actions: [{ command: { ban: [/bin/true] } }]',
    'notifiers: [/x.js]',
    'source: ./feed.mjs',
  ]) {
    const open = scratch({ 'bailiff.yaml': `jails: { plain: { ${use} } }`, ...filters })
    assert.equal((await loadSettings({ file: join(open, 'bailiff.yaml') })).problems, [], use)
    chmodSync(join(open, 'bailiff.yaml'), 0o602)
    await loadSettings({ file: join(open, 'bailiff.yaml') }).then(
      () => assert.unreachable(use),
      (error: unknown) => assert.match(String(error), /names a program, in a file that anybody may change/),
    )
  }
})

test('a folder that anybody may change is as bad as the file, a sticky one is not', async () => {
  const folder = scratch({
    'etc/bailiff.yaml': 'jails: { plain: { actions: [./x.mjs] } }',
    'etc/filters/plain.yaml': filters['filters/plain.yaml'],
  })
  const file = join(folder, 'etc/bailiff.yaml')
  chmodSync(join(folder, 'etc'), 0o1777)
  assert.equal((await loadSettings({ file })).warnings, [])
  chmodSync(join(folder, 'etc'), 0o777)
  await loadSettings({ file }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /anybody may change/),
  )
})

if (has('root')) {
  test('what somebody else put beside the configuration names no program', async () => {
    const stranger = 54_321
    const evil = { 'conf.d/a.yaml': 'jails: { plain: { actions: [./x.mjs] } }', ...filters }
    for (const planted of ['conf.d/a.yaml', 'conf.d']) {
      const folder = scratch({ 'bailiff.yaml': '', ...evil })
      chownSync(join(folder, planted), stranger, stranger)
      chmodSync(join(folder, 'conf.d'), 0o1777)
      await loadSettings({ file: join(folder, 'bailiff.yaml') }).then(
        () => assert.unreachable(planted),
        (error: unknown) => assert.match(String(error), /anybody may change/),
      )
      // Somebody's own configuration as a whole is his own: told, and obeyed.
      for (const path of ['bailiff.yaml', 'conf.d', 'conf.d/a.yaml']) chownSync(join(folder, path), stranger, stranger)
      const { warnings, jails } = await loadSettings({ file: join(folder, 'bailiff.yaml') })
      assert.equal([warnings.length, jails.length], [2, 1])
    }
  })
}

test('a filter that is a folder, or two bad files, end nothing', async () => {
  const folder = scratch({
    'bailiff.yaml': 'jails: { a: on, b: on, plain: on }',
    'filters/b.yaml': 'failregex: [\n',
    ...filters,
  })
  mkdirSync(join(folder, 'filters/a.yaml'))
  const settings = await loadSettings({ file: join(folder, 'bailiff.yaml') })
  assert.equal([settings.jails.length, settings.broken], [1, ['a', 'b']])
  assert.match(withoutFolder(settings.problems[0]), /^filters\/a\.yaml: cannot be read: it is no regular file/)
  assert.match(withoutFolder(settings.problems[1]), /^filters\/b\.yaml:\d+:\d+: not valid YAML/)
})

test('settings are plain data', async () => {
  const settings = await load('jails: { plain: { also: [memory: { a: [1] }] } }\nnotifiers: [log]')
  const { problems: _, warnings: __, ...plain } = settings
  assert.equal(JSON.parse(JSON.stringify(plain)), plain)
})

test('jails that are off are read where they are asked for, and what is wrong with them is nobody’s concern', async () => {
  const text =
    'jails: { on: { filter: plain }, gone: { filter: plain, enabled: off }, bad: { enabled: off, filter: none } }'
  assert.equal((await load(text)).off, [])
  const { off, jails, problems, file } = await load(text)
  assert.equal([off.length, jails.length, problems.length], [0, 1, 0])
  const asked = await loadSettings({ file, alsoOff: true })
  assert.equal([asked.off.map(({ name }) => name), asked.problems.length], [['gone'], 0])
})

test.run()

function withoutFolder(error: unknown): string {
  return describeError(error).replaceAll(/\/[^\s:]*bailiff-settings-[^/\s:]*\//g, '')
}
