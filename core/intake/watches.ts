import { lstatSync, statSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from '../plugin.ts'
import type { Wake } from './file-reader.ts'

interface Follower {
  readonly wake: (why: Wake) => void
  /** Watches the file itself where its folder does not hear of writes: behind a link or a mount. */
  file: FSWatcher | null
  /** What the file watch stands on; null where there is none. */
  inode: bigint | null
}

interface Folder {
  readonly followers: Map<string, Follower>
  watcher: FSWatcher | null
  inode: bigint | null
}

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
    const folder = this.#folders.get(name) ?? { followers: new Map(), watcher: null, inode: null }
    this.#folders.set(name, folder)
    folder.followers.set(basename(path), { wake, file: null, inode: null })
    this.#renew(name, folder)
  }

  unfollow(path: string): void {
    const folder = this.#folders.get(dirname(path))
    folder?.followers.get(basename(path))?.file?.close()
    folder?.followers.delete(basename(path))
    if (folder?.followers.size !== 0) return
    folder.watcher?.close()
    this.#folders.delete(dirname(path))
  }

  /** Watches again what is another folder or file by now. */
  renew(): void {
    for (const [name, folder] of this.#folders) this.#renew(name, folder)
  }

  close(): void {
    for (const [name, folder] of this.#folders) {
      for (const base of folder.followers.keys()) this.unfollow(`${name}/${base}`)
    }
  }

  #renew(name: string, folder: Folder): void {
    const inode = inodeOf(name)
    if (inode !== folder.inode || folder.watcher === null) {
      folder.watcher?.close()
      folder.inode = inode
      folder.watcher =
        inode === null ? null : this.#watch(name, (event, changed) => this.#hear(name, folder, event, changed))
      folder.watcher?.on('error', () => (folder.inode = null))
    }
    for (const [base, follower] of folder.followers) this.#renewFile(`${name}/${base}`, follower)
  }

  /** A name that begins like that of the log may be a rotated one that is still written to. */
  #hear(name: string, folder: Folder, event: 'change' | 'rename', changed: string | null): void {
    for (const [base, follower] of folder.followers) {
      if (event === 'rename' && changed === base) this.#renewFile(`${name}/${base}`, follower)
      if (changed === null || changed.startsWith(base)) follower.wake(event)
      else if (event === 'rename' && changed.startsWith(base.slice(0, base.lastIndexOf('.')))) follower.wake(event)
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

/** Whether the file is a link, or stands on another file system than its folder, as a mounted file does. */
function isElsewhere(path: string): boolean {
  try {
    const stat = lstatSync(path)
    return stat.isSymbolicLink() || stat.dev !== statSync(dirname(path)).dev
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
