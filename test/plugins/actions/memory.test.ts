import * as assert from 'uvu/assert'
import type { ActionPlugin } from '../../../core/plugin.ts'
import memory from '../../../plugins/actions/memory.ts'
import { actionBan } from '../../../core/testing/sample-bans.ts'
import { actionChecks } from '../../../core/testing/action-checks.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { keepsContract, suite } from '../../suite.ts'

const plugin = memory as ActionPlugin
const { host, logged } = testHost({})

keepsContract(
  'action memory',
  actionChecks(plugin, {
    options: {},
    host,
    async holds() {
      const held = new Set<string>()
      for (const { fields, message } of logged) {
        const { prefix } = fields as { prefix: string }
        if (message.includes('left')) held.delete(prefix)
        else held.add(prefix)
      }
      return [...held]
    },
  }),
)

const test = suite('action memory')

test('every ban says that nothing is protected', async () => {
  const fresh = testHost({})
  for (const prefix of ['192.0.2.1', '2001:db8::1']) await plugin.ban(actionBan(prefix), fresh.host)
  assert.is(fresh.logged.length, 2)
  for (const { message } of fresh.logged) assert.match(message, 'nothing is protected')
})

test.run()
