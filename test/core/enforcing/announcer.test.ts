import * as assert from 'uvu/assert'
import { Announcer } from '../../../core/enforcing/announcer.ts'
import type { AgentEvent } from '../../../core/events.ts'
import { testHost } from '../../../core/testing/test-host.ts'
import { everyEvent } from '../../../core/testing/sample-bans.ts'
import { suite } from '../../suite.ts'

const test = suite('announcer')
const [start, ban] = everyEvent as [AgentEvent, AgentEvent]

test('a notifier hears everything in order, one of a jail only of its jail', async () => {
  const all: string[] = []
  const some: string[] = []
  const announcer = new Announcer()
  await announcer.configure([
    { plugin: { notify: ({ type }) => void all.push(type) }, host: testHost({}).host, jails: null },
    { plugin: { notify: ({ type }) => void some.push(type) }, host: testHost({}).host, jails: new Set(['sshd']) },
    {
      plugin: { notify: ({ type }) => void some.push(`wrong ${type}`) },
      host: testHost({}).host,
      jails: new Set(['web']),
    },
  ])
  for (const event of everyEvent) announcer.tell(event)
  await announcer.stop(5000)
  assert.equal(
    all,
    everyEvent.map(({ type }) => type),
  )
  assert.equal(
    some,
    everyEvent.filter((event) => 'ban' in event).map(({ type }) => type),
  )
})

test('a silent notifier holds up nobody, and its queue is bounded', async () => {
  const heard: string[] = []
  const announcer = new Announcer()
  const silent = testHost({})
  await announcer.configure([
    { plugin: { notify: () => new Promise(() => {}) }, host: silent.host, jails: null },
    { plugin: { notify: ({ type }) => void heard.push(type) }, host: testHost({}).host, jails: null },
  ])
  for (let i = 0; i < 5000; i++) announcer.tell(ban)
  await announcer.stop(500)
  silent.end()
  assert.ok(heard.length >= 1000 && heard.length <= 5000, String(heard.length))
})

test('one that fails is tried again, then passed over', async () => {
  let calls = 0
  const { host, logged } = testHost({})
  const heard: string[] = []
  const announcer = new Announcer()
  const notify = ({ type }: AgentEvent) => {
    calls++
    if (type === 'start') throw new Error('down')
    heard.push(type)
  }
  await announcer.configure([{ plugin: { notify }, host, jails: null }])
  announcer.tell(start)
  announcer.tell(ban)
  await announcer.stop(20_000)
  assert.equal(heard, ['ban'])
  assert.is(calls, 4)
  assert.is(logged.filter(({ message }) => message.includes('down')).length, 3)
})

test.run()
