import { appendFileSync, renameSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** Attackers and people of the demonstration: addresses reserved for documentation (RFC 5737, RFC 3849). */
const attackers = ['203.0.113.7', '203.0.113.61', '198.51.100.23', '2001:db8:bad::15', '203.0.113.142']
const people = [
  { user: 'alice', address: '192.0.2.10' },
  { user: 'bob', address: '192.0.2.44' },
  { user: 'carol', address: '2001:db8:1::20' },
]
const guessed = ['root', 'admin', 'test', 'oracle', 'git', 'postgres']

/**
 * Writes an auth.log as a busy server would: people who log in, one who mistypes now and then, and
 * attackers who guess. Every line is appended to `file`; `signal` ends it.
 */
export async function writeDemoLog(file: string, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const attacker = attackers[Math.floor(turn / 9) % attackers.length] ?? ''
    const person = people[turn % people.length] ?? { user: 'alice', address: '192.0.2.10' }
    const line = turn % 4 === 3 ? login(person, turn) : guess(attacker, turn)
    // As logrotate would, so that it may go on for days.
    if (turn % 2000 === 1999) renameSync(file, `${file}.1`)
    appendFileSync(file, `${syslogTime(new Date())} demo sshd[${2000 + turn}]: ${line}\n`)
    await setTimeout(350, undefined, { signal }).catch(() => {})
  }
}

function login({ user, address }: { user: string; address: string }, turn: number): string {
  const port = 40_000 + (turn % 20_000)
  return turn % 32 === 3
    ? `Failed password for ${user} from ${address} port ${port} ssh2`
    : `Accepted publickey for ${user} from ${address} port ${port} ssh2: ED25519 SHA256:3mK0demo`
}

function guess(address: string, turn: number): string {
  const user = guessed[turn % guessed.length] ?? 'root'
  const port = 50_000 + (turn % 10_000)
  return `Failed password for ${user === 'root' ? '' : 'invalid user '}${user} from ${address} port ${port} ssh2`
}

/** `Nov  2 13:41:02`, in local time, as syslog writes it. */
function syslogTime(date: Date): string {
  const [, month, , , time] = date.toString().split(' ')
  return `${month} ${String(date.getDate()).padStart(2)} ${time}`
}
