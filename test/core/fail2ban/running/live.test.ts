/** A running fail2ban and an agent that observes, beside each other on the same growing logs. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { suite } from '../../../suite.ts'
import { AgentProcess, bailiff, endAgents } from '../../cli/agent-process.ts'
import { LiveFail2ban, TreeCopy } from './live-fail2ban.ts'

const test = suite('beside a running fail2ban', 'fail2ban-server')

let copy: TreeCopy
let fail2ban: LiveFail2ban | null = null

test.before.each(() => {
  copy = new TreeCopy()
})
test.after.each(async () => {
  await endAgents()
  await fail2ban?.end()
  fail2ban = null
  copy.remove()
})

const place = (name: string) => join(copy.folder, name)

/** Jails whose logs are in the folder, and an action that touches nothing. */
function configure(tree: TreeCopy, more: Readonly<Record<string, string | number>> = {}): void {
  const jail = (log: string) => ({ enabled: 'true', backend: 'polling', logpath: place(log) })
  const dummy = 'dummy[target=%(target)s]'
  tree.write('jail.local', {
    DEFAULT: {
      findtime: '10m',
      maxretry: 3,
      bantime: '1h',
      action: dummy,
      target: place('dummy'),
      ignoreip: '192.0.2.99',
    },
    sshd: { ...jail('auth.log'), ...more },
    'nginx-http-auth': { ...jail('error.log'), maxretry: 2 },
    vsftpd: { ...jail('vsftpd.log'), maxretry: 4, findtime: '5s' },
    recidive: { ...jail('fail2ban.log'), maxretry: 2, findtime: '1h' },
  })
  for (const log of ['auth.log', 'error.log', 'vsftpd.log']) writeFileSync(place(log), '')
  writeFileSync(place('bailiff.yaml'), `state: ${place('state')}\ncontrol: ${place('c.sock')}\nuser: root\n`)
}

const two = (number: number) => String(number).padStart(2, '0')
const jails = ['sshd', 'nginx-http-auth', 'vsftpd', 'recidive']

/** One failure as each service writes it, now. */
const failures: ((address: string, pid: number, date: Date) => readonly [log: string, line: string])[] = [
  (address, pid, date) => [
    'auth.log',
    `${traditional(date)} host sshd[${pid}]: Failed password for root from ${address} port 4711 ssh2`,
  ],
  (address, pid, date) => [
    'auth.log',
    `${traditional(date)} host sshd[${pid}]: Invalid user admin from ${address} port 4712`,
  ],
  (address, _pid, date) => [
    'error.log',
    `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())} ${clock(date)} [error] 77#77: *1 user "x" was not found in "/etc/htpasswd", client: ${address}, server: a, request: "GET / HTTP/1.1", host: "a"`,
  ],
  (address, pid, date) => [
    'vsftpd.log',
    `${traditional(date)} host vsftpd[${pid}]: [x] FAIL LOGIN: Client "${address}"`,
  ],
]

function clock(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

function traditional(date: Date): string {
  const month = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')[date.getMonth()]
  return `${month} ${String(date.getDate()).padStart(2)} ${clock(date)}`
}

/** Writes failures of many addresses, in an order that the seed decides, for so many seconds. */
async function attack(seconds: number, seed: number): Promise<void> {
  let state = seed
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  for (let step = 0; step < seconds * 4; step++) {
    for (let count = 0; count < 6; count++) {
      const address = next(5) === 0 ? `2001:db8::${next(9) + 1}` : `192.0.2.${next(40) + 60}`
      const failure = failures[next(failures.length)] ?? failures[0]
      const [log, line] = failure?.(address, 1000 + step * 6 + count, new Date()) ?? ['auth.log', '']
      appendFileSync(place(log), `${line}\n`)
    }
    await sleep(250)
  }
}

/** The bans that the log of the one tells of, and those that the agent would have made. */
const logged = (file: string) =>
  new Set(
    Array.from(readFileSync(file, 'utf8').matchAll(/NOTICE\s+\[(\S+)\] Ban (\S+)/g), ([, jail, id]) => `${jail} ${id}`),
  )

const compare = (...words: string[]) => ['compare', '--live', '--config', place('bailiff.yaml'), ...words]

test('both ban the same', async () => {
  configure(copy)
  fail2ban = await LiveFail2ban.start(copy, jails)
  const words = ['run', '--fail2ban', copy.tree, '--config', place('bailiff.yaml'), '--observe']
  const agent = new AgentProcess([...words, '--fail2ban-log', place('ours.log')])
  await agent.shows('watching')
  const comparing = new AgentProcess(compare('--fail2ban', copy.tree))
  await comparing.shows('comparing the agent with')
  await attack(8, 7)
  const both = () => [logged(place('ours.log')), logged(copy.log)].map((bans) => [...bans].toSorted())
  // The slower of the two may need some seconds more.
  for (let i = 0; i < 500 && JSON.stringify(both()[0]) !== JSON.stringify(both()[1]); i++) await sleep(20)
  const [ours, theirs] = both()
  assert.equal(ours, theirs)
  assert.ok((ours ?? []).length > 20)
  // The last events have to come through, on a busy machine too.
  await sleep(5000)
  assert.is(await comparing.end('SIGINT'), 0, comparing.output + agent.output)
  assert.match(comparing.output, / by both, 0 by Fail2ban alone, 0 by Bailiff alone$/m)
})

test('a ban of only one is told, and the exit code tells it too', async () => {
  configure(copy)
  fail2ban = await LiveFail2ban.start(copy, jails)
  configure(copy, { maxretry: 5 })
  const agent = new AgentProcess(['run', '--fail2ban', copy.tree, '--config', place('bailiff.yaml'), '--observe'])
  await agent.shows('watching')
  const nothing = await bailiff(compare('--fail2ban-log', copy.log, '--for', '1s', '--json'))
  assert.equal(JSON.parse(nothing.stdout), { type: 'summary', same: 0, onlyFail2ban: 0, onlyBailiff: 0, waiting: 0 })
  assert.is(nothing.code, 0)
  const comparing = new AgentProcess(compare('--fail2ban-log', copy.log, '--tolerance', '2s', '--jail', 'sshd'))
  await comparing.shows('comparing the agent with')
  for (let pid = 1; pid <= 3; pid++) {
    const [log, line] = failures[0]?.('192.0.2.7', pid, new Date()) ?? ['auth.log', '']
    appendFileSync(place(log), `${line}\n`)
  }
  await comparing.shows(/only Fail2ban +\[sshd\] 192\.0\.2\.7 at /)
  assert.is(await comparing.end('SIGINT'), 1)
  assert.match(comparing.output, /0 bans by both, 1 by Fail2ban alone, 0 by Bailiff alone/)
})

test.run()
