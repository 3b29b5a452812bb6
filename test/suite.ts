import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { suite as uvuSuite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { registerChecks, type Check } from '../core/testing/check.ts'

/** What a test may need from the machine: `root`, or a program on the path. */
export type Need =
  | 'root'
  | 'nft'
  | 'ip'
  | 'conntrack'
  | 'sshd'
  | 'nginx'
  | 'haproxy'
  | 'ssh'
  | 'rsyslogd'
  | 'lmnsd_gtls.so'
  | 'openssl'
  | 'python3'
  | 'strace'
  | 'perl'
  | 'faketime'
  | 'setpriv'
  | 'systemd-analyze'
  | 'bash'
  | 'zsh'
  | 'fish'
  | 'script'
  | 'systemd-journald'
  | 'systemd-journal-remote'
  | 'logger'
  | 'fail2ban-regex'
  | 'fail2ban-server'
  | 'redis-server'
  | 'npm'
  | 'git'
  | 'clang'
  | 'wasm-ld'

/** The Debian package that brings a program; the others are there. */
export const packages: Readonly<Record<Exclude<Need, 'root' | 'npm' | 'git'>, string>> = {
  clang: 'clang',
  'wasm-ld': 'lld',
  nft: 'nftables',
  ip: 'iproute2',
  conntrack: 'conntrack',
  sshd: 'openssh-server',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  ssh: 'openssh-client',
  rsyslogd: 'rsyslog',
  'lmnsd_gtls.so': 'rsyslog-gnutls',
  openssl: 'openssl',
  python3: 'python3',
  strace: 'strace',
  perl: 'perl-base',
  faketime: 'faketime',
  setpriv: 'util-linux',
  'systemd-analyze': 'systemd',
  bash: 'bash',
  zsh: 'zsh',
  fish: 'fish',
  script: 'bsdutils',
  'systemd-journald': 'systemd',
  'systemd-journal-remote': 'systemd-journal-remote',
  logger: 'bsdutils',
  'fail2ban-regex': 'fail2ban',
  'fail2ban-server': 'fail2ban',
  'redis-server': 'redis-server',
}

/** A suite of uvu whose tests are skipped, and counted as skipped, where the machine lacks something they need. */
export function suite(name: string, ...needs: Need[]): Test {
  const tests = uvuSuite(name)
  const missing = needs.filter((need) => !has(need))
  if (missing.length === 0) return tests
  const skipping = (title: string) => tests.skip(`${title} (needs ${missing.join(', ')})`)
  const without = () => {}
  const hook = Object.assign(without, { each: without })
  return Object.assign(skipping, { run: tests.run, only: skipping, skip: skipping, before: hook, after: hook }) as Test
}

/** Runs a conformance suite of `bailiff/testing`. */
export function keepsContract(name: string, checks: readonly Check[]): void {
  const tests = uvuSuite(`${name} keeps the contract`)
  registerChecks(checks, tests)
  tests.run()
}

/** The full path of a program, looked for where root and systemd would find it too, or of a module of rsyslogd (`x.so`). */
export function which(program: string): string | undefined {
  const places = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/lib/systemd']
  const modules = ['x86_64-linux-gnu/', 'aarch64-linux-gnu/', ''].map((kind) => `/usr/lib/${kind}rsyslog`)
  const isModule = program.endsWith('.so')
  const folders = isModule ? modules : [...(process.env.PATH ?? '').split(delimiter), ...places]
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, isModule ? constants.R_OK : constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export function has(need: Need): boolean {
  return need === 'root' ? isRoot() : which(need) !== undefined
}

/** Root of a container may lack the rights to make namespaces and mounts (CAP_SYS_ADMIN, bit 21). */
function isRoot(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/proc/self/status')) return false
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${effective}`) & (1n << 21n)) !== 0n
}

/** Awaits a rejection whose message contains `message`. */
export async function rejects(promise: void | Promise<unknown>, message: string): Promise<void> {
  try {
    await promise
  } catch (error) {
    assert.match((error as Error).message, message)
    return
  }
  assert.unreachable(`expected: ${message}`)
}
