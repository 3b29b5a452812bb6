import * as assert from 'uvu/assert'
import type { NotifierPlugin } from '../../../core/plugin.ts'
import log from '../../../plugins/notifiers/log.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { everyEvent } from '../../../core/testing/sample-bans.ts'
import { notifierChecks } from '../../../core/testing/notifier-checks.ts'
import { keepsContract, suite } from '../../suite.ts'

const plugin = log as NotifierPlugin
const { host, logged } = testHost({})
keepsContract(
  'notifier log',
  notifierChecks(plugin, {
    options: {},
    host,
    told: async () => logged.map(({ message }) => message).join('\n'),
  }),
)

const test = suite('notifier log')

test('every event is one line, an alarm an error', async () => {
  const fresh = testHost({})
  for (const event of everyEvent) await plugin.notify(event, fresh.host)
  assert.is(fresh.logged.length, everyEvent.length)
  assert.equal(
    fresh.logged.filter(({ level }) => level === 'error').map(({ message }) => message),
    ['the set is full'],
  )
})

test.run()
