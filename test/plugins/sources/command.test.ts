import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { SourcePlugin } from '../../../core/plugin.ts'
import command from '../../../plugins/sources/command.ts'
import { optionIssues } from '../../../core/testing/option-checks.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import { temporaryFolder } from '../../core/cli/agent-process.ts'
import { intakeFor, Seen, silent, sourceOf, until } from '../../core/intake/lines.ts'
import { keepsContract, suite } from '../../suite.ts'

const plugin = command as SourcePlugin
const folder = temporaryFolder()
const log = join(folder, 'some.log')
writeFileSync(log, '')
keepsContract(
  'source command',
  sourceChecks(plugin, {
    options: { command: ['/usr/bin/tail', '-n', '0', '-F', log], env: {} },
    write: (text) => appendFileSync(log, text),
  }),
)

const test = suite('command source')

test('arguments are words and no shell sees them; the environment is what is said', () =>
  running(
    script('echo "$0|$1|$HOME|$LANG|$LC_ALL|$X"; sleep 60', '$(touch /x); *', 'b'),
    { X: 'y z' },
    async (seen) => {
      await until(
        () => seen.lines.length === 1,
        () => seen.alarms,
      )
      assert.equal(seen.lines, ['$(touch /x); *|b|||C.UTF-8|y z'])
    },
  ))

test('a program that ends is started again, what it says on standard error is told, and its last half line is none', () => {
  const count = join(folder, 'count')
  writeFileSync(count, '')
  const body = `echo x >> ${count}; echo "run $(wc -l < ${count})"; printf 'a\\033[31mbc\\n' >&2; printf half; exit 3`
  return running(script(body), {}, async (seen, warnings) => {
    await until(
      () => seen.lines.length === 2,
      () => seen.alarms,
    )
    assert.equal(seen.lines, ['run 1', 'run 2'])
    assert.match(seen.alarms[0] ?? '', 'starts again in 1 s: /bin/sh ended with exit code 3: a\\x1b[31mbc')
    assert.is(warnings[0], '/bin/sh says: a\\x1b[31mbc')
  })
})

test('all that it started ends with the source', async () => {
  const pid = join(folder, 'pid')
  await running(script(`sleep 1000 & echo $! > ${pid}; echo begun; wait`), {}, async (seen) => {
    await until(() => seen.lines.length === 1)
  })
  const child = Number(readFileSync(pid, 'utf8'))
  await until(() => !existsSync(`/proc/${child}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, 'utf8')))
})

test('a program that prints much is slowed down, not held in memory', () =>
  running(['/usr/bin/yes', 'x'.repeat(1000)], {}, async (seen) => {
    let open = () => {}
    seen.gate = new Promise((resolve) => (open = resolve))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const held = process.memoryUsage().arrayBuffers
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(process.memoryUsage().arrayBuffers < held + 4 * 1024 * 1024)
    seen.gate = null
    open()
    await until(() => seen.lines.length > 5000)
    for (const { data } of seen.chunks) assert.ok('length' in data && data.length < 1.3 * 1024 * 1024)
  }))

test('no such program is told with its name', () =>
  running(['/nonexistent/program'], {}, async (seen) => {
    await until(() => seen.alarms.length === 1)
    assert.match(seen.alarms[0] ?? '', 'there is no program /nonexistent/program')
  }))

test('options', async () => {
  const cases: [options: unknown, fine: boolean][] = [
    [{ command: ['/bin/a', 'b'] }, true],
    [{ command: ['/bin/a'], env: { A: 'b' } }, true],
    [{ command: ['a'] }, false],
    [{ command: [] }, false],
    [{ command: '/bin/a b' }, false],
    [{}, false],
  ]
  for (const [options, fine] of cases)
    assert.is((await optionIssues(plugin.options, options)).length === 0, fine, JSON.stringify(options))
})

test.run()

function script(text: string, ...words: string[]): string[] {
  return ['/bin/sh', '-c', text, ...words]
}

async function running(
  words: readonly string[],
  env: object,
  body: (seen: Seen, warnings: string[]) => Promise<void>,
): Promise<void> {
  const [seen, warnings] = [new Seen(), [] as string[]]
  const log = { ...silent, warn: (_: object, message: string) => void warnings.push(message) }
  const intake = intakeFor(seen)
  const source = sourceOf('command', plugin, { command: words, env }, 'sshd')
  try {
    await intake.configure([{ ...source, host: (parts) => ({ ...source.host(parts), log }) }])
    await body(seen, warnings)
  } finally {
    await intake.stop()
  }
}
