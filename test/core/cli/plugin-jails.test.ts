import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { describeError, type BailiffError } from '../../../core/errors.ts'
import { loadSettings } from '../../../core/settings/load-settings.ts'
import { readPackedJail } from '../../../core/settings/packed-jails.ts'
import { suite } from '../../suite.ts'
import { packageFolder, packageJson } from '../packages/made-packages.ts'
import { bailiff, temporaryFolder, writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin: jails', 'npm')

const filter = `description: failed logins of shopd
programs: [shopd]
failregex: ['^login from <ADDR> failed$']
samples:
  match: [{ line: 'Nov 22 13:41:02 h shopd[7]: login from 192.0.2.7 failed', address: 192.0.2.7 }]
`
const jail = `description: logins of the shop
filter: shopd
source: /var/log/shopd.log
ports: [8080]
maxretry: 3
`

/** A package of the filter shopd and a jail with this text. */
const pack = (text = jail, name = 'bailiff-plugin-shop', jailName = 'shop-login') =>
  packageFolder({
    'package.json': packageJson({ name }, { provides: [], filters: 'filters', jails: 'jails' }),
    'filters/shopd.yaml': filter,
    [`jails/${jailName}.yaml`]: text,
  })

test('a jail of a package is on where the configuration names it, and what that says counts', async () => {
  const { plugin, config, folder } = pluginPlace()
  const check = async (text: string) => {
    writeConfig(folder, `defaults: { actions: [memory] }\n${text}`)
    return bailiff(['check', '--config', config])
  }
  const explain = async (key: string) => ok(await bailiff(['config', 'explain', key, '--config', config]))
  assert.match(ok(await plugin('info', pack())), /jails {6}shop-login/)
  const added = ok(await plugin('add', pack()))
  assert.match(added, /jails {6}shop-login \(none is on unless named\)/)
  assert.match(added, /jails: \{ shop-login: \{ from: shop\/shop-login \} \}/)
  assert.match(ok(await plugin('list')), 'jail shop-login')
  assert.match((await check('jails: {}\n')).stdout, /no jail is on|0 jails/)

  for (const text of [
    'jails: { shop-login: on }\n',
    'jails: { shop-login: { from: shop } }\n',
    'jails: { other: { from: shop } }\n',
    'jails: { other: { from: shop/shop-login, maxretry: 7 } }\n',
    'jails: { other: { from: bailiff-plugin-shop/shop-login, source: /var/log/x.log } }\n',
  ])
    ok(await check(text))
  ok(await check('jails:\n  other: { from: shop, maxretry: 7 }\n'))
  assert.match(
    await explain('jails.other.ports'),
    /\[8080\]\n  from .*shop\/jails\/shop-login\.yaml:4 \(jails\.other\.ports\)/,
  )
  const maxretry = await explain('jails.other.maxretry')
  assert.match(maxretry, /: 7\n  from .*bailiff\.yaml:\d+/)
  assert.match(maxretry, /overrides +3 .*shop-login\.yaml:5/)
  assert.match(await explain('jails.other.filter'), 'shop/shopd')
})

test('a jail that cannot be had is told, and the others go on', async () => {
  const { plugin, config, folder } = pluginPlace()
  ok(await plugin('add', pack()))
  ok(await plugin('add', pack(jail, 'bailiff-plugin-store')))
  const cases: [text: string, said: RegExp][] = [
    ['a: { from: shoq }', /there is no packed jail "shoq"/],
    ['a: { from: shop/shop-loging }', /there is no packed jail "shop\/shop-loging"; did you mean shop\/shop-login\?/],
    ['shop-login: on', /several packages have a jail "shop-login": write from: shop\/shop-login or store\/shop-login/],
    ['a: { from: [shop] }', /must be text/],
    ['a: { from: shop, maxretry: many }', /must be a number, but is the text "many"/],
  ]
  const load = async (text: string) => {
    writeConfig(folder, `defaults: { actions: [memory] }\njails: { ${text} }\n`)
    return loadSettings({ file: config })
  }
  for (const [text, said] of cases) {
    const { jails, broken, problems } = await load(`${text}, good: { filter: sshd, source: /var/log/x }`)
    assert.equal(
      jails.map(({ name }) => name),
      ['good'],
    )
    assert.is(broken.length, 1)
    assert.match(problems.map(describeError).join('\n'), said)
  }
  const { jails } = await load('a: { from: shop }')
  const [file = ''] = (await loadSettings({ file: config })).files.filter((one) => one.endsWith('shop-login.yaml'))
  assert.is(jails[0]?.maxretry, 3)
  appendFileSync(file, 'bantime: 1s\n')
  const changed = await load('a: { from: shop }')
  assert.match(
    changed.problems.map(describeError).join(),
    /bailiff-plugin-shop 1\.0\.0 is not used: .*shop-login\.yaml was changed/,
  )
})

test('a jail of a package names neither code nor whom to spare, and takes no jail that there is', async () => {
  const cases: [text: string, said: RegExp][] = [
    ['also: [./evil.mjs]\n', /jail\.yaml:6.*unknown option "also"/],
    ['ignoreip: [0.0.0.0/0]\n', /unknown option "ignoreip"/],
    ['trusted_proxies: [0.0.0.0/0]\n', /unknown option "trusted_proxies"/],
    ['enabled: on\n', /unknown option "enabled"/],
    ['from: other\n', /unknown option "from"/],
    ['sources: [./evil.mjs]\n', /may read logs, by absolute paths, and the journal/],
    [
      'sources: [/var/log/x, { command: { command: [/bin/id] } }]\n',
      /may read logs, by absolute paths, and the journal/,
    ],
    ['sources: [{ journal: {}, command: {} }]\n', /one plugin an item/],
    ['sources: [/var/log/../../etc/evil.mjs]\n', /may read logs/],
    ['findtime: 0\n', /findtime/],
    ['__proto__: { polluted: 1 }\n', /__proto__/],
  ]
  const folder = temporaryFolder()
  const file = join(folder, 'jail.yaml')
  const read = async (text: string) => {
    const problems: BailiffError[] = []
    writeFileSync(file, text)
    const given = await readPackedJail({ file, of: { name: 'bailiff-plugin-shop' } }, problems)
    return { given, said: problems.map(describeError).join('\n') }
  }
  for (const [more, said] of cases) assert.match((await read(jail + more)).said, said)
  for (const path of ['./other.yaml', '{ name: /srv/x.yaml }', '../odd.wasm', 'x.yml'])
    assert.match((await read(jail.replace('shopd', path))).said, /jail\.yaml:2.*by its name, and not by a path/)
  assert.match((await read(jail.replace('filter: shopd\n', ''))).said, /filter/)
  assert.match((await read(jail.replace('shopd\n', '{ failregex: x }\n'))).said, /filter/)
  assert.is((await read(jail)).said, '')
  assert.is((await read(`${jail}sources: [journal, /var/log/a*.log]\n`)).said, '')

  const { plugin, config, folder: place } = pluginPlace()
  const bad = await plugin('add', pack(`${jail}also: [x]\n`))
  assert.is(bad.code, 65)
  assert.match(bad.stderr, /shop\/jails\/shop-login\.yaml:6.*unknown option "also"/)
  for (const [name, said] of [
    ['shopdd', /jails\/shop-login\.yaml:2.*there is no filter "shopdd"; did you mean shopd\?/],
    ['{ name: nothing-such }', /there is no filter "nothing-such"; the package has shopd/],
    ['shop/sshd', /there is no filter "shop\/sshd"/],
  ] as const) {
    const folder = pack(jail.replace('shopd', name))
    for (const { code, stderr } of [await plugin('add', folder), await bailiff(['plugin', 'pack', folder])]) {
      assert.is(code, 65)
      assert.match(stderr, said)
    }
  }
  for (const name of ['sshd', 'shop/shopd', 'other/filter']) ok(await plugin('add', pack(jail.replace('shopd', name))))
  ok(await plugin('add', pack(jail, 'bailiff-plugin-shop', 'sshd')))
  writeConfig(place, 'defaults: { actions: [memory] }\njails: { sshd: { source: /var/log/auth.log } }\n')
  const { jails } = await loadSettings({ file: config })
  assert.equal(jails[0]?.ports, { protocol: 'tcp', ports: [22] })
})

test('the schema and explain know the options of plugins of packages', async () => {
  const { plugin, config } = pluginPlace()
  ok(await plugin('add', packageFolder(), '--yes'))
  const schema = JSON.parse(ok(await bailiff(['config', 'schema', '--config', config]))) as {
    $defs: { action: { anyOf: { properties?: Record<string, unknown> }[] } }
  }
  const edge = JSON.stringify(schema.$defs.action.anyOf[1]?.properties?.edge)
  assert.match(edge, '"required":["path"]')
})

test.run()
