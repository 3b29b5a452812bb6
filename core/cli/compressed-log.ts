import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { BailiffError, describeError, quote } from '../errors.ts'

/** How a log is compressed. */
export interface Compression {
  readonly name: string
  /** What unpacks it by hand. */
  readonly unpack: string
  /** The program that unpacks standard input to standard output; null: Node does. */
  readonly program: readonly [string, ...string[]] | null
  /** The Debian package that has the program. */
  readonly debian: string
}

/** What a compressed file begins with, in hexadecimal digits: RFC 1952, RFC 8878, the formats of xz and bzip2. */
const formats: readonly (readonly [begins: RegExp, compression: Compression])[] = [
  [/^1f8b/, { name: 'gzip', unpack: 'zcat', program: null, debian: 'gzip' }],
  [/^fd377a585a00/, { name: 'xz', unpack: 'xzcat', program: ['xz', '-dc'], debian: 'xz-utils' }],
  [/^28b52ffd/, { name: 'zstd', unpack: 'zstdcat', program: ['zstd', '-dcq'], debian: 'zstd' }],
  // "BZh", a digit, and the first block or, where nothing was packed, the end.
  [
    /^425a683[1-9](?:314159265359|177245385090)/,
    { name: 'bzip2', unpack: 'bzcat', program: ['bzip2', '-dc'], debian: 'bzip2' },
  ],
]

/** How the log is compressed that begins with these bytes; null: it is not. */
export function compressionOf(bytes: Uint8Array): Compression | null {
  const start = Buffer.from(bytes.subarray(0, 10)).toString('hex')
  return formats.find(([begins]) => begins.test(start))?.[1] ?? null
}

/** Throws a BailiffError where the first bytes of a log say that it is compressed: no line of it could match. `-` is standard input. */
export function refuseCompressed(log: string, bytes: Uint8Array): void {
  const found = compressionOf(bytes)
  if (found === null) return
  const what = log === '-' ? 'standard input' : quote(log)
  throw new BailiffError('data', `${what} is compressed with ${found.name}; lines are read as they stand`, {
    hint: `${found.unpack} ${log === '-' ? 'FILE' : log} | bailiff test FILTER -`,
  })
}

/**
 * The bytes that a compressed log holds, as they are unpacked; who takes them sets the pace. Throws a
 * BailiffError where the log is damaged, or the program is missing that can unpack it.
 */
export async function* unpacked(
  packed: Readable,
  { name, program, debian }: Compression,
  log: string,
): AsyncGenerator<Buffer> {
  try {
    if (program === null)
      yield* packed.pipe(failingWith(packed, createGunzip({ chunkSize: 65_536 }))) as AsyncIterable<Buffer>
    else yield* runProgram(packed, program)
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const why = missing ? `the program ${program?.[0]} is missing` : describeError(cause)
    throw new BailiffError('data', `${quote(log)} cannot be unpacked with ${name}: ${why}`, {
      cause,
      ...(missing ? { hint: `apt-get install ${debian}` } : {}),
    })
  } finally {
    packed.destroy()
  }
}

/** What cannot be read ends what unpacks it, which would wait for ever otherwise. */
function failingWith<To extends { destroy(error: Error): unknown }>(from: Readable, to: To): To {
  from.on('error', (error) => to.destroy(error))
  return to
}

async function* runProgram(
  packed: Readable,
  [program, ...words]: readonly [string, ...string[]],
): AsyncGenerator<Buffer> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(0, 500)))
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(said.trim() || `${program} ends with ${code}`)),
    )
  })
  ended.catch(() => {})
  // It may end before it has read everything.
  child.stdin.on('error', () => {})
  packed.on('error', () => child.kill())
  packed.pipe(child.stdin)
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    await ended
  } finally {
    child.kill()
  }
}
