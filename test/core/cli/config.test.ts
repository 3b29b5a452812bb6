import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { loadSettings } from '../../../core/settings/load-settings.ts'
import { usualValues } from '../../../core/settings/usual-values.ts'
import { suite } from '../../suite.ts'
import { scratch } from '../settings/scratch.ts'
import { bailiff } from './agent-process.ts'

const test = suite('bailiff config')
const folder = scratch({
  'bailiff.yaml': `ignoreip: [192.0.2.0/24]
defaults:
  maxretry: 4
  bantime: { base: 2h, factor: 3 }
jails:
  plain: on
  my.jail: { filter: plain, maxretry: 9, bantime: 1h, ignoreip: home.example.net }
  again:
    filter: { counts: bans, usual: { maxretry: 2 } }
`,
  'conf.d/10-more.yaml': 'ignoreip: 198.51.100.0/24\njails:\n  my.jail: { maxretry: 8 }\n',
  'filters/plain.yaml': 'sources: [/dev/null]\nports: [ssh]\nipv6prefix: 128\nfailregex: bad <ADDR>\n',
})

async function explain(...words: string[]) {
  const { code, stdout, stderr } = await bailiff([
    'config',
    'explain',
    ...words,
    '--config',
    join(folder, 'bailiff.yaml'),
  ])
  return { code, out: stdout.replaceAll(`${folder}/`, ''), err: stderr }
}

test('an option: its value, its place, what it overrides, what it means', async () => {
  const { code, out } = await explain('jails.my.jail.maxretry')
  assert.is(code, 0)
  assert.is(
    out,
    `jails.my.jail.maxretry: 8
  from       conf.d/10-more.yaml:3 (jails.my.jail.maxretry)
  overrides  9  bailiff.yaml:7 (jails.my.jail.maxretry)
  overrides  4  bailiff.yaml:3 (defaults.maxretry)
  overrides  5  built in
  means      so many failures within findtime lead to a ban
  allowed    a whole number from 1 to 100000
  default    5
`,
  )
})

test('jail, filter, defaults and what is built in, in this order', async () => {
  const cases: [key: string, value: string, from: string][] = [
    ['jails.plain.maxretry', '4', 'bailiff.yaml:3 (defaults.maxretry)'],
    ['jails.plain.findtime', '10m', 'built in'],
    ['jails.plain.ports', '[ssh]', 'filter filters/plain.yaml:2 (ports)'],
    ['jails.plain.ipv6prefix', '128', 'filter filters/plain.yaml:3 (ipv6prefix)'],
    ['jails.plain.source', '/dev/null', 'filter filters/plain.yaml:1 (sources[0])'],
    ['jails.plain.enabled', 'on', 'bailiff.yaml:6 (jails.plain.enabled)'],
    ['jails.plain.bantime.base', '2h', 'bailiff.yaml:4 (defaults.bantime)'],
    ['jails.plain.bantime.max', '1w', 'built in'],
    ['jails.my.jail.bantime.base', '1h', 'bailiff.yaml:7 (jails.my.jail.bantime)'],
    ['jails.my.jail.bantime.increment', 'off', 'bailiff.yaml:7 (jails.my.jail.bantime)'],
    ['jails.again.maxretry', '2', 'bailiff.yaml:9 (jails.again.filter.usual.maxretry)'],
    ['defaults.maxretry', '4', 'bailiff.yaml:3 (defaults.maxretry)'],
    ['ignoreip', '["192.0.2.0/24", "198.51.100.0/24"]', 'bailiff.yaml:1 (ignoreip)'],
    ['ignoreip[0]', '"192.0.2.0/24"', 'bailiff.yaml:1 (ignoreip[0])'],
    ['ignoreip[1]', '"198.51.100.0/24"', 'conf.d/10-more.yaml:1'],
    ['jails.my.jail.ignoreip', 'home.example.net', 'bailiff.yaml:7 (jails.my.jail.ignoreip)'],
    ['observe', 'off', 'built in'],
    ['firewall.socket', '(not set)', 'built in'],
  ]
  for (const [key, value, from] of cases) {
    const { out } = await explain(key)
    const [head, origin] = out.split('\n')
    assert.is(head, `${key}: ${value}`)
    assert.ok(origin?.replace('filter bailiff', 'bailiff').includes(from), `${key}: ${origin}`)
  }
})

test('a jail, and everything, as a table', async () => {
  const jail = await explain('jails.plain')
  assert.match(jail.out, /^jails\.plain\.maxretry +4 +bailiff\.yaml:3 \(defaults\.maxretry\)$/m)
  assert.not.match(jail.out, /my\.jail/)
  const all = await explain()
  for (const key of ['workers', 'defaults.findtime', 'jails.my.jail.ports', 'jails.again.jails'])
    assert.match(all.out, new RegExp(`^${key.replaceAll('.', '\\.')} +\\S`, 'm'))
  assert.not.match(all.out, /jails\.again\.source/)
})

test('--json has all of it', async () => {
  const { out } = await explain('jails.my.jail.maxretry', '--json')
  const { settings } = JSON.parse(out) as { settings: Record<string, unknown>[] }
  const [{ value, option, line, usually, overridden } = {}] = settings
  assert.equal([value, option, line, usually], [8, 'jails.my.jail.maxretry', 3, 5])
  assert.equal(
    (overridden as { value: unknown; from: string }[]).map((one) => [one.value, one.from]),
    [
      [9, 'configuration'],
      [4, 'configuration'],
      [5, 'built in'],
    ],
  )
})

test('what there is not: did you mean', async () => {
  const cases: [key: string, says: RegExp][] = [
    ['jails.plain.maxretri', /jails\.plain: unknown option "maxretri"; did you mean maxretry\?/],
    ['jails.plan', /no jail "plan"; did you mean plain\?/],
    ['maxretry', /did you mean defaults\.maxretry, or jails\.NAME\.maxretry\?/],
    ['plain', /did you mean jails\.plain\?/],
    ['ignorip', /did you mean ignoreip\?/],
    ['defaults.state', /defaults: unknown option "state"/],
  ]
  for (const [key, says] of cases) {
    const { code, err, out } = await explain(key)
    assert.equal([code, out], [64, ''], key)
    assert.match(err, says)
  }
})

test('what is told as built in is what the agent does when nothing is said', async () => {
  const filters = { 'filters/plain.yaml': 'sources: [/dev/null]\nports: [ssh]\nfailregex: bad <ADDR>\n' }
  const { enabled, mode, protocol, also, ...defaults } = usualValues.jail
  const { ignoreip, ...rest } = defaults
  const load = async (text: object) => {
    const at = scratch({ 'bailiff.yaml': JSON.stringify(text), ...filters })
    const { jails, notifiers, observe, memoryBytes, historyMs } = await loadSettings({ file: join(at, 'bailiff.yaml') })
    const withoutPlaces = (_key: string, value: unknown) =>
      typeof value === 'object' && value !== null && 'file' in value ? undefined : value
    const clean = JSON.stringify({ jails, notifiers, observe, memoryBytes, historyMs }, withoutPlaces)
    return clean.replaceAll(at, '').replace(/"optionsAt":\{[^}]*\}/g, '')
  }
  assert.is(
    await load({
      ...usualValues.top,
      defaults: { ...rest, ignoreip },
      jails: { plain: { enabled, mode, protocol, also } },
    }),
    await load({ jails: { plain: 'on' } }),
  )
})

test('schema prints one of each', async () => {
  for (const [words, title] of [
    [['schema'], 'bailiff.yaml'],
    [['schema', '--filter', '--json'], 'filter'],
  ] as const) {
    const { code, stdout } = await bailiff(['config', ...words])
    assert.is(code, 0)
    assert.is((JSON.parse(stdout) as { title: string }).title, title)
  }
})

test.run()
