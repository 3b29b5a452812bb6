/** Folders that root made and the agent's own user is to have. */
import { closeSync, constants, existsSync, fchownSync, fstatSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import type { Account } from './accounts.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants
const writableByOthers = 0o022
/** What lies in such a folder: the store and what SQLite puts beside it, a pause, folders of plugins, sockets. */
const ours = /^(?:bailiff\.sqlite.*|paused(?:\.new)?|plugins)$/

/**
 * Makes the folder, 0700, or takes it as an earlier run as root left it, and gives it and the files in it
 * to the user. One that is the user's already is left as it is, as is one of root's that is no folder of
 * ours, such as /run: whether the user may write there shows later. Where somebody else than root could
 * have put links to other files, nothing is given away. Throws a `BailiffError`.
 */
export function handOver(path: string, account: Account): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
    const folder = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    try {
      const { uid, mode } = fstatSync(folder)
      if (uid === 0 && (mode & writableByOthers) === 0 && isOurs(folder)) giveAll(folder, account)
    } finally {
      closeSync(folder)
    }
  } catch (cause) {
    throw new BailiffError('cannot-create', `the folder ${quote(path)}: ${(cause as Error).message}`, { cause })
  }
}

function isOurs(folder: number): boolean {
  return readdirSync(within(folder), { withFileTypes: true }).every(
    (entry) => entry.isSocket() || ours.test(entry.name),
  )
}

/** The folder last: until then only root may change what is in it. */
function giveAll(folder: number, account: Account): void {
  for (const entry of readdirSync(within(folder), { withFileTypes: true })) {
    if (!entry.isFile() && !entry.isDirectory()) continue
    const opened = openSync(`${within(folder)}/${entry.name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const { uid, nlink } = fstatSync(opened)
      if (entry.isDirectory()) giveAll(opened, account)
      // A file with a second name may be one of root's elsewhere.
      else if (uid === 0 && nlink === 1) fchownSync(opened, account.uid, account.gid)
    } finally {
      closeSync(opened)
    }
  }
  fchownSync(folder, account.uid, account.gid)
}

/** The path of an open folder itself, whatever its name leads to by now. */
const within = (folder: number) => `/proc/self/fd/${folder}`
