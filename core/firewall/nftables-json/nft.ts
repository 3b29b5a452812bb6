/** Runs the program nft: one process, one transaction. */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from './objects.ts'
import { NftError, readNftError } from './nft-error.ts'
import { readRuleset, type Ruleset } from './ruleset.ts'

/** Where distributions put it. The environment is not asked: a path there would decide what runs with rights. */
const places = ['/usr/sbin/nft', '/sbin/nft', '/usr/local/sbin/nft', '/usr/bin/nft', '/run/current-system/sw/bin/nft']

export interface NftOptions {
  /** The program and its first words, by absolute path. Default: nft, looked up once in fixed places. */
  readonly command?: readonly string[]
  /** Milliseconds after which a run is killed. Default 5000. */
  readonly deadlineMs?: number
  /** The most that is read of the output, in bytes. Default 256 MiB. */
  readonly maxOutputBytes?: number
  /** Hears of each run; `nft monitor` names the process that changed something. */
  readonly onRun?: (pid: number) => void
}

export interface RunOptions {
  readonly deadlineMs?: number
  /** Lists sets without their elements. */
  readonly terse?: boolean
}

/** Carries out the commands as one transaction and resolves with what they listed; rejects with `NftError`. */
export type Nft = (commands: readonly Command[], options?: RunOptions) => Promise<Ruleset>

/** A runner. It throws `NftError` with `not-found` where the machine has no nft. */
export function createNft(options: NftOptions = {}): Nft {
  const [program, ...words] = options.command ?? [findNft()]
  if (program === undefined) throw new NftError('not-found', 'an empty command was given for nft')
  return async (commands, { deadlineMs = options.deadlineMs ?? 5000, terse = false } = {}) => {
    const input = privateFile(JSON.stringify({ nftables: commands }))
    let child: ChildProcess
    try {
      // A regular file as standard input: nft opens /dev/stdin, which fails for the socket of a pipe.
      const args = [...words, '-j', ...(terse ? ['-t'] : []), '-f', '/dev/stdin']
      child = spawn(program, args, { stdio: [input, 'pipe', 'pipe'], env: { LANG: 'C' } })
    } finally {
      closeSync(input)
    }
    if (child.pid !== undefined) options.onRun?.(child.pid)
    return readRuleset(await collect(child, deadlineMs, options.maxOutputBytes ?? 256 * 1024 * 1024))
  }
}

/** The absolute path of nft. */
export function findNft(): string {
  const found = places.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (found === undefined) throw new NftError('not-found', `there is no nft program in ${places.join(', ')}`)
  return found
}

/** A descriptor of a file with this text that has no name any more, so nobody finds it and nothing stays behind. */
function privateFile(text: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'nft-'))
  try {
    const descriptor = openSync(join(folder, 'commands.json'), 'wx+', 0o600)
    try {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    return descriptor
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What the child printed, once it has ended well. */
function collect(child: ChildProcess, deadlineMs: number, maxOutputBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const output = new Buffered(maxOutputBytes)
    const errors = new Buffered(64 * 1024)
    let failure: NftError | undefined
    const kill = (reason: NftError) => {
      failure ??= reason
      child.kill('SIGKILL')
    }
    const late = () => kill(new NftError('timeout', `nft was killed: it took more than ${deadlineMs / 1000} s`))
    const timer = setTimeout(late, deadlineMs)
    const tooLong = `nft was killed: it printed more than ${maxOutputBytes} bytes`
    child.stdout?.on('data', (bytes: Buffer) => output.take(bytes) || kill(new NftError('too-large', tooLong)))
    child.stderr?.on('data', (bytes: Buffer) => errors.take(bytes))
    child.on('error', (error) => {
      failure ??= new NftError('not-found', `nft cannot be started: ${error.message}`)
      clearTimeout(timer)
      reject(failure)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (failure !== undefined) reject(failure)
      else if (code === 0) resolve(output.text())
      else reject(readNftError(errors.text()))
    })
  })
}

/** Bytes up to a cap. */
class Buffered {
  readonly #chunks: Buffer[] = []
  readonly #max: number
  #length = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Whether there was room. */
  take(bytes: Buffer): boolean {
    if (this.#length + bytes.length > this.#max) return false
    this.#length += bytes.length
    this.#chunks.push(bytes)
    return true
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
