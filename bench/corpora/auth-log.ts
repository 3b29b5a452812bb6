/**
 * Writes an auth.log as a busy host would: sshd and its neighbours, in the words of OpenSSH 7 to 9, cron, sudo, systemd and
 * the kernel. Each failed login is a line that the filter `sshd` must find; no other line is one.
 */
import {
  benchmarkAddress,
  writeGeneratedLog,
  type GeneratedLogAnswer,
  type GeneratedLogOptions,
  type Pick,
} from './generated-log.ts'

// No name with a dot: sshguard asks name servers for it.
const users = [
  'root',
  'admin',
  'test',
  'oracle',
  'git',
  'postgres',
  'ubuntu',
  'pi',
  'deploy',
  'www-data',
  'backup',
  'ftp',
]
const hosts = ['web1', 'web2', 'db-master', 'mx1.example.org', 'ip-10-0-3-17']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

interface Peer {
  readonly pick: Pick
  readonly address: string
  readonly port: number
}

/** A line without its date and host. */
type Line = (peer: Peer) => string

const one = (pick: Pick, words: readonly string[]) => words[pick(words.length)] ?? ''
const known = ({ pick }: Peer) => one(pick, users)
const unknown = ({ pick }: Peer) => `${one(pick, ['user', 'test', 'dev', 'minecraft', 'es'])}${pick(999)}`
const sshd = (peer: Peer, message: string) => `sshd[${500 + peer.pick(90_000)}]: ${message}`
const from = ({ address, port }: Peer) => `${address} port ${port}`

/** Weighed as logs of public hosts have them. */
const attacks: readonly Line[] = [
  (peer) => sshd(peer, `Failed password for ${known(peer)} from ${from(peer)} ssh2`),
  (peer) => sshd(peer, `Failed password for root from ${from(peer)} ssh2`),
  (peer) => sshd(peer, `Failed password for root from ${from(peer)} ssh2`),
  (peer) => sshd(peer, `Failed password for invalid user ${unknown(peer)} from ${from(peer)} ssh2`),
  (peer) => sshd(peer, `Failed password for invalid user ${unknown(peer)} from ${from(peer)} ssh2`),
  (peer) => sshd(peer, `Invalid user ${unknown(peer)} from ${from(peer)}`),
  (peer) => sshd(peer, `Invalid user  from ${from(peer)}`),
  (peer) =>
    sshd(peer, `error: maximum authentication attempts exceeded for ${known(peer)} from ${from(peer)} ssh2 [preauth]`),
  (peer) =>
    sshd(peer, `Disconnecting invalid user ${unknown(peer)} ${from(peer)}: Too many authentication failures [preauth]`),
  (peer) => sshd(peer, `User ${known(peer)} from ${peer.address} not allowed because not listed in AllowUsers`),
]
const ordinary: readonly Line[] = [
  (peer) =>
    sshd(peer, `Accepted publickey for ${known(peer)} from ${from(peer)} ssh2: ED25519 SHA256:${key(peer.pick)}`),
  (peer) => sshd(peer, `Accepted password for ${known(peer)} from ${from(peer)} ssh2`),
  (peer) => sshd(peer, `pam_unix(sshd:session): session opened for user ${known(peer)}(uid=1000) by (uid=0)`),
  (peer) => sshd(peer, `pam_unix(sshd:session): session closed for user ${known(peer)}`),
  (peer) => sshd(peer, `Received disconnect from ${from(peer)}:11: disconnected by user`),
  (peer) => sshd(peer, `Disconnected from user ${known(peer)} ${from(peer)}`),
  (peer) => sshd(peer, `Connection from ${from(peer)} on 10.0.0.5 port 22 rdomain ""`),
  (peer) => sshd(peer, `Starting session: command for ${known(peer)} from ${from(peer)} id 0`),
  ({ pick }) => `CRON[${pick(90_000)}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)`,
  ({ pick }) => `CRON[${pick(90_000)}]: pam_unix(cron:session): session closed for user root`,
  (peer) =>
    `sudo:   ${known(peer)} : TTY=pts/${peer.pick(9)} ; PWD=/home/deploy ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx`,
  ({ pick }) => `sudo: pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=${1000 + pick(9)})`,
  (peer) => `systemd-logind[${400 + peer.pick(99)}]: New session ${peer.pick(99_999)} of user ${known(peer)}.`,
  ({ pick }) => `systemd-logind[${400 + pick(99)}]: Session ${pick(99_999)} logged out. Waiting for processes to exit.`,
  ({ pick }) => `systemd[1]: Started session-${pick(99_999)}.scope - Session of User deploy.`,
  ({ pick, address }) =>
    `kernel: [${pick(999_999)}.${100_000 + pick(899_999)}] [UFW BLOCK] IN=eth0 OUT= SRC=${address} DST=10.0.0.5 LEN=40 TTL=${pick(255)} ID=${pick(65_536)} PROTO=TCP SPT=${pick(65_536)} DPT=23 WINDOW=1024 SYN`,
]

/** Writes the log to `file` and answers what it holds; the filter sshd must find the failures. */
export function writeAuthLog(file: string, options: GeneratedLogOptions): GeneratedLogAnswer {
  return writeGeneratedLog(file, options, (pick, attack, second) => {
    const kinds = attack ? attacks : ordinary
    const peer = { pick, address: benchmarkAddress(pick), port: 1024 + pick(64_000) }
    return `${syslogTime(second)} ${one(pick, hosts)} ${kinds[pick(kinds.length)]?.(peer) ?? ''}`
  })
}

function key(pick: Pick): string {
  return Array.from({ length: 4 }, () => pick(2 ** 31).toString(36))
    .join('+')
    .padEnd(43, 'Qk3')
}

function syslogTime(second: number): string {
  const [day, time] = [Math.floor(second / 86_400), Math.floor(second) % 86_400]
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${months[Math.floor(day / 28) % 12]} ${String(1 + (day % 28)).padStart(2)} ${two(time / 3600)}:${two((time / 60) % 60)}:${two(time % 60)}`
}
