/** The plugin folder as the commands change it: one at a time, and each change in one step. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BailiffError, describeError, quote } from '../errors.ts'
import { isOwn, lockName, lockText, readLock, type LockedPackage } from '../settings/plugin-lock.ts'
import { replaceStateFile } from '../state-file.ts'

/** Names that only this file gives. Nothing else is ever removed, whatever folder the configuration names. */
const ours = /^(?:\.staging-[0-9a-f]{12}|[\w@.+~-]+\.tree-[0-9a-f]{12}(?:\.files)?)$/
const claimName = '.changing'

/** A plugin folder while it is changed. */
export class PluginFolder {
  readonly folder: string
  #packages: readonly LockedPackage[]

  private constructor(folder: string, packages: readonly LockedPackage[]) {
    this.folder = folder
    this.#packages = packages
  }

  /**
   * Claims the folder, which is made where it is missing, for the time of `work`. Throws a BailiffError (`try-again`)
   * while another command has it, and where it cannot be written or belongs to another user. What commands before left
   * is removed at the beginning, so what is replaced stays for agents that still run it.
   */
  static async change<T>(folder: string, work: (plugins: PluginFolder) => Promise<T>): Promise<T> {
    const umask = process.umask(0o022)
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 }).catch(refuse)
      await isOwn(folder)
      await claim(folder)
      try {
        const plugins = new PluginFolder(folder, await readLock(folder))
        await plugins.#clear()
        return await work(plugins)
      } finally {
        await rm(join(folder, claimName), { force: true })
      }
    } finally {
      process.umask(umask)
    }

    function refuse(error: NodeJS.ErrnoException): never {
      throw new BailiffError('cannot-create', `the plugin folder cannot be made: ${describeError(error)}`, {
        where: { file: folder },
        hint: process.geteuid?.() === 0 ? 'plugins: names another folder' : 'as root: sudo bailiff plugin …',
        cause: error,
      })
    }
  }

  get packages(): readonly LockedPackage[] {
    return this.#packages
  }

  /** Makes an empty folder for the time of `work`, in the same file system as the packages. */
  async staging<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.folder, `.staging-${randomBytes(6).toString('hex')}`)
    await mkdir(folder, { mode: 0o755 })
    try {
      return await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /**
   * Takes a staged tree over in the place of the package of the same name. Until the lock file names it, in one step,
   * the old one is the installed one.
   */
  async put(tree: string, entry: Omit<LockedPackage, 'folder'>, lines: readonly string[] = []): Promise<LockedPackage> {
    const name = `${entry.name.replace('/', '+')}-${entry.version}.tree-${randomBytes(6).toString('hex')}`
    await syncTree(tree)
    await rename(tree, join(this.folder, name))
    // So that it can be told which files were changed. It proves itself: it is what the hash in the lock file is of.
    await writeFile(join(this.folder, `${name}.files`), lines.join(''), { mode: 0o644 })
    const put: LockedPackage = { ...entry, folder: name }
    await this.#write([...this.#packages.filter((one) => one.name !== entry.name), put])
    return put
  }

  /** Takes a package out of the lock file, and its files away. */
  async remove(one: LockedPackage): Promise<void> {
    await this.#write(this.#packages.filter(({ name }) => name !== one.name))
    await this.#clear()
  }

  async #write(packages: readonly LockedPackage[]): Promise<void> {
    await replaceStateFile(join(this.folder, lockName), [lockText(packages)], 0o644)
    this.#packages = packages
  }

  /** Removes what no package of the lock file is. */
  async #clear(): Promise<void> {
    const kept = new Set(this.#packages.map(({ folder }) => folder))
    for (const name of await readdir(this.folder))
      if (ours.test(name) && !kept.has(name.replace(/\.files$/, '')))
        await rm(join(this.folder, name), { recursive: true, force: true })
  }
}

/** A file with the number of the process that has the folder; that of a process which is gone does not count. */
async function claim(folder: string): Promise<void> {
  const file = join(folder, claimName)
  for (let attempt = 0; attempt < 3; attempt++) {
    const made = await open(file, 'wx', 0o644).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return null
      throw new BailiffError('no-permission', `the plugin folder cannot be changed: ${describeError(error)}`, {
        where: { file: folder },
        hint: 'as root: sudo bailiff plugin …',
        cause: error,
      })
    })
    if (made !== null) {
      await made.writeFile(`${process.pid}\n`).finally(() => made.close())
      return
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (isRunning(holder))
      throw new BailiffError('try-again', `the process ${holder} changes the plugins just now`, {
        hint: `wait until it has ended; if it is no command of bailiff: rm ${quote(file).slice(1, -1)}`,
      })
    await rm(file, { force: true })
  }
  throw new BailiffError('try-again', 'other commands change the plugins just now')
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** So that after a power cut the lock file never names files that are not there. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else await syncPath(path)
  }
  await syncPath(folder)
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}
