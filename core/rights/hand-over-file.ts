import { closeSync, constants, fchownSync, fstatSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import type { Account } from './accounts.ts'
import { foreignHand, type ForeignHand } from './foreign-hands.ts'

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants

/**
 * Makes a log file (0640) where there is none, and gives it to the user, its group stays. Left as it is: one that is
 * not root's, no file, or has a second name. Where others than root may say what the path is, nothing is made or given
 * away, and answered is where; else null. Throws a `BailiffError`.
 */
export function handOverFile(path: string, { uid }: Account): ForeignHand | null {
  const hand = foreignHand(dirname(path))
  if (hand !== null) return hand
  try {
    const opened = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640)
    try {
      const found = fstatSync(opened)
      if (found.isFile() && found.uid === 0 && found.nlink === 1) fchownSync(opened, uid, found.gid)
    } finally {
      closeSync(opened)
    }
    return null
  } catch (cause) {
    throw new BailiffError('cannot-create', `the file ${quote(path)}: ${(cause as Error).message}`, { cause })
  }
}
