/** Writes an auth.log as a busy host would, the same for the same seed; addresses are those for documentation. */
import { closeSync, openSync, writeSync } from 'node:fs'

export interface AuthLogOptions {
  readonly bytes: number
  /** Share of the lines that tell of a failed login, 0 to 1. */
  readonly attacks: number
  readonly seed: number
}

/** What the log holds, as the generator knows it. */
export interface AuthLogAnswer {
  readonly lines: number
  /** Lines that the filter sshd must find. */
  readonly failures: number
}

const users = ['root', 'admin', 'test', 'oracle', 'git', 'postgres', 'ubuntu', 'pi', 'deploy', 'www-data']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

type Line = (pick: (n: number) => number, address: string, port: number) => string

const attacks: readonly Line[] = [
  (pick, address, port) => `Failed password for ${users[pick(users.length)]} from ${address} port ${port} ssh2`,
  (pick, address, port) => `Failed password for ${users[pick(users.length)]} from ${address} port ${port} ssh2`,
  (pick, address, port) => `Failed password for invalid user u${pick(999)} from ${address} port ${port} ssh2`,
  (pick, address, port) => `Invalid user u${pick(999)} from ${address} port ${port}`,
]
const ordinary: readonly Line[] = [
  (pick, address, port) =>
    `Accepted publickey for ${users[pick(users.length)]} from ${address} port ${port} ssh2: ED25519 SHA256:${'x'.repeat(43)}`,
  (pick) => `pam_unix(sshd:session): session opened for user ${users[pick(users.length)]}(uid=1000) by (uid=0)`,
  (_pick, address, port) => `Received disconnect from ${address} port ${port}:11: disconnected by user`,
  (_pick, address, port) => `Disconnected from user deploy ${address} port ${port}`,
]

/** Writes the log to `file` and answers what it holds. */
export function writeAuthLog(file: string, { bytes, attacks: share, seed }: AuthLogOptions): AuthLogAnswer {
  const random = mulberry32(seed)
  const pick = (n: number) => Math.floor(random() * n)
  const fd = openSync(file, 'w')
  let [written, lines, failures, second] = [0, 0, 0, 0]
  let batch = ''
  while (written + batch.length < bytes) {
    second += random()
    const attack = random() < share
    const kinds = attack ? attacks : ordinary
    const message = kinds[pick(kinds.length)]?.(pick, documentationAddress(pick), 1024 + pick(64_000)) ?? ''
    batch += `${syslogTime(second)} web${pick(4)} sshd[${500 + pick(90_000)}]: ${message}\n`
    lines++
    if (attack) failures++
    if (batch.length > 1 << 20) [written, batch] = [written + writeSync(fd, batch), '']
  }
  writeSync(fd, batch)
  closeSync(fd)
  return { lines, failures }
}

/** An address for documentation, one in twenty IPv6. */
export function documentationAddress(pick: (n: number) => number): string {
  if (pick(20) === 0) return `2001:db8:${pick(65_536).toString(16)}::${(1 + pick(65_535)).toString(16)}`
  return `${['192.0.2', '198.51.100', '203.0.113'][pick(3)]}.${1 + pick(254)}`
}

function syslogTime(second: number): string {
  const [day, time] = [Math.floor(second / 86_400), Math.floor(second) % 86_400]
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${months[Math.floor(day / 28) % 12]} ${String(1 + (day % 28)).padStart(2)} ${two(time / 3600)}:${two((time / 60) % 60)}:${two(time % 60)}`
}

/** A small generator of random numbers with a seed (Tommy Ettinger's mulberry32, public domain). */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
