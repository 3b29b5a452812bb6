import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { BailiffError, describeError, quote } from '../errors.ts'
import type { Compression } from './compressed-log.ts'

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
