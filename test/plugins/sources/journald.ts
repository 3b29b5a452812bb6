import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../core/cli/agent-process.ts'

/** Makes /run and the configuration of journald private, then is journald: nothing of the machine is touched. */
const script = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d
printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\nReadKMsg=no\\nAudit=no\\n' > /run/systemd/journald.conf.d/test.conf
[ -s /etc/machine-id ] || { echo 0123456789abcdef0123456789abcdef > "$1"; mount --bind "$1" /etc/machine-id; }
exec /lib/systemd/systemd-journald`

const running = new Set<Journald>()
process.on('exit', () => running.forEach((each) => each.child.kill('SIGKILL')))

/** A real journald in a mount namespace of its own. */
export class Journald {
  readonly child: ChildProcess
  readonly #root: string

  private constructor() {
    const id = join(temporaryFolder(), 'machine-id')
    writeFileSync(id, '')
    this.child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', id], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#root = `/proc/${this.child.pid}/root`
    running.add(this)
  }

  /** Resolves when it takes messages. */
  static async start(): Promise<Journald> {
    const journald = new Journald()
    let said = ''
    journald.child.stderr?.on('data', (data) => (said += data))
    for (let i = 0; i < 500 && journald.child.exitCode === null; i++) {
      if (readdirOr(`${journald.#root}/run/systemd/journal`).includes('dev-log')) {
        journald.log('begin', 'test')
        if (readdirOr(journald.directory).length > 0) return journald
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`journald did not start: ${said}`)
  }

  /** Where its files are, as seen from here. */
  get directory(): string {
    return `${this.#root}/run/log/journal`
  }

  /** The socket that takes syslog messages, as seen from here. */
  get socket(): string {
    return `${this.#root}/run/systemd/journal/dev-log`
  }

  /** Each line is an entry of a process that calls itself so; \`sshd\` unless said. */
  log(text: string, identifier = 'sshd'): void {
    succeed('logger', ['--socket', this.socket, '--id', '--tag', identifier], text)
  }

  /** One entry with these fields, as processes send that speak to the journal itself. */
  send(fields: Readonly<Record<string, string>>): void {
    const program =
      'use Socket; binmode STDIN; local $/; socket(S, PF_UNIX, SOCK_DGRAM, 0); send(S, <STDIN>, 0, sockaddr_un($ARGV[0])) or die $!'
    succeed('perl', ['-e', program, `${this.#root}/run/systemd/journal/socket`], exported(fields))
  }

  /** What journalctl does with these words inside. Answers what it prints. */
  ctl(...words: string[]): string {
    return succeed('nsenter', ['--target', String(this.child.pid), '--mount', 'journalctl', ...words], '')
  }

  async end(): Promise<void> {
    running.delete(this)
    const gone = new Promise((resolve) => this.child.once('close', resolve))
    if (this.child.exitCode === null && this.child.kill('SIGKILL')) await gone
  }
}

/** Ends what tests left. */
export async function endJournals(): Promise<void> {
  await Promise.all([...running].map((each) => each.end()))
}

/** Fields in the form for any bytes, https://systemd.io/JOURNAL_EXPORT_FORMATS. Values have a character a byte. */
export function exported(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([name, value]) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(value.length))
      return Buffer.concat([Buffer.from(`${name}\n`), length, Buffer.from(`${value}\n`, 'latin1')])
    }),
  )
}

/** A journal file in a folder of its own with these entries, made by systemd-journal-remote, whose fields may be trusted ones. */
export function journalFile(entries: readonly Readonly<Record<string, string>>[]): string {
  const file = join(temporaryFolder(), 'remote.journal')
  appendEntries(file, entries)
  return file
}

export function appendEntries(file: string, entries: readonly Readonly<Record<string, string>>[]): void {
  const all = entries.map((fields) => {
    const micros = `${Date.now()}000`
    const head = `__REALTIME_TIMESTAMP=${micros}\n__MONOTONIC_TIMESTAMP=${micros}\n_BOOT_ID=${'0123456789abcdef'.repeat(2)}\n`
    return Buffer.concat([Buffer.from(head), exported(fields), Buffer.from('\n')])
  })
  succeed('/lib/systemd/systemd-journal-remote', [`--output=${file}`, '-'], Buffer.concat(all))
}

function succeed(program: string, words: string[], input: string | Buffer): string {
  const { status, stdout, stderr } = spawnSync(program, words, { input, encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`)
  return stdout
}

function readdirOr(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
