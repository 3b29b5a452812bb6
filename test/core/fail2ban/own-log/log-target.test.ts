/** Where Fail2ban's log goes, against Debian's fail2ban, running. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import * as assert from 'uvu/assert'
import { BoundedStream } from '../../../../core/fail2ban/own-log/bounded-stream.ts'
import { logLine, type LogEntry } from '../../../../core/fail2ban/own-log/log-line.ts'
import { openLog } from '../../../../core/fail2ban/own-log/open-log.ts'
import { journalFrame } from '../../../../core/fail2ban/own-log/socket-log.ts'
import { logOf } from '../../../../core/fail2ban/running/server-options.ts'
import { suite } from '../../../suite.ts'
import { temporaryFolder } from '../../cli/agent-process.ts'
import { askFail2ban } from './running-fail2ban.ts'

const test = suite('target of the log of fail2ban')
const compared = suite('target of the log of fail2ban, compared', 'fail2ban-server', 'perl', 'python3')

const entry: LogEntry = { time: 0, logger: 'fail2ban.actions', level: 'NOTICE', message: '[sshd] Ban 192.0.2.7' }

function treeLog(logtarget: string, loglevel = 'INFO', syslogsocket = 'auto') {
  return logOf({ server: { logtarget, loglevel, syslogsocket } as Parameters<typeof logOf>[0]['server'] })
}

/** What a real server of Fail2ban sends to a syslog daemon for one line. */
const sent = `import json, os, socket, sys, logging
from fail2ban.server.server import Server
from fail2ban.helpers import getLogger
given = json.load(sys.stdin)
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(given['socket'])
listening.settimeout(10)
frames = []
for target in given['targets']:
    server = Server(daemon=False)
    server.setSyslogSocket(given['socket'])
    server.setLogLevel('NOTICE')
    server.setLogTarget(target)
    getLogger('fail2ban.actions').log(25, given['message'])
    frames.append(listening.recv(9999).decode().rstrip('\\0').replace('[%d]' % os.getpid(), '[PID]'))
print(json.dumps(frames))`

/** Listens on a socket and prints so many datagrams as JSON. */
const listen = `import json, socket, sys
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(sys.argv[1])
listening.settimeout(20)
print(json.dumps([listening.recv(9999).decode() for _ in range(int(sys.argv[2]))]))`

/** What comes to a socket while `write` writes to it. */
async function received(path: string, count: number, write: () => void): Promise<string[]> {
  const child = spawn('python3', ['-c', listen, path, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  const ended = new Promise((resolve) => child.once('close', resolve))
  for (let i = 0; i < 500 && !existsSync(path); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  write()
  await ended
  return JSON.parse(output) as string[]
}

test('each target is what Fail2ban takes it for', () => {
  const cases: [target: string, found: unknown, odd?: RegExp][] = [
    ['/var/log/fail2ban.log', { type: 'file', path: '/var/log/fail2ban.log' }],
    ['/var/log/x.log[padding=off]', { type: 'file', path: '/var/log/x.log' }],
    ['STDOUT', { type: 'stdout' }],
    ['sysout[format="%(message)s"]', { type: 'stdout' }],
    ['stderr', { type: 'stderr' }],
    ['SYSLOG', { type: 'syslog', socket: '/dev/log', facility: 3 }],
    ['SYSLOG[facility=AUTHPRIV]', { type: 'syslog', socket: '/dev/log', facility: 10 }],
    ['SYSLOG[facility=nothing]', { type: 'syslog', socket: '/dev/log', facility: 3 }, /"nothing" is no facility/],
    ['SYSTEMD-JOURNAL', { type: 'journal' }],
    ['INHERITED', null, /INHERITED/],
    ['', null, /empty/],
  ]
  for (const [target, found, odd] of cases) {
    const log = treeLog(target)
    assert.equal(log.target, found, target)
    assert.is(log.odd.length, odd ? 1 : 0, target)
    if (odd) assert.match(log.odd[0]?.[1] ?? '', odd)
  }
  assert.equal(treeLog('SYSLOG', 'INFO', '/run/log').target, { type: 'syslog', socket: '/run/log', facility: 3 })
})

test('a level that lines of ours do not have is the next higher one', () => {
  const cases = {
    INFO: 'INFO',
    notice: 'NOTICE',
    WARN: 'WARNING',
    FATAL: 'CRITICAL',
    DEBUG: 'INFO',
    '26': 'WARNING',
    '25': 'NOTICE',
    '99': 'CRITICAL',
    '0': 'INFO',
    msg: 'INFO',
  }
  for (const [text, level] of Object.entries(cases)) assert.is(treeLog('STDOUT', text).level, level, text)
  assert.match(treeLog('STDOUT', 'DEBUG').odd[0]?.[1] ?? '', /nothing is written below INFO/)
})

test('a reader that is stuck gets no more than a bounded piece, and is told of the rest', () => {
  const told: string[] = []
  const stream = new PassThrough({ highWaterMark: 1 })
  const log = new BoundedStream(stream, (why) => told.push(why))
  for (let i = 0; i < 3000; i++) log.write('x'.repeat(1000))
  assert.ok(stream.writableLength < 1_200_000)
  stream.resume()
  return new Promise<void>((resolve) => stream.once('drain', resolve)).then(() => {
    log.write('y')
    assert.is(told.length, 1)
    assert.match(told[0] ?? '', /^\d+ lines are missing/)
  })
})

test('text of a log adds no field to the journal', () => {
  const frame = journalFrame({ ...entry, message: 'a\nPRIORITY=0\n\0MESSAGE=b' })
  assert.is(frame.split('\0').length, 5)
  assert.is(frame.indexOf('\n'), frame.length - 1)
})

compared('a syslog daemon gets what Fail2ban would send it', async () => {
  const folder = temporaryFolder()
  const targets = [
    'SYSLOG',
    'SYSLOG[facility=local3, padding=on]',
    'SYSLOG[datetime=off, format="%(levelname)s:%(message)s"]',
  ]
  const expected = askFail2ban<string[]>(sent, { socket: join(folder, 'theirs'), targets, message: entry.message })
  const socket = join(folder, 'ours')
  const logs = targets.map((text) => {
    const { target, format } = treeLog(text, 'INFO', socket)
    assert.ok(target)
    return openLog(target, format, (message) => assert.unreachable(message))
  })
  const found = await received(socket, targets.length, () => {
    void logs.reduce(async (before, log) => {
      await before
      log.write(entry)
      await log.close()
    }, Promise.resolve())
  })
  assert.equal(
    found.map((text) => text.replace(`[${process.pid}]`, '[PID]')),
    expected,
  )
})

compared('the journal gets a message and fields, and who does not listen is told of', async () => {
  const folder = temporaryFolder()
  const socket = join(folder, 'journal')
  const [frame = ''] = await received(socket, 1, () => {
    const log = openLog({ type: 'syslog', socket, facility: 3 }, '%(message)s', assert.unreachable)
    log.write({ ...entry, message: '[sshd] Ban ünï' })
    void log.close()
  })
  assert.is(frame, '<29>[sshd] Ban ünï')
  const alarm = await new Promise<string>((resolve) => {
    const log = openLog({ type: 'syslog', socket: join(folder, 'nobody'), facility: 3 }, '%(message)s', resolve)
    log.write(entry)
    setTimeout(() => void log.close(), 5000).unref()
  })
  assert.match(alarm, /nobody does not take all lines: No such file or directory/)
  assert.is(logLine(entry, '%(message)s'), '[sshd] Ban 192.0.2.7\n')
})

test.run()
compared.run()
