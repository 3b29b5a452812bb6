import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Intake } from '../../../core/intake/intake.ts'
import type { SourcePlugin } from '../../../core/plugin.ts'
import journal from '../../../plugins/sources/journal.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import { AgentProcess, endAgents, temporaryFolder, writeConfig } from '../../core/cli/agent-process.ts'
import { intakeFor, Seen, silent, sourceOf, until } from '../../core/intake/lines.ts'
import { withStore } from '../../core/store/bans.ts'
import { has, keepsContract, suite } from '../../suite.ts'
import { appendEntries, endJournals, Journald, journalFile } from './journald.ts'

const needs = ['root', 'systemd-journald', 'logger', 'perl'] as const
const test = suite('journal source', ...needs)
const fileTest = suite('journal source, journal of another host', 'systemd-journald', 'systemd-journal-remote')
const plugin = journal as SourcePlugin

if (needs.every(has)) {
  const journald = await Journald.start()
  let unfinished = ''
  keepsContract(
    'source journal',
    sourceChecks(plugin, {
      options: { directory: journald.directory, identifiers: ['sshd'] },
      resumes: true,
      textOf: messageOf,
      write: (text) => {
        const lines = (unfinished + text).split('\n')
        unfinished = lines.pop() ?? ''
        if (lines.length > 0) journald.log(lines.join('\n'))
      },
    }),
  )
}

test('whatever a process sends, it is one line that says who it was', async () => {
  const journald = await Journald.start()
  await reading({ directory: journald.directory, identifiers: ['sshd', 'x'] }, async ({ seen }) => {
    const send = (message: string, more: Record<string, string> = {}) =>
      journald.send({ SYSLOG_IDENTIFIER: 'sshd', ...more, MESSAGE: message })
    send('first')
    send('one\n2026-11-22T13:41:02+00:00 web1 sshd[1]: two\n')
    send('\x1b[31m\0\x7f\ttab', { SYSLOG_PID: '1', SYSLOG_TIMESTAMP: 'Jan  1 00:00:00 ' })
    send('x'.repeat(70_000))
    send('claimed', { __REALTIME_TIMESTAMP: '1', _PID: '1', _HOSTNAME: 'elsewhere', SYSLOG_IDENTIFIER: 'x' })
    send('', { OTHER: 'x'.repeat(70_000) })
    send('last')
    await until(
      () => seen.lines.at(-1)?.endsWith(': last') === true,
      () => seen.lines,
    )
    assert.equal(seen.lines.map(messageOf), [
      'first',
      'one#0122026-11-22T13:41:02+00:00 web1 sshd[1]: two',
      '#033[31m#000#177\ttab',
      'claimed',
      '',
      'last',
    ])
    const now = new Date().toISOString().slice(0, 10)
    for (const line of seen.lines)
      assert.match(line, new RegExp(`^${now}T[\\d:]{8}\\.\\d{6}\\+00:00 [\\w.-]+ (?:sshd|x)\\[\\d{2,}\\]: `))
    assert.ok(seen.chunks.every(({ live }) => live))
  })
})

test('it goes on over rotation, and what was vacuumed meanwhile is told', async () => {
  const journald = await Journald.start()
  const options = { directory: journald.directory, identifiers: ['sshd'] }
  const seen = new Seen(messageOf)
  await reading(
    options,
    async () => {
      for (let i = 0; i < 6; i++) {
        journald.log(`line ${i}`)
        if (i % 2 === 0) journald.ctl('--rotate')
        if (i === 4) journald.ctl('--vacuum-files=1')
      }
      await until(
        () => seen.lines.length === 6,
        () => seen.lines,
      )
    },
    seen,
  )
  await reading(
    options,
    async ({ warnings }) => {
      journald.log('line 6')
      await until(
        () => seen.lines.length === 7,
        () => seen.lines,
      )
      assert.equal(warnings, [])
    },
    seen,
  )
  for (const line of ['line 7', 'line 8', 'line 9']) journald.log(line)
  journald.ctl('--rotate')
  journald.log('line 10')
  journald.ctl('--sync')
  journald.ctl('--vacuum-files=1')
  const before = seen.lines.length
  await reading(
    options,
    async ({ warnings }) => {
      journald.log('line 11')
      await until(
        () => seen.lines.at(-1) === 'line 11',
        () => seen.lines,
      )
      assert.match(warnings.join('\n'), /does not have the entry any more.* between 20.* and 20.* may be lost/)
      assert.is(warnings.length, 1)
    },
    seen,
  )
  const after = seen.lines.slice(before)
  assert.equal(after, ['line 7', 'line 8', 'line 9', 'line 10', 'line 11'].slice(-after.length))
})

test('the first start begins where failures still count', async () => {
  const journald = await Journald.start()
  journald.log('before')
  await reading({ directory: journald.directory, identifiers: ['sshd'], since: '-1min' }, async ({ seen }) => {
    await until(() => seen.lines.length === 1)
  })
  await reading({ directory: journald.directory, identifiers: ['sshd'], since: '2999-01-01' }, async ({ seen }) => {
    journald.log('after')
    await new Promise((resolve) => setTimeout(resolve, 700))
    assert.equal(seen.lines, [])
  })
})

test('journalctl that is killed is started again, and loses nothing', async () => {
  const journald = await Journald.start()
  await reading({ directory: journald.directory, identifiers: ['sshd'] }, async ({ seen }) => {
    journald.log('one')
    await until(() => seen.lines.length === 1)
    for (const pid of childrenNamed('journalctl')) process.kill(pid, 'SIGKILL')
    for (const line of ['two', 'three']) journald.log(line)
    await until(
      () => seen.lines.length === 3,
      () => [seen.lines, seen.alarms],
    )
    assert.equal(seen.lines.map(messageOf), ['one', 'two', 'three'])
    assert.match(seen.alarms.join(), 'journalctl ended with SIGKILL')
  })
  await until(() => childrenNamed('journalctl').length === 0)
})

test('who may not read the journal is told what to do', async () => {
  const journald = await Journald.start()
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  const [name] = readdirSync(journald.directory)
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  const program = join(folder, 'run.mjs')
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  writeFileSync(
    program,
    `import journal from ${module('../../../plugins/sources/journal.js')}
import { intakeFor, Seen, sourceOf, until } from ${module('../../core/intake/lines.js')}
process.setgroups([]); process.setgid(65534); process.setuid(65534)
const seen = new Seen()
const intake = intakeFor(seen)
await intake.configure([sourceOf('journal', journal, { directory: process.argv[2] }, 'sshd')])
await until(() => seen.alarms.length > 0)
console.log(seen.alarms[0])
await intake.stop()
`,
  )
  const copy = join(folder, 'files')
  mkdirSync(copy)
  for (const file of readdirSync(join(journald.directory, name ?? ''))) {
    writeFileSync(join(copy, file), readFileSync(join(journald.directory, name ?? '', file)), { mode: 0o640 })
  }
  for (const directory of [copy, join(folder, 'closed')]) {
    const { stdout, stderr } = spawnSync(process.execPath, [program, directory], { encoding: 'utf8', timeout: 20_000 })
    assert.match(stdout, /this user may not read the journal.*\n.*systemd-journal/, stderr)
  }
})

fileTest('units are those that the system knows, and a sender that calls itself so is none', async () => {
  const entry = (unit: string, message: string, more: Record<string, string> = {}) => ({
    _SYSTEMD_UNIT: unit,
    _HOSTNAME: 'web1',
    _PID: '77',
    _COMM: 'sshd',
    SYSLOG_IDENTIFIER: 'sshd',
    ...more,
    MESSAGE: message,
  })
  const slice = { _SYSTEMD_SLICE: 'system-ssh.slice' }
  const file = journalFile([
    entry('ssh.service', 'one'),
    entry('user@1000.service', 'claimed', { UNIT: 'ssh.service', SYSTEMD_UNIT: 'ssh.service' }),
    entry('ssh@4-192.0.2.7:22-198.51.100.9:4711.service', 'two', slice),
    entry('session-3.scope', 'of a session'),
  ])
  await reading({ file: [file], units: ['ssh.service', 'ssh@.service'] }, async ({ seen }) => {
    await until(
      () => seen.lines.length === 2,
      () => seen.lines,
    )
    appendEntries(file, [entry('ssh.service', 'three'), entry('other.service', 'other'), entry('ssh.service', 'four')])
    await until(
      () => seen.lines.length === 4,
      () => seen.lines,
    )
    assert.equal(seen.lines.map(messageOf), ['one', 'two', 'three', 'four'])
    assert.match(seen.lines[0] ?? '', / web1 sshd\[77\]: one$/)
    assert.is(seen.chunks[0]?.log, `journal/${file} ssh.service,ssh@.service`)
  })
})

test('an agent that is killed in mid-stream loses no failure and counts none twice', async () => {
  const journald = await Journald.start()
  const folder = temporaryFolder()
  const config = writeConfig(
    folder,
    `ignoreself: false
defaults: { findtime: 1h, maxretry: 3, bantime: 1h }
jails:
  sshd: { source: { journal: { directory: ${journald.directory}, identifiers: [sshd] } }, actions: [memory] }
`,
  )
  const start = () => new AgentProcess(['run', '--config', config])
  let agent = start()
  await agent.shows('watching: sshd')
  const [banned, spared] = [addresses(10, 150), addresses(11, 150)]
  for (let round = 0; round < 3; round++) {
    // Two failures of each in the first two rounds would be three if one counted twice.
    const lines = round < 2 ? [...banned, ...spared] : banned
    for (let at = 0; at < lines.length; at += 50) {
      journald.log(
        lines
          .slice(at, at + 50)
          .map(failure)
          .join('\n'),
      )
      if (at === 100) {
        await new Promise((resolve) => setTimeout(resolve, round * 150))
        await agent.end('SIGKILL')
        agent = start()
      }
    }
  }
  for (let i = 0; i < 200; i++) {
    const bans = agent.output.match(/banned 10\./g)?.length ?? 0
    if (bans >= 150) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await agent.end()
  await withStore(
    join(folder, 'state', 'bailiff.sqlite'),
    async (store) => {
      const history = await store.history({ limit: 10_000 })
      assert.equal(history.map(({ prefix }) => prefix as string).toSorted(), banned.toSorted())
      assert.ok(history.every(({ count, failures }) => count === 1 && failures === 3))
    },
    { now: Date.now },
  )
})

test.after.each(async () => {
  await endAgents()
})
test.after(endJournals)
fileTest.run()
test.run()

interface Watched {
  readonly seen: Seen
  readonly intake: Intake
  readonly warnings: string[]
}

/** Runs \`body\` while the source runs. */
async function reading(options: object, body: (watched: Watched) => Promise<void>, seen = new Seen()): Promise<void> {
  const warnings: string[] = []
  const log = { ...silent, warn: (_: object, message: string) => void warnings.push(message) }
  const intake = intakeFor(seen)
  const source = sourceOf('journal', plugin, options, 'sshd')
  try {
    await intake.configure([{ ...source, host: (parts) => ({ ...source.host(parts), log }) }])
    await body({ seen, intake, warnings })
  } finally {
    await intake.stop()
  }
}

function messageOf(line: string): string {
  return line.replace(/^\S+ \S+ [^ :]+: /, '')
}

function addresses(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${first}.1.0.${i}`)
}

function failure(address: string): string {
  return `Failed password for root from ${address} port 4711 ssh2`
}

/** Children of this process by the name of their program. */
function childrenNamed(name: string): number[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const [, command, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
        return command === name && Number(parent) === process.pid
      } catch {
        return false
      }
    })
    .map(Number)
}
