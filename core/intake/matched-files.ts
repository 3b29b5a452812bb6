import { lstatSync, opendirSync, statSync, type Dir, type Dirent, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeError } from '../errors.ts'
import type { Alarm } from './scanner.ts'
import { excluding, PathPattern, type Place } from './path-pattern.ts'
import { isArchive, rotationBase } from './rotated.ts'
import type { Hear, Watches } from './watches.ts'

/** Names that are looked at in one folder, and folders that are watched, for one pattern. */
const maxEntries = 50_000
const maxFolders = 8192
/** Files that are known of one pattern, before those are chosen that are followed. */
const maxFiles = 50_000
/** Folders are listed for so long at first, and then, where that was not all, for so long of each tenth of a second. */
const firstWorkMs = 100
const workMs = 20
const restMs = 80
const namesAtOnce = 64
/** Folders of these names hold no logs, and no wild card goes into them. */
const noLogs = new Set(['/proc', '/sys', '/dev'])
/** Folders that are looked at in one tick although nothing was heard of them. */
const foldersATick = 8
/** A file that is gone is still read for so long: its service may write on in it, or make it anew. */
const lingerMs = 30_000
const tellAgainMs = 600_000
/** File systems stamp with a clock that stands still for so long, at most. */
const clockTickMs = 50

export interface MatchedFilesOptions {
  readonly pattern: string
  readonly exclude: readonly string[]
  /** Files that are followed at once, at most. */
  readonly limit: number
  readonly watches: Pick<Watches, 'listen' | 'unlisten' | 'tells'>
  readonly alarm: Alarm
  /** How long nothing may match before that is an alarm. */
  readonly patienceMs: number
  /** Called after the files have changed. */
  readonly changed: () => void
  /** How long the first look may take before the rest of it is done piece by piece. */
  readonly firstWorkMs?: number
}

/** The files that a pattern means now. Throws a `BailiffError` for a pattern that is none. */
export function filesMatching(pattern: string, exclude: readonly string[] = []): readonly string[] {
  const watches = { listen() {}, unlisten() {}, tells: () => true }
  const nobody = { limit: maxEntries, watches, alarm() {}, patienceMs: 0, changed() {}, firstWorkMs: Infinity }
  return new MatchedFiles({ pattern, exclude, ...nobody }).paths
}

interface Found {
  /** Whether it was not there at the first look. */
  readonly fresh: boolean
  /** When it was first seen to be gone, by the monotonic clock; null: it is there. */
  gone: number | null
}

interface Folder {
  places: readonly Place[]
  readonly hear: Hear
  /** The files in it that are followed. */
  readonly files: Set<string>
  /** As it was before it was listed last; null: it is to be listed again. */
  modified: number | null
}

interface Listing {
  readonly path: string
  readonly folder: Folder
  readonly names: Dir
  count: number
}

/**
 * The files that a pattern means: those that are there, and those that come. Folders are listed once, and again
 * only when the kernel tells of a change or their time stamp has changed; of a file that comes or goes, only that is
 * looked at.
 */
export class MatchedFiles {
  readonly pattern: PathPattern
  readonly #options: MatchedFilesOptions
  readonly #excluded: (path: string) => boolean
  readonly #roots: Map<string, Place[]>
  readonly #files = new Map<string, Found>()
  readonly #folders = new Map<string, Folder>()
  readonly #since = performance.now()
  /** Folders that cannot be read, and why. */
  readonly #closed = new Map<string, string>()
  #turn: string[] = []
  /** Folders that are to be listed, and the one that is being listed. */
  readonly #unlisted = new Set<string>()
  #listing: Listing | null = null
  #work: NodeJS.Timeout | null = null
  #settled = false
  #dirty = false
  /** How many there were when they were too many; 0: they are not. */
  #crowd = 0
  #told = new Map<string, number>()

  /** Throws a `BailiffError` for a pattern that is none. Looks at once; where there is much, the rest of it comes later. */
  constructor(options: MatchedFilesOptions) {
    this.#options = options
    this.pattern = new PathPattern(options.pattern)
    this.#excluded = excluding(options.exclude)
    this.#roots = this.pattern.roots()
    for (const [root, places] of this.#roots) this.#enter(root, places)
    this.#listSome(options.firstWorkMs ?? firstWorkMs)
    this.#dirty = false
  }

  /** The paths, with those first that others may be rotated files of. */
  get paths(): readonly string[] {
    return [...this.#files.keys()].toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))
  }

  has(path: string): boolean {
    return this.#files.has(path)
  }

  /** Whether the file was not there when the pattern was first looked for. */
  isFresh(path: string): boolean {
    return this.#files.get(path)?.fresh ?? false
  }

  /** Why nothing is read for it; null where something is. */
  get trouble(): string | null {
    if (this.#files.size > 0) return null
    const [closed] = this.#closed
    return closed === undefined ? 'no file matches it yet' : `${closed[0]}: ${closed[1]}`
  }

  /** To be called now and then: looks where the kernel is silent, lets go of what is gone, tells what is wrong. */
  tick(): void {
    for (const [root, places] of this.#roots) if (!this.#folders.has(root)) this.#enter(root, places)
    for (const folder of this.#due()) this.#look(folder)
    if (this.#work === null) this.#listSome(workMs)
    this.#letGo()
    // At first all are looked for, so that none is followed that others drive out.
    if (this.#settled) {
      this.#trim()
      this.#announce()
    }
    this.#tell()
  }

  stop(): void {
    if (this.#work !== null) clearTimeout(this.#work)
    this.#work = null
    this.#unlisted.clear()
    this.#closeListing()
    for (const [path, { hear }] of this.#folders) this.#options.watches.unlisten(path, hear)
    this.#folders.clear()
    this.#files.clear()
  }

  /** Folders that the kernel does not watch for us, the roots, and a share of the others. */
  #due(): string[] {
    if (this.#turn.length === 0) this.#turn = [...this.#folders.keys()]
    const share = this.#turn.splice(0, foldersATick)
    const silent = [...this.#folders.keys()].filter((path) => !this.#options.watches.tells(path))
    return [...new Set([...this.#roots.keys(), ...silent, ...share])]
  }

  #look(path: string): void {
    const folder = this.#folders.get(path)
    if (folder === undefined) return
    const modified = modifiedAt(path)
    if (modified === null) return this.#leave(path)
    // Another folder may stand here by now.
    this.#options.watches.listen(path, folder.hear)
    if (modified !== folder.modified) this.#list(path, folder)
  }

  #enter(path: string, places: readonly Place[]): void {
    const known = this.#folders.get(path)
    if (known !== undefined) {
      const more = places.filter((place) => !known.places.some((one) => same(one, place)))
      if (more.length === 0) return
      known.places = [...known.places, ...more]
      return this.#list(path, known)
    }
    if (modifiedAt(path) === null) return
    if (this.#folders.size >= maxFolders)
      return this.#alarm('folders', `more than ${maxFolders} folders are meant by it, and no more are looked at`)
    const files = new Set<string>()
    const folder: Folder = { places, files, modified: null, hear: (_event, name) => this.#heard(path, name) }
    this.#folders.set(path, folder)
    this.#options.watches.listen(path, folder.hear)
    this.#list(path, folder)
  }

  #leave(path: string): void {
    for (const [inner, { hear, files }] of this.#folders) {
      if (inner !== path && !inner.startsWith(`${path}/`)) continue
      this.#options.watches.unlisten(inner, hear)
      this.#folders.delete(inner)
      this.#closed.delete(inner)
      this.#unlisted.delete(inner)
      if (this.#listing?.path === inner) this.#closeListing()
      for (const file of files) this.#goes(file)
    }
  }

  #list(path: string, folder: Folder): void {
    folder.modified = settledAt(modifiedAt(path))
    const names = this.pattern.namesIn(folder.places)
    if (names === null) return void this.#unlisted.add(path)
    this.#closed.delete(path)
    for (const name of names) this.#consider(path, folder, name)
    this.#lookAtFiles(folder)
  }

  #lookAtFiles(folder: Folder): void {
    for (const file of folder.files) if (!isFile(file)) this.#goes(file)
  }

  #goes(file: string): void {
    const found = this.#files.get(file)
    if (found !== undefined) found.gone ??= performance.now()
  }

  /** Lists folders for so long. What is left is done soon. */
  #listSome(forMs: number): void {
    const until = performance.now() + forMs
    while (this.#listing !== null || this.#unlisted.size > 0) {
      if (performance.now() >= until) return this.#listLater()
      this.#listing ??= this.#nextListing()
      if (this.#listing !== null) this.#listPart(this.#listing)
    }
    if (this.#settled) return
    this.#settled = true
    this.#trim()
  }

  #listLater(): void {
    this.#work ??= setTimeout(() => {
      this.#work = null
      this.#listSome(workMs)
      if (this.#work !== null) return
      this.#trim()
      this.#announce()
    }, restMs).unref()
  }

  #nextListing(): Listing | null {
    const [path = ''] = this.#unlisted
    this.#unlisted.delete(path)
    const folder = this.#folders.get(path)
    if (folder === undefined) return null
    try {
      return { path, folder, names: opendirSync(path, { bufferSize: 512 }), count: 0 }
    } catch (error) {
      this.#noteClosed(path, error)
      return null
    }
  }

  #listPart(listing: Listing): void {
    const { path, folder, names } = listing
    try {
      for (let part = 0; part < namesAtOnce; part++) {
        const entry = names.readSync()
        if (entry !== null && ++listing.count <= maxEntries) {
          this.#consider(path, folder, entry.name, entry)
          continue
        }
        if (entry !== null) this.#alarm(path, `the folder has more than ${maxEntries} names, and no more are looked at`)
        this.#closeListing()
        this.#closed.delete(path)
        return this.#lookAtFiles(folder)
      }
    } catch (error) {
      this.#closeListing()
      this.#noteClosed(path, error)
    }
  }

  #closeListing(): void {
    this.#listing?.names.closeSync()
    this.#listing = null
  }

  #noteClosed(path: string, error: unknown): void {
    const denied = error instanceof Error && 'code' in error && error.code === 'EACCES'
    this.#closed.set(path, denied ? 'this user may not list the folder' : describeError(error))
  }

  #heard(path: string, name: string | null): void {
    const folder = this.#folders.get(path)
    if (folder === undefined) return
    if (name === null) this.#list(path, folder)
    else this.#consider(path, folder, name)
    if (this.#work === null) this.#listSome(workMs)
    // Which of too many are followed is decided at the next tick.
    if (this.#settled && this.#files.size <= this.#options.limit) this.#announce()
  }

  #announce(): void {
    if (!this.#dirty) return
    this.#dirty = false
    this.#options.changed()
  }

  /** Takes in what stands at a name of a folder, or notes that it is gone. */
  #consider(path: string, { places }: Folder, name: string, entry?: Dirent): void {
    const full = join(path, name)
    const known = this.#files.get(full)
    if (known !== undefined && known.gone === null && entry !== undefined) return
    const linked = entry === undefined || entry.isSymbolicLink()
    const step = this.pattern.step(places, name, entry === undefined ? isLink(full) : linked)
    if (!step.file && step.places.length === 0) return
    const stat = entry !== undefined && !linked ? entry : statOf(full)
    if (stat?.isDirectory() && step.places.length > 0) {
      if (!noLogs.has(full)) this.#enter(full, step.places)
      return
    }
    if (stat === null && this.#folders.has(full)) this.#leave(full)
    if (!step.file) return
    if (!stat?.isFile()) this.#goes(full)
    else if (known !== undefined) known.gone = null
    else if (!this.#isPassedOver(path, name)) this.#take(full)
  }

  #take(file: string): void {
    if (this.#files.size >= maxFiles)
      return this.#alarm('files', `it means more than ${maxFiles} files, and no more are looked at`)
    this.#files.set(file, { fresh: this.#settled, gone: null })
    this.#folders.get(dirname(file))?.files.add(file)
    this.#dirty = true
  }

  #drop(file: string): void {
    this.#files.delete(file)
    this.#folders.get(dirname(file))?.files.delete(file)
    this.#dirty = true
  }

  /** What is excluded, compressed, or the older part of a log that is followed: that is read by the reader of the log. */
  #isPassedOver(folder: string, name: string): boolean {
    const path = join(folder, name)
    if (isArchive(name) || this.#excluded(path)) return true
    const base = rotationBase(name)
    if (base === null) return false
    const log = join(folder, base)
    if (this.#files.has(log)) return true
    return this.pattern.matches(log) && !this.#excluded(log) && isFile(log)
  }

  #letGo(): void {
    const now = performance.now()
    for (const [path, found] of this.#files) {
      if (found.gone === null || now - found.gone < lingerMs) continue
      if (isFile(path)) found.gone = null
      else this.#drop(path)
    }
  }

  /**
   * Of too many files those that were written last are followed, of each folder as many as of the others: who may
   * write into one of them makes thousands of files, and is not to drive out those of all others.
   */
  #trim(): void {
    const { limit } = this.#options
    if (this.#files.size <= limit) return
    const byAge = [...this.#files.keys()]
      .map((path) => ({ path, folder: dirname(path), modified: modifiedAt(path) ?? 0 }))
      .toSorted((a, b) => b.modified - a.modified)
    const seen = new Map<string, number>()
    const ranked = byAge.map((file) => {
      const rank = seen.get(file.folder) ?? 0
      seen.set(file.folder, rank + 1)
      return { ...file, rank }
    })
    // The sort keeps the order of age among those of one rank.
    for (const { path } of ranked.toSorted((a, b) => a.rank - b.rank).slice(limit)) this.#drop(path)
    this.#crowd = byAge.length
  }

  #tell(): void {
    const { limit, patienceMs } = this.#options
    if (this.#crowd > 0)
      this.#alarm(
        'files',
        `it means ${this.#crowd} files, and only the ${limit} that were written last are read; name fewer, exclude some, or raise "limit"`,
      )
    this.#crowd = 0
    for (const [path, why] of this.#closed)
      this.#alarm(
        path,
        `${path} cannot be searched: ${why}; let the agent read it, for example with "chgrp adm" and "chmod g+rx"`,
      )
    if (this.trouble === null) this.#told.delete('nothing')
    else if (this.#closed.size === 0 && performance.now() - this.#since >= patienceMs)
      this.#alarm(
        'nothing',
        `${this.trouble}, so nothing is read for it; correct it, or start the service that writes such logs`,
      )
  }

  /** Each thing at once, then every ten minutes at most; what nothing matches only once. */
  #alarm(what: string, message: string): void {
    const told = this.#told.get(what)
    const now = performance.now()
    if (told !== undefined && (what === 'nothing' || now - told < tellAgainMs)) return
    if (this.#told.size > 1000) this.#told.clear()
    this.#told.set(what, now)
    this.#options.alarm(this.pattern.text, message)
  }
}

function same(a: Place, b: Place): boolean {
  return a.alternative === b.alternative && a.segments === b.segments
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path)
  } catch {
    return null
  }
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    return false
  }
}

/** When a file or the list of names of a folder was changed last, unix ms; null: there is none. */
function modifiedAt(path: string): number | null {
  return statOf(path)?.mtimeMs ?? null
}

/** A stamp that is to be compared later; null where it is so young that what changes now would have the same. */
function settledAt(modified: number | null): number | null {
  return modified !== null && Date.now() - modified > clockTickMs ? modified : null
}
