/** Whom people let in, as it is kept in a file of the state. */
import { join } from 'node:path'
import type { FileHandle } from 'node:fs/promises'
import { parsePrefix } from './address.ts'
import { BailiffError } from './errors.ts'
import type { Allow } from './judging/allow-list.ts'
import { openStateFile, replaceStateFile } from './state-file.ts'

/** Each is asked for at each failure, so this is for people and not for lists; those belong into `ignoreip`. */
export const maxAllows = 1000
const longestFile = 4 * 1024 * 1024

/** What the folder of the state holds, also what is over by now; null: no file. Rejects where it cannot be read. */
export async function readStoredAllows(state: string): Promise<readonly Allow[] | null> {
  const file = await openStateFile(fileIn(state))
  if (file === null) return null
  return readAllows(await readUpTo(file, longestFile).finally(() => file.close()))
}

/** Replaces what the folder of the state holds. Rejects with what a call of node:fs rejects with. */
export function storeAllows(state: string, allows: readonly Allow[]): Promise<void> {
  return replaceStateFile(fileIn(state), [JSON.stringify(allows, null, 1), '\n'])
}

function fileIn(state: string): string {
  return join(state, 'allowed.json')
}

async function readUpTo(file: FileHandle, most: number): Promise<string> {
  const bytes = Buffer.alloc(most)
  const { bytesRead } = await file.read(bytes, 0, most, 0)
  return bytes.toString('utf8', 0, bytesRead)
}

function readAllows(text: string): readonly Allow[] {
  const given: unknown = JSON.parse(text)
  if (!Array.isArray(given)) throw new BailiffError('data', 'it holds no list')
  return given.slice(0, maxAllows).flatMap((each: Partial<Allow> | null) => {
    const { subject, since, until, prefixes } = each ?? {}
    if (typeof subject !== 'string' || typeof since !== 'number' || !Array.isArray(prefixes)) return []
    if (until !== null && typeof until !== 'number') return []
    const read = prefixes.map((prefix) => parsePrefix(String(prefix))).filter((prefix) => prefix !== null)
    return [{ subject, since, until, prefixes: read }]
  })
}
