/** Folders that root made and the agent's own user is to have. */
import { closeSync, constants, fchownSync, fstatSync, openSync, readdirSync } from 'node:fs'
import { BailiffError, quote } from '../errors.ts'
import type { Account } from './accounts.ts'
import type { ForeignHand } from './foreign-hands.ts'
import { marker, useFolder, within } from './root-folder.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
const writableByOthers = 0o022
/** What says that a folder is Bailiff's: the store and what SQLite puts beside it. */
const store = /^bailiff\.sqlite/
/** What may lie there too: a pause, the folders of plugins. */
const alsoOurs = ['paused', 'paused.new', 'plugins']
/** Stays root's own: packages of plugins, which the agent reads and must not change. */
const packages = 'packages'

/**
 * Makes the folder, 0700, or takes it as an earlier run as root left it, and gives it and the files in it
 * to the user. `sockets` are the names of those that an agent makes there. Left as it is: one of
 * the user's already; one in which something else lies, or nothing that only an agent can have made.
 * Whether the user may write there shows later. Where somebody else than root could have put
 * links to other files or folders, nothing is made or given away, and answered is where; else null. Throws
 * a `BailiffError`.
 */
export function handOver(path: string, sockets: readonly string[], account: Account): ForeignHand | null {
  return inRootFolder(path, (folder) => {
    const { uid, mode } = fstatSync(folder)
    if (uid === 0 && (mode & writableByOthers) === 0 && isOurs(folder, sockets)) giveAll(folder, account, [packages])
  })
}

/** Makes the folder for an agent that stays root, so that it can be handed over later; as `handOver`. */
export function makeFolder(path: string): ForeignHand | null {
  return inRootFolder(path, () => {})
}

function inRootFolder(path: string, use: (folder: number) => void): ForeignHand | null {
  try {
    return useFolder(path, use)
  } catch (cause) {
    throw new BailiffError('cannot-create', `the folder ${quote(path)}: ${(cause as Error).message}`, { cause })
  }
}

function isOurs(folder: number, sockets: readonly string[]): boolean {
  const names = readdirSync(within(folder), { withFileTypes: true }).map((entry) => ({
    proof: entry.isSocket() ? sockets.includes(entry.name) : entry.name === marker || store.test(entry.name),
    ours: !entry.isSocket() && (alsoOurs.includes(entry.name) || entry.name === packages),
  }))
  return names.some(({ proof }) => proof) && names.every(({ proof, ours }) => proof || ours)
}

/** The folder last: until then only root may change what is in it. */
function giveAll(folder: number, account: Account, kept: readonly string[] = []): void {
  for (const entry of readdirSync(within(folder), { withFileTypes: true })) {
    if ((!entry.isFile() && !entry.isDirectory()) || kept.includes(entry.name)) continue
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
