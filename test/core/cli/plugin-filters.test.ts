import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { packageFolder, packageJson } from '../packages/made-packages.ts'
import { bailiff, writeConfig } from './agent-process.ts'
import { ok, pluginPlace } from './plugin-bed.ts'

const test = suite('bailiff plugin: filters', 'npm')

test('a package of filters needs no consent, and its filters are known by its name and alone', async () => {
  const { plugin, config, folder } = pluginPlace()
  const shopd = (pattern: string, more = '') => `description: failed logins of shopd
programs: [shopd]
sources: [/var/log/shopd.log]
failregex: ['${pattern}']
samples:
  match: [{ line: 'Nov 22 13:41:02 h shopd[7]: login from 192.0.2.7 failed', address: 192.0.2.7 }]
${more}`
  const pack = (text: string, name = 'bailiff-plugin-shop') =>
    packageFolder({
      'package.json': packageJson({ name }, { provides: [], filters: 'filters' }),
      'filters/shopd.yaml': text,
    })
  const good = shopd('^login from <ADDR> failed$')

  for (const [text, message] of [
    [shopd('^login from <ADDR failed$'), /shop\/filters\/shopd\.yaml:4:.*failregex/],
    [shopd('^logout from <ADDR>$'), /shopd\.yaml:6:.*this sample does not match/],
    [shopd('^x <ADDR>$', 'surces: []\n'), /unknown option "surces"; did you mean sources\?/],
    [good.replace('[/var/log/shopd.log]', '[./evil.mjs]'), /may read files and the journal, and not/],
    [
      good.replace('[/var/log/shopd.log]', '[{ command: { command: [/bin/id] } }]'),
      /may read files and the journal, and not "command"/,
    ],
  ] as const) {
    const { code, stderr } = await plugin('add', pack(text))
    assert.is(code, 65)
    assert.match(stderr, message)
  }
  assert.match(ok(await plugin('add', pack(good))), 'filters    shopd (1 sample, all right)')
  const { filters } = JSON.parse(ok(await bailiff(['filter', 'list', '--json', '--config', config]))) as {
    filters: { name: string; package?: string }[]
  }
  assert.is(filters.find(({ name }) => name === 'shop/shopd')?.package, 'bailiff-plugin-shop 1.0.0')
  const names = ['shopd', 'shop/shopd', 'bailiff-plugin-shop/shopd']
  for (const name of names) ok(await bailiff(['filter', 'test', name, '--config', config]))
  for (const name of names) {
    writeConfig(folder, `jails: { a: { filter: ${name}, actions: [memory] } }\n`)
    ok(await bailiff(['check', '--config', config]))
  }
  ok(await plugin('add', pack(good, 'bailiff-plugin-store')))
  writeConfig(folder, `jails: { shopd: on }\n`)
  assert.match(
    (await bailiff(['check', '--config', config])).stdout,
    'several packages have a filter "shopd": write shop/shopd or store/shopd',
  )
  writeConfig(folder, `jails: { shopd: { filter: mall/shopd } }\n`)
  assert.match((await bailiff(['check', '--config', config])).stdout, 'bailiff plugin add mall')

  const { installed } = JSON.parse(ok(await plugin('info', 'shop', '--json'))) as { installed: { folder: string } }
  writeFileSync(join(installed.folder, 'filters/shopd.yaml'), good.replace('failed$', 'f'))
  writeConfig(folder, `jails: { a: { filter: shop/shopd, actions: [memory] } }\n`)
  assert.match((await bailiff(['check', '--config', config])).stdout, 'bailiff-plugin-shop 1.0.0 is not used')
})

test.run()
