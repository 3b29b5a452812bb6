import { constants } from 'node:fs'
import { open, realpath, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { BailiffError, quote, whyUnreadable } from '../../../core/plugin.ts'

/** Above this line a file keeps what people wrote there; below it everything is the action's. */
export const marker = '# Bailiff (deny-file) writes what is below this line; changes there are lost.'

/** What people may write above the marker, in bytes. */
const longestHeader = 64 * 1024

/** What a new file is: programs that read it run as other users. */
const newMode = 0o644

/** A file as it is before it is replaced. */
interface Before {
  readonly header: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/**
 * Replaces what stands below the marker of a file, at once and for good: readers see the old file or the new one, also
 * after a power cut. What stands above the marker, mode and owner stay; a link goes on pointing to its file. `warn` hears of
 * an owner that could not be kept. Throws a BailiffError where the file is another's (it has no marker), or cannot be written.
 */
export async function replaceOwned(
  path: string,
  lines: Iterable<string>,
  warn: (message: string) => void,
): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const before = await readBefore(target)
  const temporary = join(dirname(target), `.${basename(target)}.bailiff-new`)
  try {
    await rm(temporary, { force: true })
    const file = await open(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    )
    try {
      await writeLines(file, before?.header ?? '', lines)
      if (before !== null) await keepOwner(file, before, target, warn)
      await file.chmod(before?.mode ?? newMode)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
    await syncFolder(dirname(target))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    const { code, message } = cause as NodeJS.ErrnoException
    throw new BailiffError('cannot-create', `${quote(path)} cannot be written: ${message}`, {
      ...(code === 'EACCES' || code === 'EPERM' || code === 'ENOENT'
        ? {
            hint: `there has to be a folder ${dirname(target)} that this user may write in: the file is replaced as a whole`,
          }
        : {}),
      cause,
    })
  }
}

/** Null: there is none yet. */
async function readBefore(target: string): Promise<Before | null> {
  let file: FileHandle
  try {
    // Of a pipe that somebody put there nobody waits for the other end.
    file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new BailiffError('no-permission', `${quote(target)} cannot be read: ${whyUnreadable(cause)}`, { cause })
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new BailiffError('cannot-create', `${quote(target)} is no file`)
    const { bytesRead, buffer } = await file.read({
      buffer: Buffer.alloc(longestHeader + marker.length + 1),
      position: 0,
    })
    const text = buffer.toString('latin1', 0, bytesRead)
    const at = text.startsWith(marker) ? 0 : text.indexOf(`\n${marker}`) + 1
    if (stat.size > 0 && at === 0 && !text.startsWith(marker))
      throw new BailiffError('cannot-create', `${quote(target)} was not written by Bailiff, so it is left as it is`, {
        hint: `name another file, or add the line "${marker}" where the list is to begin`,
      })
    return { header: text.slice(0, at), mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid }
  } finally {
    await file.close()
  }
}

/** The header byte by byte as it was. A million lines are not one text. */
async function writeLines(file: FileHandle, header: string, lines: Iterable<string>): Promise<void> {
  let text = `${marker}\n`
  await file.write(Buffer.from(header, 'latin1'))
  for (const line of lines) {
    text += `${line}\n`
    if (text.length < 1 << 16) continue
    await file.write(text)
    text = ''
  }
  await file.write(text)
}

async function keepOwner(
  file: FileHandle,
  before: Before,
  target: string,
  warn: (message: string) => void,
): Promise<void> {
  const { uid, gid } = await file.stat()
  if (uid === before.uid && gid === before.gid) return
  try {
    await file.chown(before.uid, before.gid)
  } catch (error) {
    // Whoever is not root may give a file to another group of his own.
    await file.chown(uid, before.gid).catch(() => {})
    warn(
      `${target} now belongs to user ${uid}, since its owner ${before.uid} could not be kept: ${(error as Error).message}`,
    )
  }
}

/** The new name is to outlive a power cut, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } catch (error) {
    // Some file systems cannot.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await folder.close()
  }
}
