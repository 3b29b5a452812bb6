/** Which files are one log, and in which order they were written. */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { compressionOf } from '../cli/compressed-log.ts'
import { unpacked } from '../cli/unpacked-log.ts'
import { LineReader } from '../matching/lines.ts'

/** So much of a file is looked through for its first date. */
const beginBytes = 65_536

/**
 * The path that a file had while it was written: without `.gz` and the like, and without the number or
 * date of a rotation (`auth.log.2.gz`, `auth.log-20261122`, `auth.log.2026-11-22`, `auth.log.1`).
 */
export function writtenAs(path: string): string {
  if (path === '-') return path
  const unpackedName = basename(path).replace(/\.(?:gz|xz|zst|bz2)$/i, '')
  const name = unpackedName.replace(/(?:[.-]\d{4}-?\d{2}-?\d{2}(?:[-_.T]?\d{1,10})?|\.\d{1,4}|\.old)$/, '')
  return join(dirname(resolve(path)), name === '' ? unpackedName : name)
}

/** The files by the log they belong to, each once, in the order given. */
export function byLog(files: readonly string[]): Map<string, string[]> {
  const logs = new Map<string, string[]>()
  for (const file of new Set(files.map((each) => (each === '-' ? each : resolve(each))))) {
    const log = writtenAs(file)
    logs.set(log, [...(logs.get(log) ?? []), file])
  }
  return logs
}

/** The files of one log, the oldest first: by the first date in each, and by their last change where one has none. */
export async function oldestFirst(files: readonly string[]): Promise<string[]> {
  if (files.length < 2) return [...files]
  const dated = await Promise.all(files.map(async (file) => ({ file, ...(await timesOf(file)) })))
  const all = dated.every(({ first }) => first !== null)
  return dated
    .toSorted((a, b) => (all ? (a.first ?? 0) - (b.first ?? 0) : 0) || a.modifiedAt - b.modifiedAt)
    .map(({ file }) => file)
}

async function timesOf(file: string): Promise<{ first: number | null; modifiedAt: number }> {
  try {
    const modifiedAt = statSync(file).mtimeMs
    return { first: firstDate(await beginOf(file), modifiedAt), modifiedAt }
  } catch {
    // Reading it will say what is wrong.
    return { first: null, modifiedAt: 0 }
  }
}

async function beginOf(file: string): Promise<Buffer> {
  const fd = openSync(file, 'r')
  try {
    const begin = Buffer.alloc(beginBytes)
    const bytes = begin.subarray(0, readSync(fd, begin, 0, beginBytes, 0))
    const compression = compressionOf(bytes)
    if (compression === null) return bytes
    for await (const piece of unpacked(createReadStream(file), compression, file)) return piece
    return Buffer.alloc(0)
  } finally {
    closeSync(fd)
  }
}

function firstDate(bytes: Buffer, reference: number): number | null {
  const reader = new LineReader()
  reader.reference = reference
  const text = bytes.toString('latin1')
  const block = reader.block(bytes, text, 0)
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start)
    if (end < 0) return null
    const { time } = block.head(start, end)
    if (time !== null) return time
    start = end + 1
  }
  return null
}
