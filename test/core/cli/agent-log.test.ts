import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { spawnSync } from 'node:child_process'

const test = suite('log of the agent')
const module = new URL('../../../core/cli/agent-log.js', import.meta.url).href

/** What the log prints of one message, without its time. */
function printed(fields: object, message: string): string {
  const script = `const { createLog } = await import(${JSON.stringify(module)})
    createLog('text', 'info').info(${JSON.stringify(fields)}, ${JSON.stringify(message)})`
  const env = { ...process.env, NO_COLOR: '1' }
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env }).stdout.slice(25)
}

for (const [fields, message, expected] of [
  [
    { failures: 5, count: 1 },
    'ban until 2026-11-22T13:45:51Z',
    'info  ban until 2026-11-22T13:45:51Z  failures=5  count=1\n',
  ],
  [{ jail: 'sshd', prefix: '192.0.2.7' }, '[sshd] ban 192.0.2.7', 'info  [sshd] ban 192.0.2.7\n'],
  [{ prefix: '192.0.2.7' }, 'ban 192.0.2.77', 'info  ban 192.0.2.77  prefix=192.0.2.7\n'],
  [{ failures: 2, count: 1 }, 'ban 198.18.3.2', 'info  ban 198.18.3.2  failures=2  count=1\n'],
  [
    { count: 1, plugin: 'edge' },
    'ban 2001:db8::1 by edge-1',
    'info  ban 2001:db8::1 by edge-1  count=1  plugin=edge\n',
  ],
  [{ prefix: '2001:db8::1' }, 'told: 2001:db8::1.', 'info  told: 2001:db8::1.\n'],
  [{ failures: 5 }, 'after 5 failures', 'info  after 5 failures\n'],
] as const)
  test(`a field is left out where the message has its value, and only there: ${message}`, () => {
    assert.is(printed(fields, message), expected)
  })

test.run()
