import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BailiffError, describeError } from './errors.ts'

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants

/**
 * Writes a file of the state, mode 0600 unless said, so that at every moment, also after a power cut, the old text
 * or the whole new one is there. Neither into what somebody put in its place meanwhile, nor waiting for
 * it. Rejects with what a call of node:fs rejects with, and the old file stays.
 */
export async function replaceStateFile(
  path: string,
  parts: Iterable<string> | AsyncIterable<string>,
  mode = 0o600,
): Promise<void> {
  const made = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    const file = await open(made, 'wx', mode)
    try {
      for await (const part of parts) await file.write(part)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(made, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(made, { force: true })
    throw error
  }
}

/**
 * Opens a regular file of the state for reading; null where there is none. A link is not followed, and
 * nothing waits for the other end of a FIFO.
 */
export async function openStateFile(path: string): Promise<FileHandle | null> {
  try {
    const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new BailiffError('io', `${path} cannot be read: ${describeError(error)}`)
  }
  throw new BailiffError('io', `${path} cannot be read: it is no regular file`)
}

/** A renaming outlasts a power cut when its folder is on the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, O_RDONLY)
  await handle.sync().finally(() => handle.close())
}
