import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { verdictOn } from '../../../core/explaining/address-verdict.ts'
import { OfflineReports } from '../../../core/explaining/offline-report.ts'
import { unreadLogs } from '../../../core/explaining/unread-logs.ts'
import { Pause } from '../../../core/pause.ts'
import { loadSettings } from '../../../core/settings/load-settings.ts'
import { storeAllows } from '../../../core/stored-allows.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from '../cli/agent-process.ts'
import { must } from '../firewall/namespace.ts'

const test = suite('explain without an agent')
const folder = temporaryFolder()
const state = join(folder, 'state')
const file = join(folder, 'bailiff.yaml')
mkdirSync(state)
writeFileSync(join(folder, 'auth.log'), '')
writeFileSync(file, 'state: ./state\njails:\n  sshd: { source: ./auth.log }\n')
const settings = await loadSettings({ file, alsoOff: true })
const now = Date.UTC(2026, 10, 22, 14, 0, 0)
const hour = 3_600_000

async function report(text: string) {
  const reports = await OfflineReports.open(settings, now)
  try {
    return await reports.report(must(parsePrefix(text)))
  } finally {
    reports.close()
  }
}

test('whom people let in is known, until it ends', async () => {
  const [one, over, named] = ['203.0.113.1', '203.0.113.77', '203.0.113.3'].map((each) => must(parsePrefix(each)))
  await storeAllows(state, [
    { subject: '203.0.113.1', since: now - hour, until: now + hour, prefixes: [must(one)] },
    { subject: '203.0.113.77', since: now - hour, until: now - 1, prefixes: [must(over)] },
    { subject: 'home.example.net', since: now - hour, until: null, prefixes: [must(named)] },
  ])
  const verdicts = await Promise.all(
    ['203.0.113.1', '203.0.113.77', '203.0.113.3'].map(async (each) => verdictOn(await report(each), null)),
  )
  assert.equal(verdicts, [
    { cause: 'allowed', verdict: '203.0.113.1 is not banned: it is allowed until 2026-11-22T15:00:00.000Z.' },
    {
      cause: 'unknown',
      verdict: '203.0.113.77 is not banned: no agent runs, and none counted a failure of it that still matters.',
    },
    { cause: 'allowed', verdict: '203.0.113.3 is not banned: it is allowed as home.example.net for ever.' },
  ])
})

test('who is allowed and cannot be read is no silence', async () => {
  writeFileSync(join(state, 'allowed.json'), 'not JSON')
  const error = await report('203.0.113.1').catch((reason: unknown) => reason as Error)
  assert.match(String(error), 'who is allowed cannot be read')
  await storeAllows(state, [])
})

test('a log that nobody can read is told where nothing else is known', async () => {
  assert.equal(unreadLogs(settings.jails), [])
  const log = join(folder, 'auth.log')
  rmSync(log)
  const asked = async () => verdictOn(await report('203.0.113.77'), null, unreadLogs(settings.jails))
  assert.match((await asked()).verdict, `and sshd cannot read its log, ${log}: there is no such file.`)
  symlinkSync('/nowhere/auth.log', log)
  const { cause, verdict } = await asked()
  assert.is(cause, 'log-unreadable')
  assert.match(verdict, `${log}: it is a link to /nowhere/auth.log, which is not there.`)
})

test('a pause outlasts the agent, and is the first thing to know of a ban', async () => {
  assert.is((await report('203.0.113.1')).pausedSince, null)
  new Pause(state).begin(now)
  const paused = await report('203.0.113.1')
  assert.is(paused.pausedSince, now)
  const prefix = must(parsePrefix('203.0.113.1'))
  const ban = {
    prefix,
    jail: 'sshd',
    ports: { protocol: 'all', ports: [] },
    since: now,
    until: null,
    count: 1,
    failures: 5,
    reason: 'new',
    lines: [],
    observed: false,
    actions: [],
    sets: null,
    missingSince: null,
  } as const
  assert.is(verdictOn({ ...paused, bans: [ban] }, null).cause, 'paused')
})

test.run()
