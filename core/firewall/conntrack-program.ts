/** Lets the program conntrack (conntrack-tools) forget connections, where the kernel cannot be asked directly. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { addressBytes, parseAddress } from '../address.ts'
import type { BannedSources, Connection } from './banned-sources.ts'
import type { ConnectionTable } from './connection-cutter.ts'
import { hexToText } from './hex-address.ts'

/** Where distributions put it. As with nft the environment is not asked. */
const places = ['/usr/sbin/conntrack', '/sbin/conntrack', '/usr/local/sbin/conntrack', '/usr/bin/conntrack']

const deadlineMs = 5000
const mostOutputBytes = 64 * 1024 * 1024
/** Each takes a process. */
const mostDeletions = 200

/** The table behind the program. It rejects, with words for people, where the machine has no such program. */
export const conntrackProgram: ConnectionTable = { forget }

async function forget(banned: BannedSources): Promise<number> {
  const program = places.find(isExecutable)
  if (program === undefined) throw new Error('there is no program conntrack (Debian, Ubuntu: the package conntrack)')
  const [source, ...others] = banned.few() ?? []
  const listed = await run(
    program,
    source === undefined || others.length > 0 ? ['-L'] : ['-L', '-s', hexToText(source)],
  )
  const deletions = new Map<string, string[]>()
  let count = 0
  for (const line of listed.split('\n')) {
    const connection = readConnection(line)
    if (connection === null || !banned.has(connection)) continue
    const words = deletion(connection)
    deletions.set(words.join(' '), words)
    count++
  }
  for (const words of [...deletions.values()].slice(0, mostDeletions)) await run(program, words)
  if (deletions.size > mostDeletions)
    throw new Error(
      `${deletions.size} connections are more than the program conntrack is asked to end (${mostDeletions})`,
    )
  return count
}

/** A line of `conntrack -L`; null where it is none. The first addresses and ports are those of the one who opened it. */
export function readConnection(line: string): Connection | null {
  const found = /^\w+ +(\d{1,3}) .*?\bsrc=(\S+) dst=\S+ (?:sport=\d+ dport=(\d{1,5}) )?/.exec(line)
  const address = parseAddress(found?.[2] ?? '')
  if (found === null || address === null) return null
  const source = Buffer.from(addressBytes(address)).toString('hex')
  return { source, protocol: Number(found[1]), port: found[3] === undefined ? null : Number(found[3]) }
}

/** All that its source has open to that port. */
function deletion({ source, protocol, port }: Connection): string[] {
  const words = ['-D', '-f', source.length === 8 ? 'ipv4' : 'ipv6', '-s', hexToText(source), '-p', String(protocol)]
  return port === null ? words : [...words, '--dport', String(port)]
}

/** What it printed. That it finds nothing is no error: it ends with 1 then, and says so. */
function run(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { LANG: 'C' } })
    const printed: Buffer[] = []
    let [bytes, said, failure] = [0, '', '']
    const kill = (why: string) => {
      failure ||= `the program conntrack was killed: ${why}`
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => kill(`it took more than ${deadlineMs / 1000} s`), deadlineMs)
    child.stdout.on('data', (some: Buffer) => {
      bytes += some.length
      if (bytes <= mostOutputBytes) printed.push(some)
      else kill(`it printed more than ${mostOutputBytes} bytes`)
    })
    child.stderr.on('data', (some: Buffer) => (said = `${said}${some.toString('latin1')}`.slice(0, 500)))
    child.on('error', (error) => (failure ||= `the program conntrack cannot be started: ${error.message}`))
    child.on('close', (code) => {
      clearTimeout(timer)
      const text = Buffer.concat(printed).toString('latin1')
      if (failure === '' && (code === 0 || / 0 flow entries/.test(said))) resolve(text)
      else reject(new Error(failure || said.trim() || `the program conntrack ended with exit code ${code}`))
    })
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
