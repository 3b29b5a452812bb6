/** Writes an auth.log as a busy host would. */
import {
  documentationAddress,
  writeGeneratedLog,
  type GeneratedLogAnswer,
  type GeneratedLogOptions,
  type Pick,
} from './generated-log.ts'

const users = ['root', 'admin', 'test', 'oracle', 'git', 'postgres', 'ubuntu', 'pi', 'deploy', 'www-data']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

type Line = (pick: Pick, address: string, port: number) => string

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

/** Writes the log to `file` and answers what it holds; the filter sshd must find the failures. */
export function writeAuthLog(file: string, options: GeneratedLogOptions): GeneratedLogAnswer {
  return writeGeneratedLog(file, options, (pick, attack, second) => {
    const kinds = attack ? attacks : ordinary
    const message = kinds[pick(kinds.length)]?.(pick, documentationAddress(pick), 1024 + pick(64_000)) ?? ''
    return `${syslogTime(second)} web${pick(4)} sshd[${500 + pick(90_000)}]: ${message}`
  })
}

function syslogTime(second: number): string {
  const [day, time] = [Math.floor(second / 86_400), Math.floor(second) % 86_400]
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${months[Math.floor(day / 28) % 12]} ${String(1 + (day % 28)).padStart(2)} ${two(time / 3600)}:${two((time / 60) % 60)}:${two(time % 60)}`
}
