import fc from 'fast-check'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { ActionPlugin } from '../../../core/plugin.ts'
import { actionChecks } from '../../../core/testing/action-checks.ts'
import { ActionTester } from '../../../core/testing/action-tester.ts'
import { optionIssues } from '../../../core/testing/option-checks.ts'
import { actionBan } from '../../../core/testing/sample-bans.ts'
import denyFile from '../../../plugins/actions/deny-file.ts'
import { marker } from '../../../plugins/actions/deny-file/owned-file.ts'
import { temporaryFolder } from '../../core/cli/agent-process.ts'
import { keepsContract, suite } from '../../suite.ts'

const plugin = denyFile as ActionPlugin
const scratch = temporaryFolder()
let folders = 0

/** A folder with a program that counts its runs in `runs`, and fails while there is a file `broken`. */
function place(): { folder: string; path: string; reload: string[]; runs: () => number } {
  const folder = join(scratch, String(folders++))
  mkdirSync(folder)
  const script = join(folder, 'reload.sh')
  writeFileSync(
    script,
    '#!/bin/sh\necho run >> "$1/runs"\nif [ -e "$1/broken" ]; then echo no such \x1b[31mproxy >&2; exit 3; fi\n',
    { mode: 0o755 },
  )
  const runs = () => (existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').length / 4 : 0)
  return { folder, path: join(folder, 'denied'), reload: [script, folder], runs }
}

/** The lines of a list below the marker. */
function listIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  assert.is(lines.pop(), '')
  return lines.slice(lines.indexOf(marker) + 1)
}

const contract = place()
const options = { path: contract.path, format: 'plain', reload: contract.reload, pause: 0 }
keepsContract('action deny-file', actionChecks(plugin, { options, holds: () => listIn(contract.path) }))

const test = suite('action deny-file')

test('each format is what its program reads', async () => {
  const cases: [format: string, value: string | undefined, lines: string[]][] = [
    ['nginx', undefined, ['deny 192.0.2.7;', 'deny 2001:db8:1::/64;']],
    ['nginx-geo', undefined, ['192.0.2.7 1;', '2001:db8:1::/64 1;']],
    ['nginx-geo', 'banned', ['192.0.2.7 banned;', '2001:db8:1::/64 banned;']],
    ['haproxy', undefined, ['192.0.2.7', '2001:db8:1::/64']],
    ['haproxy-map', 'x.1', ['192.0.2.7 x.1', '2001:db8:1::/64 x.1']],
    ['plain', undefined, ['192.0.2.7', '2001:db8:1::/64']],
  ]
  for (const [format, value, lines] of cases) {
    const { path } = place()
    const tester = await ActionTester.start(plugin, { options: { path, format, ...(value && { value }) } })
    assert.is((await tester.ban('192.0.2.7', '2001:db8:1::/64')).outcome, 'done')
    assert.equal(listIn(path), lines, format)
    await tester.stop()
    assert.equal(listIn(path), lines, 'after the stop it is as it was')
  }
})

test('a prefix is listed while it is banned from any ports', async () => {
  const { path } = place()
  const tester = await ActionTester.start(plugin, { options: { path, format: 'plain' } })
  const web = actionBan('192.0.2.7', { jail: 'web', ports: { protocol: 'tcp', ports: [80, 443] } })
  await tester.ban('192.0.2.7', web, actionBan('192.0.2.7', { reason: 'extended' }))
  await tester.unban('192.0.2.7')
  assert.equal(listIn(path), ['192.0.2.7'])
  await tester.unban(web, web)
  assert.equal(listIn(path), [])
})

test('whatever is banned and unbanned, the list is who is banned', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('ban', 'unban', 'sync'), fc.nat(4), fc.constantFrom(22, 80)), {
        maxLength: 12,
      }),
      async (steps) => {
        const { path } = place()
        const tester = await ActionTester.start(plugin, { options: { path, format: 'plain' } })
        const banned = new Set<string>()
        for (const [verb, number, port] of steps) {
          const ban = actionBan(`192.0.2.${number}`, { ports: { protocol: 'tcp', ports: [port] } })
          const key = `${ban.prefix} ${port}`
          if (verb === 'sync') banned.clear()
          if (verb === 'unban') banned.delete(key)
          else banned.add(key)
          await tester[verb as 'ban' | 'unban' | 'sync'](ban)
          const expected = [...new Set([...banned].map((one) => one.split(' ')[0]))].toSorted()
          assert.equal(listIn(path).toSorted(), expected)
        }
      },
    ),
    { numRuns: 40 },
  ))

test('what stands above the marker, the mode and a link stay', async () => {
  const { folder, path } = place()
  const real = join(folder, 'real')
  const header = Buffer.from('# for people: \xe9\xff\n\ndeny 203.0.113.0/24;\n', 'latin1')
  writeFileSync(real, Buffer.concat([header, Buffer.from(`${marker}\ndeny 192.0.2.99;\n`)]))
  chmodSync(real, 0o640)
  symlinkSync(real, path)
  const tester = await ActionTester.start(plugin, { options: { path, format: 'nginx' } })
  await tester.ban('192.0.2.7')
  assert.equal(readFileSync(real), Buffer.concat([header, Buffer.from(`${marker}\ndeny 192.0.2.7;\n`)]))
  assert.is(statSync(real).mode & 0o7777, 0o640)
  assert.ok(lstatSync(path).isSymbolicLink())
  assert.equal(readdirSync(folder).toSorted(), ['denied', 'real', 'reload.sh'])
})

test('a new file may be read by all, whatever the umask', async () => {
  const { path } = place()
  const umask = process.umask(0o077)
  try {
    await (await ActionTester.start(plugin, { options: { path, format: 'plain' } })).ban('192.0.2.7')
  } finally {
    process.umask(umask)
  }
  assert.is(statSync(path).mode & 0o7777, 0o644)
})

test('a file of somebody else is left as it is', async () => {
  for (const text of ['deny 203.0.113.1;\n', `x ${marker}\n`, ' ']) {
    const { path } = place()
    writeFileSync(path, text)
    const call = await (await ActionTester.start(plugin, { options: { path, format: 'nginx' } })).ban('192.0.2.7')
    assert.match((call.error as Error).message, 'was not written by Bailiff')
    assert.is(readFileSync(path, 'utf8'), text)
  }
  const { folder } = place()
  const call = await (await ActionTester.start(plugin, { options: { path: folder, format: 'nginx' } })).ban('192.0.2.7')
  assert.match((call.error as Error).message, 'is no file')
})

test('where it cannot write it says so, and what to do', async () => {
  const { folder } = place()
  const path = join(folder, 'missing', 'denied')
  const call = await (await ActionTester.start(plugin, { options: { path, format: 'nginx' } })).ban('192.0.2.7')
  assert.match((call.error as Error).message, 'cannot be written')
  assert.match((call.error as { hint?: string }).hint ?? '', `${folder}/missing`)
})

test('many bans are one file and one reload', async () => {
  const { path, reload, runs } = place()
  const tester = await ActionTester.start(plugin, { options: { path, format: 'haproxy', reload, pause: 0.2 } })
  const calls = await Promise.all(Array.from({ length: 50 }, (_, i) => tester.ban(`192.0.2.${i}`)))
  assert.ok(calls.every((call) => call !== undefined))
  assert.is(listIn(path).length, 50)
  assert.ok(runs() <= 2, `${runs()} reloads`)
  const before = runs()
  await tester.ban('192.0.2.1')
  assert.is(runs(), before, 'what changes nothing is not reloaded')
  await tester.sync('192.0.2.1')
  assert.is(runs(), before + 1, 'a sync is always reloaded')
})

test('a reload that fails fails the call, the file is right, and the next call reloads again', async () => {
  const { folder, path, reload, runs } = place()
  const tester = await ActionTester.start(plugin, { options: { path, format: 'plain', reload, pause: 0 } })
  writeFileSync(join(folder, 'broken'), '')
  const failed = await tester.ban('192.0.2.7')
  assert.is(failed.outcome, 'failed')
  const { message } = failed.error as Error
  assert.match(message, 'the list is written, but the reload failed')
  assert.match(message, 'ended with exit code 3: no such \\x1b[31mproxy')
  assert.equal(listIn(path), ['192.0.2.7'])
  assert.is((await tester.ban('192.0.2.7')).outcome, 'failed')
  rmSync(join(folder, 'broken'))
  assert.is((await tester.ban('192.0.2.7')).outcome, 'done')
  assert.is(runs(), 3)
})

test('a reload that hangs ends at the deadline, with all it started', async () => {
  const { folder, path } = place()
  const script = join(folder, 'slow.sh')
  writeFileSync(script, `#!/bin/sh\nsleep 60 & echo $! > ${folder}/pid; wait\n`, { mode: 0o755 })
  const tester = await ActionTester.start(plugin, {
    options: { path, format: 'plain', reload: [script], pause: 0 },
    deadlineMs: 1000,
  })
  assert.match(((await tester.ban('192.0.2.7')).error as Error).message, 'did not answer within')
  const pid = readFileSync(join(folder, 'pid'), 'utf8').trim()
  const alive = () => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  for (let i = 0; i < 100 && alive(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.not.ok(alive())
  assert.equal(listIn(path), ['192.0.2.7'])
})

test('options are checked', async () => {
  const fine = { path: '/etc/nginx/denied.conf', format: 'nginx' }
  assert.equal(await optionIssues(plugin.options, fine), [])
  const wrong: object[] = [
    { path: 'denied.conf' },
    { path: '/etc/nginx/' },
    { path: '/a\0b' },
    { format: 'apache' },
    { value: '1; }' },
    { value: '' },
    { reload: '/usr/sbin/nginx -s reload' },
    { reload: [] },
    { reload: ['nginx', '-s', 'reload'] },
    { pause: -1 },
    { pause: 60 },
    { mode: 0o600 },
  ]
  for (const each of wrong)
    assert.ok((await optionIssues(plugin.options, { ...fine, ...each })).length > 0, JSON.stringify(each))
})

const asRoot = suite('action deny-file as root', 'root')

asRoot('the owner stays', async () => {
  const { path } = place()
  writeFileSync(path, `${marker}\n`)
  chownSync(path, 65534, 1)
  await (await ActionTester.start(plugin, { options: { path, format: 'plain' } })).ban('192.0.2.7')
  const { uid, gid } = statSync(path)
  assert.equal([uid, gid, listIn(path)], [65534, 1, ['192.0.2.7']])
})

test.run()
asRoot.run()
