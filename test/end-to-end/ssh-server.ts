/**
 * A real sshd in the victim's namespace and a real rsyslogd that writes its log. Both have their own
 * configuration, keys and sockets in one folder; the machine's own are neither used nor touched.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../suite.ts'
import { stop, waitFor } from './processes.ts'

export const sshPort = 2222

/** How the log is written: rsyslog's two file formats, or sshd's own file without date and header. */
export type FileForm = 'traditional' | 'rfc3339' | 'sshd -E'

/** Or by whoever listens on a socket, as journald does; then there is no file. */
export type LogForm = FileForm | { readonly socket: string }

export interface SshServer {
  readonly log: string
  /** Lets rsyslogd open its file again, as logrotate does after a rename. */
  reopenLog(): void
  close(): Promise<void>
}

/** Starts both and resolves when sshd listens. `options` are further lines of sshd_config. */
export async function startSshServer(
  folder: string,
  inVictim: readonly string[],
  form: LogForm,
  options: readonly string[] = [],
): Promise<SshServer> {
  const log = join(folder, 'auth.log')
  const socket = join(folder, 'dev-log')
  const running: ChildProcess[] = []
  const close = async () => {
    await Promise.all(running.map((child) => stop(child)))
  }
  try {
    const syslog = typeof form === 'object' || form === 'sshd -E' ? undefined : startSyslog(folder, socket, log, form)
    if (syslog !== undefined) running.push(syslog)
    if (syslog !== undefined) await waitFor('the socket of rsyslogd', () => existsSync(socket))
    const words = form === 'sshd -E' ? ['-E', log] : []
    const sshd = startSshd(folder, inVictim, typeof form === 'object' ? form.socket : socket, words, options)
    running.push(sshd)
    if (typeof form === 'object') await waitFor('sshd', () => listens(inVictim))
    else
      // An empty log is a log: the agent may look at it before anybody came.
      await waitFor('sshd', () => existsSync(log) && readFileSync(log, 'latin1').includes('Server listening on ::'))
    return { log, reopenLog: () => void syslog?.kill('SIGHUP'), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Whether the port of sshd is open (0A) in the namespace. */
function listens([program = '', ...words]: readonly string[]): boolean {
  const { stdout } = spawnSync(program, [...words, 'cat', '/proc/net/tcp'], { encoding: 'utf8', timeout: 10_000 })
  return new RegExp(`:${sshPort.toString(16).toUpperCase().padStart(4, '0')} \\S+ 0A `).test(stdout)
}

function startSyslog(folder: string, socket: string, log: string, form: 'traditional' | 'rfc3339'): ChildProcess {
  const template = form === 'traditional' ? 'RSYSLOG_TraditionalFileFormat' : 'RSYSLOG_FileFormat'
  const file = join(folder, 'rsyslog.conf')
  writeFileSync(
    file,
    [
      `global(workDirectory="${folder}")`,
      `module(load="imuxsock" SysSock.Name="${socket}")`,
      `action(type="omfile" file="${log}" template="${template}")`,
      '',
    ].join('\n'),
  )
  return spawn(which('rsyslogd') ?? 'rsyslogd', ['-n', '-f', file, '-i', join(folder, 'rsyslogd.pid')], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
}

function startSshd(
  folder: string,
  inVictim: readonly string[],
  socket: string,
  words: readonly string[],
  options: readonly string[],
): ChildProcess {
  makeKeys(folder)
  const file = join(folder, 'sshd_config')
  const lines = [
    ...options,
    `Port ${sshPort}`,
    `HostKey ${join(folder, 'host-key')}`,
    `AuthorizedKeysFile ${join(folder, 'user-key.pub')}`,
    'StrictModes no',
    'PidFile none',
    'PermitRootLogin yes',
    'UsePAM no',
    'MaxStartups 100',
    'LoginGraceTime 20',
    // From 9.8 on sshd by itself refuses an address that failed some times.
    ...(sshVersion() >= 9.8 ? ['PerSourcePenalties no'] : []),
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const sshd = [which('sshd') ?? 'sshd', '-D', '-f', file, ...words]
  const [program = '', ...rest] = [...inVictim, 'sh', '-ec', privateFolders, 'sh', socket, ...sshd]
  return spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/**
 * `ip netns exec` gives its command a mount namespace. In it /dev/log leads to our rsyslogd, and
 * /run/sshd, which sshd wants, exists.
 */
const privateFolders = `
mount -t tmpfs tmpfs /run
mkdir /run/sshd
mount -t tmpfs tmpfs /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
ln -s "$1" /dev/log
shift
exec "$@"
`

/** `OpenSSH_9.2p1 …` is 9.2. */
function sshVersion(): number {
  const { stderr } = spawnSync(which('ssh') ?? 'ssh', ['-V'], { encoding: 'utf8', timeout: 10_000 })
  return Number(/OpenSSH_(\d+\.\d+)/.exec(stderr)?.[1] ?? 0)
}

function makeKeys(folder: string): void {
  for (const name of ['host-key', 'user-key', 'other-key']) {
    const file = join(folder, name)
    if (existsSync(file)) continue
    const words = ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]
    const done = spawnSync(which('ssh-keygen') ?? 'ssh-keygen', words, { encoding: 'utf8', timeout: 10_000 })
    if (done.status !== 0) throw new Error(`ssh-keygen: ${done.stderr || done.error?.message}`)
  }
}
