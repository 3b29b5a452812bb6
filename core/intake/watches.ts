import { lstatSync, statfsSync, statSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from '../plugin.ts'
import type { Wake } from './file-reader.ts'

/** Called for a name in a folder that comes, goes or is written to; null: the kernel does not say which. */
export type Hear = (event: 'change' | 'rename', name: string | null) => void

interface Follower {
  readonly wake: (why: Wake) => void
  /** Watches the file itself where its folder does not hear of writes: behind a link or a mount. */
  file: FSWatcher | null
  /** What the file watch stands on; null where there is none. */
  inode: bigint | null
}

interface Folder {
  readonly followers: Map<string, Follower>
  /** Who wants to hear of every name. */
  readonly listeners: Set<Hear>
  watcher: FSWatcher | null
  inode: bigint | null
  /** Whether the kernel tells of all writes: those of other machines it does not know. */
  local: boolean
}

/** File systems whose every write is made by this kernel (magic numbers of statfs(2)). */
const localFileSystems = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0x858458f6, 0xca451a4e, 0x4d44,
])

/**
 * Wakes readers when something happens to their file: a write, or a name in its folder that comes or
 * goes. The kernel's word may be missing (no watches left, network file systems), so `renew` is to be
 * called now and then and readers are to be woken without a word as well.
 */
export class Watches {
  readonly #folders = new Map<string, Folder>()
  readonly #log: Logger
  #told = false

  constructor(log: Logger) {
    this.#log = log
  }

  /** Calls `wake` when the file at the path, or a rotated one beside it, may have changed. */
  follow(path: string, wake: (why: Wake) => void): void {
    const name = dirname(path)
    const folder = this.#folder(name)
    const follower = { wake, file: null, inode: null }
    folder.followers.set(basename(path), follower)
    this.#renewFolder(name, folder)
    this.#renewFile(path, follower)
  }

  unfollow(path: string): void {
    const folder = this.#folders.get(dirname(path))
    folder?.followers.get(basename(path))?.file?.close()
    folder?.followers.delete(basename(path))
    this.#leave(dirname(path))
  }

  /** Calls `hear` for every name in the folder. */
  listen(name: string, hear: Hear): void {
    const folder = this.#folder(name)
    folder.listeners.add(hear)
    this.#renewFolder(name, folder)
  }

  unlisten(name: string, hear: Hear): void {
    this.#folders.get(name)?.listeners.delete(hear)
    this.#leave(name)
  }

  /** Whether the kernel tells of everything in this folder. Where it does not, somebody has to look. */
  tells(name: string): boolean {
    const folder = this.#folders.get(name)
    return folder !== undefined && folder.watcher !== null && folder.local
  }

  /** Watches again what is another folder or file by now. */
  renew(path: string): void {
    const name = dirname(path)
    const folder = this.#folders.get(name)
    const follower = folder?.followers.get(basename(path))
    if (folder === undefined || follower === undefined) return
    this.#renewFolder(name, folder)
    this.#renewFile(path, follower)
  }

  close(): void {
    for (const [name, folder] of this.#folders) {
      folder.listeners.clear()
      for (const base of folder.followers.keys()) this.unfollow(`${name}/${base}`)
      this.#leave(name)
    }
  }

  #folder(name: string): Folder {
    const known = this.#folders.get(name)
    if (known !== undefined) return known
    const folder = { followers: new Map(), listeners: new Set<Hear>(), watcher: null, inode: null, local: true }
    this.#folders.set(name, folder)
    return folder
  }

  #leave(name: string): void {
    const folder = this.#folders.get(name)
    if (folder === undefined || folder.followers.size + folder.listeners.size > 0) return
    folder.watcher?.close()
    this.#folders.delete(name)
  }

  #renewFolder(name: string, folder: Folder): void {
    const inode = inodeOf(name)
    if (inode === folder.inode && folder.watcher !== null) return
    folder.watcher?.close()
    folder.inode = inode
    folder.local = inode === null || isLocal(name)
    folder.watcher =
      inode === null ? null : this.#watch(name, (event, changed) => this.#hear(name, folder, event, changed))
    folder.watcher?.on('error', () => (folder.inode = null))
  }

  /** A name that begins like that of a log may be a rotated one that is still written to. */
  #hear(name: string, folder: Folder, event: 'change' | 'rename', changed: string | null): void {
    for (const hear of folder.listeners) hear(event, changed)
    const own = changed === null ? undefined : folder.followers.get(changed)
    // Of a thousand logs in a folder a write concerns one.
    if (own !== undefined && event === 'change') return own.wake(event)
    for (const [base, follower] of folder.followers) {
      if (event === 'rename' && changed === base) this.#renewFile(`${name}/${base}`, follower)
      if (changed === null || changed.startsWith(base)) follower.wake(event)
      else if (event === 'rename' && isBeside(changed, base)) follower.wake(event)
    }
  }

  #renewFile(path: string, follower: Follower): void {
    // Two watches would double the cost of each write, and the kernel would merge no events any more.
    const inode = isElsewhere(path) ? inodeOf(path) : null
    if (inode === follower.inode) return
    follower.file?.close()
    follower.inode = inode
    follower.file = inode === null ? null : this.#watch(path, (event) => follower.wake(event))
    follower.file?.on('error', () => (follower.inode = null))
  }

  #watch(path: string, heard: (event: 'change' | 'rename', name: string | null) => void): FSWatcher | null {
    try {
      return watch(path, { persistent: false }, heard)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code !== 'ENOENT' && !this.#told) {
        this.#told = true
        const hint =
          'logs are looked at once a second instead; raise fs.inotify.max_user_watches and max_user_instances'
        this.#log.warn({ path, code }, `files cannot be watched: ${hint}`)
      }
      return null
    }
  }
}

/** Whether a name may be that of a rotated file with its date or number before the ending: `app-1.log` of `app.log`. */
function isBeside(name: string, base: string): boolean {
  const stem = base.slice(0, base.lastIndexOf('.'))
  return name.startsWith(stem) && '._-~'.includes(name[stem.length] ?? 'x')
}

/** Whether the file is a link, or stands on another file system than its folder, as a mounted file does. */
function isElsewhere(path: string): boolean {
  try {
    const stat = lstatSync(path)
    return stat.isSymbolicLink() || stat.dev !== statSync(dirname(path)).dev
  } catch {
    return false
  }
}

function isLocal(path: string): boolean {
  try {
    return localFileSystems.has(statfsSync(path).type >>> 0)
  } catch {
    return false
  }
}

function inodeOf(path: string): bigint | null {
  try {
    return statSync(path, { bigint: true }).ino
  } catch {
    return null
  }
}
