/** What a tree becomes, without a Fail2ban at hand: the plain facts, and what is said of files that are broken. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { describeError } from '../../../../core/errors.ts'
import { timeText } from '../../../../core/fail2ban/tree/time-text.ts'
import { readTree } from '../../../../core/fail2ban/tree/tree.ts'
import { versionOfTree, versionRules } from '../../../../core/fail2ban/tree/version-rules.ts'
import { rejects, suite } from '../../../suite.ts'
import { scratch } from '../../settings/scratch.ts'

const test = suite('fail2ban tree')

const filter =
  '[Definition]\nfailregex = ^bad <HOST>$\n  ^worse <ADDR>$\nignoreregex =\ndatepattern = ^%%Y\n  {^LN-BEG}\n[Init]\nmaxlines = 2\njournalmatch = _COMM=x + _UNIT="a b"\n'
const action = '[Definition]\nactionban = ban <ip> <port> <chain>\nnorestored = yes\n[Init]\nport = 1\nchain = IN\n'
const jail = `[DEFAULT]
bantime = 1d 12h
findtime = 10m
port = ssh
[good]
enabled = true
filter = f[mode=x]
backend = polling
logpath = /var/log/a*.log tail
          /var/log/b.log
maxretry = 3
maxmatches = %(maxretry)s
ignoreip = 192.0.2.0/24, ::1 file:/x
ignorecache = key="<ip>", max-count=7, max-time=1m
bantime.increment = on
bantime.maxtime = 5w
bantime.multipliers = 1 2 4
usedns = No
action = a[port="%(port)s,telnet"]
         a[actname=second]
[off]
filter = f
`
const sound = { 'jail.conf': jail, 'filter.d/f.conf': filter, 'action.d/a.conf': action }

test('a jail with all that it says', async () => {
  const { jails, problems, warnings, names, server } = await readTree(scratch(sound))
  assert.equal([problems, warnings], [[], []])
  assert.equal(names, ['good', 'off'])
  assert.is(server.dbfile, '/var/lib/fail2ban/fail2ban.sqlite3')
  const [good] = jails
  assert.ok(good && jails.length === 1)
  const { commands, options, actions, ...rest } = good
  assert.is(commands.length, 20)
  assert.equal([options.port, options.maxmatches, options.filter], ['ssh', '3', 'f[mode=x]'])
  assert.equal(rest, {
    name: 'good',
    enabled: true,
    filter: {
      name: 'f',
      options: {
        mode: 'x',
        logtype: 'file',
        'known/maxlines': '2',
        maxlines: '2',
        'known/journalmatch': '_COMM=x + _UNIT="a b"',
        journalmatch: '_COMM=x + _UNIT="a b"',
      },
      texts: {
        name: 'f',
        prefregex: null,
        failregex: ['^bad <HOST>$', '^worse <ADDR>$'],
        ignoreregex: [],
        maxlines: 2,
        datepattern: ['^%Y', '{^LN-BEG}'],
        timezone: null,
        usedns: 'no',
        encoding: 'auto',
        journal: false,
      },
    },
    backend: { text: 'polling', name: 'polling', options: {} },
    logpaths: [
      { glob: '/var/log/a*.log', tail: true },
      { glob: '/var/log/b.log', tail: false },
    ],
    journalmatch: [['_COMM=x', '+', '_UNIT=a b']],
    maxretry: 3,
    maxmatches: 3,
    findtime: 600,
    bantime: 129_600,
    bantimeExtra: {
      increment: true,
      factor: null,
      formula: null,
      multipliers: '1 2 4',
      maxtime: 3_024_000,
      rndtime: null,
      overalljails: false,
    },
    ignoreip: ['192.0.2.0/24', '::1', 'file:/x'],
    ignoreself: true,
    ignorecommand: null,
    ignorecache: { key: '<ip>', maxCount: 7, maxTime: 60 },
    logencoding: 'auto',
    logtimezone: null,
    skipIfNologs: false,
  })
  assert.equal(
    actions.map(({ name, file, python }) => [name, file, python]),
    [
      ['a', 'a', false],
      ['second', 'a', false],
    ],
  )
  assert.equal(actions[0]?.properties, {
    actionban: 'ban <ip> ssh,telnet IN',
    norestored: true,
    port: 'ssh,telnet',
    name: 'good',
    actname: 'a',
    chain: 'IN',
  })
})

test('jails that are asked for by name, or all of them', async () => {
  const folder = scratch(sound)
  const read = async (jails: 'all' | string[]) =>
    (await readTree(folder, { jails })).jails.map(({ name, enabled }) => [name, enabled])
  assert.equal(await read(['off']), [['off', false]])
  assert.equal(await read('all'), [
    ['good', true],
    ['off', false],
  ])
  const { problems } = await readTree(folder, { jails: ['god'] })
  assert.match(problems.map(describeError).join(), /no jail "god"\n {2}did you mean good\?/)
})

test('a jail without logs: skipped, or read from the journal, since version 1.1.1', async () => {
  const folder = scratch({
    'jail.conf':
      '[a]\nenabled = 1\nfilter =\nlogpath = /nowhere/*\n[b]\nenabled = 1\nfilter =\nlogpath = /nowhere/*\njournalmatch = _COMM=x\n[DEFAULT]\nskip_if_nologs = true\n',
  })
  const added = async (version: string) =>
    (await readTree(folder, { version })).stream.filter(([kind]) => /^(?:add|config-error|start)$/.test(String(kind)))
  for (const version of ['1.0.2', '1.1.0'])
    assert.equal(await added(version), [
      ['add', 'a', 'auto'],
      ['add', 'b', 'auto'],
      ['start', 'a'],
      ['start', 'b'],
    ])
  for (const version of ['1.1.1', '1.1.2.dev1', '1.2', '2'])
    assert.equal(await added(version), [
      ['config-error', "Jail 'a' skipped, because of missing log files."],
      ['add', 'b', 'systemd'],
      ['start', 'b'],
    ])
})

test('a journalmatch of the filter is enough to read the journal instead of missing logs', async () => {
  const folder = scratch({
    'jail.conf':
      '[DEFAULT]\nenabled = 1\nlogpath = /nowhere/*\nfilter = %(__name__)s\n[with]\n[without]\n[never]\nfilter = with\nsystemd_if_nologs = no\n[polled]\nfilter = with\nbackend = polling\n',
    'filter.d/with.conf': '[Definition]\nfailregex = <HOST>\njournalmatch = _COMM=x\n',
    'filter.d/without.conf': '[Definition]\nfailregex = <HOST>\n',
  })
  const { stream } = await readTree(folder, { version: '1.1.1' })
  assert.equal(
    stream.filter(([kind]) => kind === 'add').map(([, ...words]) => words),
    [
      ['with', 'systemd'],
      ['without', 'auto'],
      ['never', 'auto'],
      ['polled', 'polling'],
    ],
  )
})

test('what a jail passes to an action holds for both families, since version 1.1.1', async () => {
  const folder = scratch({
    'jail.conf':
      '[one]\nenabled = 1\nfilter =\naction = p[block=DROP]\n[two]\nenabled = 1\nfilter =\naction = p[block=DROP, block?family=inet6="REJECT, 6"]\n',
    'action.d/p.conf':
      '[Definition]\nactionban = <block>\n[Init]\nblock = REJECT\nset = a\n[Init?family=inet6]\nblock = REJECT6\nset = a6\n',
  })
  const blocks = async (version: string) => {
    const { jails } = await readTree(folder, { version })
    return jails.map(({ actions }) =>
      ['block', 'block?family=inet6', 'set?family=inet6'].map((name) => actions[0]?.properties[name]),
    )
  }
  assert.equal(await blocks('1.1.0'), [['DROP', 'REJECT6', 'a6']])
  assert.equal(await blocks('1.1.1'), [
    ['DROP', 'DROP', 'a6'],
    ['DROP', 'REJECT, 6', 'a6'],
  ])
})

test('words of a list are split at white space of any kind, since version 1.1', async () => {
  const folder = scratch({ 'jail.conf': '[one]\nenabled = 1\nfilter =\nignoreip = 192.0.2.1\t192.0.2.2, ::1\n' })
  const ignored = async (version: string) => (await readTree(folder, { version })).jails[0]?.ignoreip
  assert.equal(await ignored('1.0.2'), ['192.0.2.1\t192.0.2.2', '::1'])
  assert.equal(await ignored('1.1.0'), ['192.0.2.1', '192.0.2.2', '::1'])
})

test('a tree is of the version that its stock filters came with, or of the installed one', async () => {
  const none = { 'jail.conf': '' }
  const filters = (...names: string[]) =>
    scratch({ ...none, ...Object.fromEntries(names.map((name) => [`filter.d/${name}.conf`, ''])) })
  const newest = filters('openvpn', 'vaultwarden', 'xrdp', 'routeros-auth')
  assert.ok(versionRules(versionOfTree(newest)).mindsMissingLogs)
  assert.equal(versionOfTree(filters('vaultwarden')), versionOfTree(scratch(none)))
  assert.ok(
    versionRules(versionOfTree(filters('dante', 'nginx-error-common', 'nginx-forbidden', 'routeros-auth')))
      .splitsAtAnySpace,
  )
})

/** Files beside the sound ones, and what is said: one of the problems, in which the jail `good` runs all the same. */
const broken: [what: string, files: Readonly<Record<string, string>>, said: RegExp][] = [
  [
    'an option twice',
    { 'jail.d/x.local': '[bad]\nenabled = 1\nmaxretry = 1\nmaxretry = 2\n' },
    /^jail\.d\/x\.local:4: \[bad\] maxretry: jail "bad" is left out: the option is twice in this section\n/,
  ],
  [
    'a section twice',
    { 'jail.local': '[bad]\nenabled = 1\n[bad]\n' },
    /^jail\.local:3: \[bad\]: jail "bad" is left out: the section is twice/,
  ],
  [
    'a line that is no option',
    { 'jail.local': '[bad]\nenabled = 1\nno option\n' },
    /^jail\.local:3: \[bad\]: .*"no option" is no option/,
  ],
  [
    'text before the first section',
    { 'jail.local': 'x = 1\n' },
    /^jail\.local:1: "x = 1" stands before the first section/,
  ],
  [
    'a mark before the first section',
    { 'jail.local': '\ufeff[bad]\n' },
    /^jail\.local:1: "\\ufeff\[bad\]" stands before/,
  ],
  ['bytes that are no text', { 'jail.local': '[bad]\n\ud800' }, /./],
  [
    'a name that there is not',
    { 'jail.local': '[bad]\nenabled = 1\nbantime = %(nope)s\n' },
    /^jail\.local:3: \[bad\] bantime: .*there is no option "nope"/,
  ],
  [
    'a percent sign',
    { 'jail.local': '[bad]\nenabled = 1\nfilter = 5%\n' },
    /^jail\.local:3: \[bad\] filter: .*"%" is no "%\(name\)s"\n {2}write "%%"/,
  ],
  [
    'a circle of names',
    { 'jail.local': '[bad]\nenabled = 1\nbantime = %(x)s\nx = %(bantime)s\n' },
    /^jail\.local:3: \[bad\] bantime: .*more than 10 deep/,
  ],
  [
    'a filter that is not there',
    { 'jail.local': '[bad]\nenabled = 1\nfilter = ff\n' },
    /^jail\.local:3: \[bad\] filter: jail "bad" is left out: the filter "ff" cannot be read: there is no filter\.d\/ff\.conf\n {2}did you mean f\?/,
  ],
  [
    'a filter with a broken file',
    { 'jail.local': '[bad]\nenabled = 1\nfilter = g\n', 'filter.d/g.conf': '[Definition]\nfailregex\n' },
    /^filter\.d\/g\.conf:2: \[Definition\]: jail "bad"/,
  ],
  [
    'a filter whose tags use each other',
    {
      'jail.local': '[bad]\nenabled = 1\nfilter = g\n',
      'filter.d/g.conf': '[Definition]\na = <b>\nb = <a>\nfailregex = <a>\n',
    },
    /^filter\.d\/g\.conf:4: \[Definition\] failregex: jail "bad" is left out: the option "failregex" uses "<[ab]>" more than/,
  ],
  [
    'options that grow',
    {
      'jail.local': '[bad]\nenabled = 1\nfilter = g\n',
      'filter.d/g.conf': `[Definition]\nz = ${'x'.repeat(99)}\n${'abcdefghij'
        .split('')
        .map((name, at, all) => `${name} = ${`<${all[at + 1] ?? 'z'}>`.repeat(9)}`)
        .join('\n')}\nfailregex = <a>\n`,
    },
    /grows past a million/,
  ],
  [
    'brackets that are not closed',
    { 'jail.local': '[bad]\nenabled = 1\nfilter = f[a="x"\n' },
    /^jail\.local:3: \[bad\] filter: .*"f\[a=\\?"x\\?"" is no filter: unexpected option syntax/,
  ],
  [
    'an action that is not there',
    { 'jail.local': '[bad]\nenabled = 1\nfilter = f\naction = b\n' },
    /^jail\.local:4: \[bad\] action: .*the action "b" cannot be read/,
  ],
  [
    'a quote that is not closed',
    { 'jail.local': '[bad]\nenabled = 1\nfilter =\njournalmatch = "x\n' },
    /has a quote that is not closed/,
  ],
  [
    'no time',
    { 'jail.local': '[bad]\nenabled = 1\nfilter =\nbantime = soon\n' },
    /^jail\.local:4: \[bad\] bantime: .*"soon" is no time/,
  ],
  [
    'no such backend',
    { 'jail.local': '[bad]\nenabled = 1\nfilter =\nbackend = kafka\n' },
    /^jail\.local:4: \[bad\] backend: .*no backend "kafka"/,
  ],
  [
    'neither head nor tail',
    { 'jail.local': '[bad]\nenabled = 1\nfilter =\nlogpath = /a b\n' },
    /^jail\.local:4: \[bad\] logpath: .*"b" stands behind a log/,
  ],
  [
    'files that include themselves',
    {
      'jail.local': '[INCLUDES]\nbefore = jail.conf\n',
      'jail.conf': jail + '[INCLUDES]\nafter = x.conf\n',
      'x.conf': '[INCLUDES]\nafter = x.conf\n',
      'x.local': '[INCLUDES]\nafter = x.conf\n',
    },
    /include each other in a circle/,
  ],
]
for (const [what, files, said] of broken)
  test(`${what}: the file, the section and the option are named, the other jail runs`, async () => {
    const folder = scratch({ ...sound, ...files })
    if (what === 'bytes that are no text')
      writeFileSync(join(folder, 'jail.local'), Buffer.from('[bad]\nx = \xff\n', 'latin1'))
    const { jails, problems } = await readTree(folder)
    assert.equal(
      jails.map(({ name }) => name),
      ['good'],
    )
    assert.match(problems.map(describeError).join('\n').replaceAll(`${folder}/`, ''), said)
  })

test('a value that is no number: the default stands, and that is told', async () => {
  const folder = scratch({ ...sound, 'jail.local': '[good]\nmaxretry = many\n' })
  const { jails, problems, warnings } = await readTree(folder)
  assert.is(jails[0]?.maxretry, 3)
  assert.equal(problems, [])
  assert.match(warnings.map(describeError).join('\n'), /jail\.local:2: \[good\] maxretry: "many" is no whole number/)
})

test('what is no configuration of Fail2ban is refused', async () => {
  await rejects(readTree('/nowhere'), 'there is no such folder')
  await rejects(readTree(scratch({ 'filter.d/x.conf': '' })), 'there is no jail.conf in it')
})

test('folders and links in place of files are passed over', async () => {
  const folder = scratch(sound)
  mkdirSync(join(folder, 'jail.local'))
  mkdirSync(join(folder, 'jail.d/y.conf'), { recursive: true })
  symlinkSync('nothing', join(folder, 'jail.d/z.conf'))
  symlinkSync('/dev/zero', join(folder, 'jail.d/x.local'))
  const { jails } = await readTree(folder)
  assert.is(jails.length, 1)
})

test('whatever files say, they are read, and no control character comes of what is wrong', async () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    '\n',
    '\r',
    '\n  ',
    '=',
    ':',
    ';',
    '#',
    '%',
    '%(',
    ')s',
    '<',
    '>',
    'enabled = 1\n',
    '[bad]\n',
    'filter = f',
    'action = a',
    '[INCLUDES]\nbefore = ',
    'jail.conf',
    '"',
    '\0',
    '\x1b[2J',
    '\u202e',
    'bantime = ',
    'logpath = ',
    '\\',
    'é',
  )
  const text = fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(''))
  const folder = scratch(sound)
  await fc.assert(
    fc.asyncProperty(text, text, text, async (jailText, filterText, serverText) => {
      writeFileSync(join(folder, 'jail.local'), jailText)
      writeFileSync(join(folder, 'filter.d/f.local'), filterText)
      writeFileSync(join(folder, 'fail2ban.conf'), serverText)
      const { problems, warnings } = await readTree(folder, { jails: 'all' })
      for (const one of [...problems, ...warnings]) assert.not.match(describeError(one), /(?!\n)\p{Cc}|\u202e/u)
    }),
    { numRuns: Number(process.env.BAILIFF_RUNS ?? 300) },
  )
})

const times: [text: string, seconds: number | null][] = [
  ['600', 600],
  ['10m', 600],
  ['1d 12h', 129_600],
  ['1h30', 3630],
  ['-1', -1],
  ['-5m', -300],
  ['60*60*24', 86_400],
  ['1year-6mo', 15_778_800],
  ['0.5h', 1800],
  ['1w\n2d', 777_600],
  ['(1+2)*3m', 540],
  ['7//2', 3],
  ['-7//2', -4],
  ['-7%3', 2],
  ['2**10', 1024],
  ['1e3', null],
  ['abc', null],
  ['', null],
  ['1/0', null],
  ['9**9**9', null],
  ['__import__("os")', null],
  ['1;2', null],
  ['007', null],
  ['1 2 3', null],
  ['('.repeat(2000), null],
  ['-'.repeat(99_999) + '1', -1],
]
for (const [text, seconds] of times)
  test(`time text ${JSON.stringify(text.slice(0, 20))} is ${seconds}`, () => {
    if (seconds === null) assert.throws(() => timeText(text), /is no time/)
    else assert.is(timeText(text), seconds)
  })

test.run()
