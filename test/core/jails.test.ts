import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { describeError } from '../../core/errors.ts'
import { prepareJails, type ReadyJails } from '../../core/jails.ts'
import { filterLanguage } from '../../core/matching/filter-language.ts'
import { Registry } from '../../core/registry.ts'
import { loadSettings } from '../../core/settings/load-settings.ts'
import { suite } from '../suite.ts'

const test = suite('jails')
const folder = mkdtempSync(join(tmpdir(), 'bailiff-jails-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let trees = 0

/** Writes a package of plugins of its own beside the configuration, so that nothing depends on those of the tree. */
function write(files: Readonly<Record<string, string>>): string {
  const root = join(folder, String(trees++))
  const all: Readonly<Record<string, string>> = {
    'package.json': '{"type": "module"}',
    'plugins/actions/firewall.js': 'export default { ban() {}, unban() {} }',
    'plugins/actions/post.js':
      "export default { ban() {}, unban() {}, options: { type: 'object', required: ['url'], properties: { url: { type: 'string' } } } }",
    'plugins/notifiers/log.js': 'export default { notify() {} }',
    'plugins/sources/file.js': 'export default { start() {} }',
    'filters/a.yaml':
      "sources: [/dev/null]\nfailregex: ['^bad <ADDR>$']\nmodes: { more: { failregex: ['^worse <ADDR>$'] } }\n",
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

async function prepare(files: Readonly<Record<string, string>>): Promise<ReadyJails & { told: string }> {
  const root = write(files)
  const ready = await prepareJails(
    await loadSettings({ file: join(root, 'bailiff.yaml') }),
    filterLanguage,
    new Registry(root),
  )
  return { ...ready, told: ready.problems.map(describeError).join('\n').replaceAll(`${root}/`, '') }
}

test('more port lists than the firewall takes: how many there are, and the way out', async () => {
  const firewall = "export default { capabilities: ['firewall'], ban() {}, unban() {} }"
  const withJails = (count: number) => {
    const jails = Array.from({ length: count }, (_, place) => `  j${place}: { filter: a, ports: [${place + 1}] }`)
    return prepare({
      'plugins/actions/firewall.js': firewall,
      'bailiff.yaml': `jails:\n${jails.join('\n')}\n`,
    })
  }
  assert.is((await withJails(256)).told, '')
  const { told, jails } = await withJails(257)
  assert.is(jails.length, 257)
  assert.match(told, /257 different port lists, and the firewall takes 256/)
  assert.match(told, 'ports: all')
})

test('a jail becomes patterns and plugins', async () => {
  const { jails, told, broken } = await prepare({ 'bailiff.yaml': 'jails: { a: { maxretry: 3, notifiers: [log] } }' })
  assert.equal([told, broken], ['', []])
  const [jail] = jails
  assert.ok(jail)
  assert.is(jail.filter.failregex[0]?.text, '^bad <ADDR>$')
  assert.is(jail.maxretry, 3)
  assert.equal(
    [...jail.sources, ...jail.actions, ...jail.notifiers].map(({ kind, id }) => [kind, id]),
    [
      ['source', 'file'],
      ['action', 'firewall'],
      ['notifier', 'log'],
    ],
  )
})

test('equal uses are one instance, others have a name of their own', async () => {
  const { jails, notifiers, told } = await prepare({
    'bailiff.yaml': `
notifiers: [log]
defaults: { actions: [firewall, post: { url: a }], notifiers: [log] }
jails:
  a: on
  b: { filter: a, also: [post: { url: b }] }
  c: { filter: a, actions: [post: { url: b }, ./post.mjs] }
`,
    'post.mjs': 'export default { ban() {}, unban() {} }',
  })
  assert.is(told, '')
  const [a, b, c] = jails
  assert.ok(a && b && c)
  const ids = (jail: typeof a) => jail.actions.map(({ id }) => id)
  assert.equal(
    [ids(a), ids(b), ids(c)],
    [
      ['firewall', 'post'],
      ['firewall', 'post', 'post-2'],
      ['post-2', 'post-3'],
    ],
  )
  assert.is(a.actions[1], b.actions[1])
  assert.is(b.actions[2], c.actions[0])
  assert.is(a.notifiers[0], notifiers[0])
  assert.is(a.filter, b.filter)
})

test('another mode is another filter', async () => {
  const { jails } = await prepare({
    'bailiff.yaml':
      'jails: { a: on, b: { filter: { name: a, mode: more } }, c: { filter: { name: a, mode: normal } } }',
  })
  assert.equal(
    jails.map(({ filter }) => [filter.name, filter.failregex.length]),
    [
      ['a', 1],
      ['a/more', 2],
      ['a', 1],
    ],
  )
  assert.is(jails[0]?.filter, jails[2]?.filter)
})

test('a pattern that does not compile is shown at its line, and only its jails are put aside', async () => {
  const { jails, told, broken } = await prepare({
    'bailiff.yaml': `
jails:
  a: on
  bad: on
  again: { filter: bad }
  inline:
    source: /dev/null
    filter:
      failregex: x <ADDR>
      ignoreregex: ['ok', '(']
  pre: { source: /dev/null, filter: { prefregex: '[', failregex: 'x <ADDR>' } }
  unset: { source: /dev/null, filter: { failregex: 'x' } }
  mode: { source: /dev/null, filter: { failregex: 'x <ADDR>', modes: { normal: { failregex: ['<ADR>'] } } } }
`,
    'filters/bad.yaml': "sources: [/dev/null]\nfailregex:\n  - 'good <ADDR>'\n  - 'bad ('\n",
  })
  assert.equal(
    jails.map(({ name }) => name),
    ['a'],
  )
  assert.equal(broken, ['bad', 'again', 'inline', 'pre', 'unset', 'mode'])
  const lines = told.split('\n').filter((line) => !line.startsWith(' '))
  const wanted = [
    /^filters\/bad\.yaml:4:5: failregex\[1\]: failregex 2, character/,
    /^bailiff\.yaml:10:27: jails\.inline\.filter\.ignoreregex\[1\]: ignoreregex 2/,
    /^bailiff\.yaml:11:\d+: jails\.pre\.filter\.prefregex: prefregex/,
    /^bailiff\.yaml:12:\d+: jails\.unset\.filter\.failregex: failregex 1/,
    /^bailiff\.yaml:13:\d+: jails\.mode\.filter\.modes\.normal\.failregex\[0\]: failregex 2/,
  ]
  assert.is(lines.length, wanted.length, told)
  for (const [index, message] of wanted.entries()) assert.match(lines[index] ?? '', message)
})

test('a jail goes on with what is left of its plugins', async () => {
  const { jails, told, broken } = await prepare({
    'bailiff.yaml': `
jails:
  a: { also: [post: { uri: x }, ./none.mjs], notifiers: [pigeon], sources: [/dev/null, juornal] }
`,
  })
  assert.equal(broken, [])
  const [a] = jails
  assert.equal([a?.actions.map(({ id }) => id), a?.notifiers, a?.sources.length], [['firewall'], [], 1])
  assert.match(told, /bailiff\.yaml:3:15: jails\.a\.also\[0\]: post does not accept its options: url: /)
  assert.match(told, /jails\.a\.also\[1\]: there is no file ".*none\.mjs"/)
  assert.match(told, /jails\.a\.notifiers\[0\]: there is no notifier "pigeon"; there are log/)
  assert.match(told, /jails\.a\.sources\[1\]: there is no source "juornal"/)
})

test('a jail that could ban nobody, or see nothing, is put aside', async () => {
  const { jails, told, broken } = await prepare({
    'bailiff.yaml': `
jails:
  noAction: { filter: a, actions: [./none.mjs] }
  empty: { filter: a, actions: [] }
  noSource: { filter: a, source: juornal }
  watches: { filter: a, actions: [], mode: observe }
  a: on
`,
  })
  assert.equal(
    jails.map(({ name }) => name),
    ['watches', 'a'],
  )
  assert.equal(broken, ['noAction', 'empty', 'noSource'])
  assert.match(told, /jails\.empty: the jail has no action, so it would ban nobody\n {2}write mode: observe/)
})

test('what breaks several jails is told once, and what settings found is told too', async () => {
  const { problems, broken } = await prepare({
    'bailiff.yaml':
      'defaults: { actions: [firewall, post] }\njails: { a: on, b: { filter: a }, c: { filter: a, x: 1 } }',
  })
  assert.is(problems.length, 2)
  assert.equal(broken, ['c'])
})

test('dates are read as the filter says, or as the jail says instead, in the zone of the jail or of the defaults', async () => {
  const { jails, told } = await prepare({
    'filters/b.yaml': "sources: [/dev/null]\ndatepattern: '%Y-%m-%d'\nfailregex: ['^bad <ADDR>$']\n",
    'bailiff.yaml': [
      'defaults: { timezone: Europe/Berlin }',
      'jails:',
      '  a: { filter: a }',
      '  b: { filter: b, timezone: "+01:00" }',
      "  c: { filter: b, datepattern: ['%d.%m.%Y', '{NONE}'] }",
      '  d: { filter: b }',
    ].join('\n'),
  })
  assert.is(told, '')
  const reading = jails.map(({ filter }) => [filter.dates?.timezone, filter.dates?.patterns?.map(({ text }) => text)])
  assert.equal(reading, [
    ['Europe/Berlin', undefined],
    ['+01:00', ['%Y-%m-%d']],
    ['Europe/Berlin', ['%d.%m.%Y']],
    ['Europe/Berlin', ['%Y-%m-%d']],
  ])
  const plain = await prepare({ 'bailiff.yaml': 'jails: { a: on, x: { filter: a } }' })
  assert.is(plain.jails[0]?.filter, plain.jails[1]?.filter, 'jails alike share the compiled filter')
  assert.is(plain.jails[0]?.filter.dates, undefined)
})

test('a wrong datepattern or time zone is told with its place', async () => {
  const { jails, told } = await prepare({
    'filters/b.yaml': "sources: [/dev/null]\ndatepattern:\n  - '%Y'\n  - '%Y-%q'\nfailregex: ['^bad <ADDR>$']\n",
    'bailiff.yaml': [
      'jails:',
      '  a: { filter: a }',
      '  b: { filter: b }',
      '  c:',
      '    filter: a',
      "    datepattern: '%Y (x'",
      '  d:',
      '    filter: a',
      '    timezone: Europe/Nowhere',
      '  e: { filter: a, timezone: "+25:00" }',
    ].join('\n'),
  })
  assert.equal(
    jails.map(({ name }) => name),
    ['a'],
  )
  for (const message of [
    /^filters\/b\.yaml:4:5: datepattern\[1\]: datepattern 2, character 4: %q is no token of a date, in "%Y-%q"$/m,
    /^bailiff\.yaml:6:18: jails\.c\.datepattern: datepattern 1, character 4: this bracket is not closed/m,
    /^bailiff\.yaml:9:15: jails\.d\.timezone: "Europe\/Nowhere" is no time zone; write a name such as Europe\/Berlin/m,
    /^bailiff\.yaml:10:29: jails\.e\.timezone: "\+25:00" is no time zone/m,
  ])
    assert.match(told, message)
})

test.run()
