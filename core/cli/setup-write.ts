/** Writes a configuration where there is none, and never over one. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { BailiffError, whyUnreadable } from '../errors.ts'
import type { Account } from '../rights/accounts.ts'

/** Whether something stands there: a link to nowhere too. */
export function isTaken(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined
}

/**
 * Writes a new file and the folders to it. `reader` is the user that is to read it (0640, of its group); without one
 * only this user may (0600). Throws a BailiffError where something stands there already, or it cannot be written.
 */
export function writeNew(file: string, text: string, reader: Account | null): void {
  try {
    makeFolder(dirname(file), reader)
    const descriptor = openSync(file, 'wx', 0o600)
    try {
      if (reader !== null) {
        fchownSync(descriptor, 0, reader.gid)
        fchmodSync(descriptor, 0o640)
      }
      writeSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new BailiffError(
      'cannot-create',
      taken ? 'is there already and is not changed' : `cannot be written: ${whyUnreadable(error)}`,
      {
        where: { file },
        hint: taken ? 'write it elsewhere with --config FILE' : 'as root, or elsewhere with --config FILE',
        cause: error,
      },
    )
  }
}

function makeFolder(folder: string, reader: Account | null): void {
  if (existsSync(folder)) return
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  // Whatever the umask is: the helper, who is yet another user, reads firewall.conf in it.
  if (reader !== null) chmodSync(folder, 0o755)
}
