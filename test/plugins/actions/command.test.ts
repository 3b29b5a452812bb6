import { mkdtempSync, readdirSync, readFileSync, rmSync, existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { withDeadline } from '../../../core/enforcing/deadline.ts'
import type { ActionPlugin } from '../../../core/plugin.ts'
import command from '../../../plugins/actions/command.ts'
import { actionBan } from '../../../core/testing/sample-bans.ts'
import { actionChecks } from '../../../core/testing/action-checks.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { optionIssues } from '../../../core/testing/option-checks.ts'
import { keepsContract, rejects, suite } from '../../suite.ts'

const plugin = command as ActionPlugin
const folder = mkdtempSync(join(tmpdir(), 'bailiff-command-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

// A small program of the other side: it keeps a file a prefix.
const script = join(folder, 'edge.sh')
writeFileSync(
  script,
  '#!/bin/sh\nset -eu\nfile="$1/held-$(echo "$3" | tr / _)"\nif [ "$2" = ban ]; then cat > "$file"; else rm -f "$file"; fi\n',
  { mode: 0o755 },
)
const options = {
  ban: [script, folder, 'ban', '{prefix}'],
  unban: [script, folder, 'unban', '{prefix}'],
  env: {},
  restored: false,
}
const { host } = testHost(options)

keepsContract(
  'action command',
  actionChecks(plugin, {
    options,
    host,
    holds: async () =>
      readdirSync(folder)
        .filter((name) => name.startsWith('held-'))
        .map((name) => name.slice(5).replace('_', '/')),
  }),
)

const test = suite('action command')

test('placeholders are filled with values of Bailiff’s own, and the ban is on stdin as JSON', async () => {
  const out = join(folder, 'out')
  const show = join(folder, 'show.sh')
  writeFileSync(show, `#!/bin/sh\necho "$@" > ${out}; cat >> ${out}\n`, { mode: 0o755 })
  const words = [
    '{address}',
    '{family}',
    '{jail}',
    '{protocol}',
    '{ports}',
    '{failures}',
    '{count}',
    '{reason}',
    'x{prefix}y',
  ]
  const ban = actionBan('2001:db8::/64', { ports: { protocol: 'tcp', ports: [22, 2222] } })
  await plugin.ban(ban, testHost({ ...options, ban: [show, ...words] }).host)
  const [line, json] = readFileSync(out, 'utf8').split('\n')
  assert.is(line, '2001:db8:: 6 sshd tcp 22,2222 5 1 new x2001:db8::/64y')
  assert.equal(JSON.parse(json ?? ''), JSON.parse(JSON.stringify(ban)))
})

test('shell text in a line runs nothing', async () => {
  const trap = join(folder, 'trap')
  const lines = [`$(touch ${trap})`, `\`touch ${trap}\``, `; touch ${trap} #`, `' && touch ${trap}`]
  await plugin.ban(actionBan('192.0.2.9', { lines }), host)
  await plugin.unban(actionBan('192.0.2.9', { lines }), host)
  assert.not.ok(existsSync(trap))
})

test('options that could reach a shell or the wrong value are refused', async () => {
  const bad: unknown[] = [
    {},
    { ban: 'echo {prefix}' },
    { ban: ['echo', '{prefix}'] },
    { ban: ['/bin/{prefix}'] },
    { ban: [] },
    { ban: ['/bin/echo', '{lines}'] },
    { ban: ['/bin/echo', '{__proto__}'] },
    { ban: ['/bin/echo', 7] },
  ]
  for (const given of bad) assert.ok((await optionIssues(plugin.options, given)).length > 0, JSON.stringify(given))
})

test('a program that fails is told with what it said, without control bytes', async () => {
  const failing = join(folder, 'fail.sh')
  writeFileSync(failing, '#!/bin/sh\nprintf "no such \\033[31mzone\\n" >&2; exit 3\n', { mode: 0o755 })
  await rejects(
    plugin.ban(actionBan('192.0.2.1'), testHost({ ...options, ban: [failing] }).host),
    'ended with exit code 3: no such \\x1b[31mzone',
  )
  await rejects(
    plugin.ban(actionBan('192.0.2.1'), testHost({ ...options, ban: ['/nonexistent/x'] }).host),
    '/nonexistent/x cannot be run',
  )
})

test('at its deadline a program ends with everything it started', async () => {
  const slow = join(folder, 'slow.sh')
  const pids = join(folder, 'pids')
  writeFileSync(slow, `#!/bin/sh\nsleep 60 & echo $! > ${pids}; wait\n`, { mode: 0o755 })
  const slowHost = testHost({ ...options, ban: [slow] }).host
  await rejects(
    withDeadline(slowHost, 500, async () => plugin.ban(actionBan('192.0.2.1'), slowHost)),
    'did not answer within',
  )
  const pid = readFileSync(pids, 'utf8').trim()
  for (let i = 0; i < 100 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.not.ok(alive(pid))
})

test('bans from before the start are left alone unless asked for', async () => {
  const held = () => existsSync(join(folder, 'held-192.0.2.77'))
  await plugin.ban(actionBan('192.0.2.77', { reason: 'restored' }), host)
  assert.not.ok(held())
  await plugin.ban(actionBan('192.0.2.77', { reason: 'restored' }), testHost({ ...options, restored: true }).host)
  assert.ok(held())
})

test.run()

function alive(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
