import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { shippedFilters } from '../../config/scan-text.ts'
import { suite } from '../../suite.ts'
import { bailiff, temporaryFolder } from './agent-process.ts'

const test = suite('bailiff filter')
const folder = temporaryFolder()
const config = join(folder, 'bailiff.yaml')
writeFileSync(config, 'jails: {}\n')
mkdirSync(join(folder, 'filters'))

/** A filter beside the configuration: its samples hold in mode normal, and not in mode loose. */
const own = join(folder, 'filters/popd.yaml')
writeFileSync(
  own,
  String.raw`description: "logins of \u001B[31mpopd"
programs: [popd]
sources: [/var/log/popd.log]
ports: [pop3]
failregex: ['^login of <F-USER>\S*</F-USER> from <ADDR> failed$']
modes:
  loose: { failregex: ['(?<=from )<ADDR>'] }
samples:
  match:
    - { line: 'Nov 22 13:41:02 h popd[7]: login of joe from 192.0.2.7 failed', address: 192.0.2.7 }
  pass: ['Nov 22 13:41:02 h popd[7]: login of joe from 192.0.2.7 succeeded']
  hostile:
    - { line: 'Nov 22 13:41:02 h popd[7]: login of x from 203.0.113.9 from 192.0.2.7 failed', address: null }
`,
)

test('list names every filter, the own ones too, with what people want to know', async () => {
  const { code, stdout } = await bailiff(['filter', 'list', '--config', config])
  assert.is(code, 0)
  for (const name of [...shippedFilters(), 'popd']) assert.match(stdout, new RegExp(`^${name} `, 'm'))
  assert.match(stdout, new RegExp(`^popd +normal loose +1 of 2 +3 +${own} +logins of \\\\x1b\\[31mpopd$`, 'm'))
  assert.match(stdout, /^postfix +normal more .* Bailiff +Postfix: /m)
})

test('list --json is for scripts', async () => {
  const { filters, problems } = await json<{ filters: { name: string }[]; problems: unknown[] }>(['filter', 'list'])
  assert.equal(problems, [])
  const { file, ...popd } = filters.find(({ name }) => name === 'popd') as { name: string; file?: string }
  assert.is(file, own)
  assert.equal(popd, {
    name: 'popd',
    description: 'logins of \u001B[31mpopd',
    modes: ['normal', 'loose'],
    patterns: 2,
    linear: false,
    linearPatterns: 1,
    samples: { match: 1, pass: 1, hostile: 1 },
    builtIn: false,
  })
})

test('show tells the patterns of a mode, and which of them are linear', async () => {
  const { stdout } = await bailiff(['filter', 'show', own, '--mode', 'loose'])
  assert.match(stdout, /^popd in mode loose: logins of \\x1b\[31mpopd\n/)
  for (const line of ['sources     /var/log/popd.log', 'ports       110', 'programs    popd'])
    assert.match(stdout, `  ${line}\n`)
  assert.match(stdout, / 0 {2}linear\n {6}\^login of /)
  assert.match(stdout, / 1 {2}backtracking: it has a look-around\n/)
  const { failregex, mode } = await json<{ failregex: unknown[]; mode: string }>(['filter', 'show', 'popd'])
  assert.is(mode, 'normal')
  assert.equal(failregex, [
    { text: '^login of <F-USER>\\S*</F-USER> from <ADDR> failed$', linear: true, backtracking: null },
  ])
})

test('a filter for a JSON log shows its conditions', async () => {
  const file = join(folder, 'web.yaml')
  writeFileSync(file, "format: json\nmatch: { path: /login, agent: { regex: '^a(?=b)' } }\naddress: ip\n")
  const { stdout } = await bailiff(['filter', 'show', file])
  assert.match(stdout, '  format      json\n')
  assert.match(stdout, /\nmatch\n {3}0 {2}.*path.*login/)
  const { match } = JSON.parse((await bailiff(['filter', 'show', file, '--json'])).stdout) as { match: string[] }
  assert.is(match.length, 1)
})

test('test runs the samples of the package, and says so in a table', async () => {
  const { code, stdout } = await bailiff(['filter', 'test', 'postfix', 'dovecot', '--mode', 'auth'])
  assert.is(code, 0)
  assert.match(stdout, /^FILTER +MODE +SAMPLES +RESULT\npostfix +auth +\d+ +ok\ndovecot +auth +\d+ +ok\n$/)
})

test('test shows each failing sample with what was found instead, and its place', async () => {
  const { code, stdout } = await bailiff(['filter', 'test', own])
  assert.is(code, 78)
  assert.match(stdout, /^popd +normal +3 +ok$/m)
  assert.match(stdout, /^popd +loose +3 +2 failed$/m)
  assert.match(stdout, `problem  ${own}:11:`)
  assert.match(stdout, 'in mode loose of popd, this sample tells of 192.0.2.7 by failregex 2, and must not match')
  const { tried, problems } = await json<{
    tried: object[]
    problems: { filter: string; mode: string; line: number }[]
  }>(['filter', 'test', 'popd'], 78)
  assert.equal(tried, [
    { filter: 'popd', mode: 'normal', tried: 3, failed: 0 },
    { filter: 'popd', mode: 'loose', tried: 3, failed: 2 },
  ])
  assert.equal(
    problems.map(({ filter, mode, line }) => [filter, mode, line]),
    [
      ['popd', 'loose', 11],
      ['popd', 'loose', 13],
    ],
  )
})

test('a broken filter is told, and the others are listed and tried all the same', async () => {
  const broken = join(folder, 'filters/broken.yaml')
  writeFileSync(broken, "failregex: ['^nothing$']\n")
  const listed = await bailiff(['filter', 'list', '--config', config])
  assert.is(listed.code, 78)
  assert.match(listed.stdout, `${broken}:1:`)
  assert.match(listed.stdout, 'no address tag')
  assert.match(listed.stdout, /^popd /m)
  const tried = await bailiff(['filter', 'test', '--config', config])
  assert.is(tried.code, 78)
  assert.match(tried.stdout, /^broken +normal +0 +1 failed$/m)
  assert.match(tried.stdout, /^sshd +aggressive +\d+ +ok$/m)
  writeFileSync(broken, 'description: no pattern\n')
  assert.match((await bailiff(['filter', 'list', '--config', config])).stdout, 'the filter "broken" has no failregex')
})

test('a filter or mode that there is not is told with what was meant', async () => {
  for (const [words, code, message] of [
    [['show', 'mysqld'], 78, 'there is no filter "mysqld"; did you mean mysqld-auth?'],
    [['show', 'postfiks'], 78, 'there is no filter "postfiks"; did you mean postfix?'],
    [['show', './none.yaml'], 66, 'there is no filter file "./none.yaml"'],
    [['show', 'postfix', '--mode', 'agressive'], 78, 'has no mode "agressive"; did you mean aggressive?'],
    [['test', '--mode', 'none'], 78, 'no filter has a mode "none"'],
  ] as const) {
    const { code: got, stdout, stderr } = await bailiff(['filter', ...words])
    assert.is(got, code)
    assert.is(stdout, '')
    assert.match(stderr, message)
  }
})

test.run()

/** What a command prints as JSON. */
async function json<T>(words: readonly string[], expected = 0): Promise<T> {
  const { code, stdout } = await bailiff([...words, '--json', '--config', config])
  assert.is(code, expected)
  return JSON.parse(stdout) as T
}
