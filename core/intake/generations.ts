import { lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FilePosition } from '../events.ts'
import type { Claims } from './claims.ts'
import { type LogFile, openLog, statLog, tryOpen } from './log-file.ts'
import { Moment } from './moment.ts'
import { openCopy, openHolder, openYounger } from './rotated.ts'

/** Generations that wait to be read. More than these between two looks are given up. */
const maxWaiting = 64
/** A writer may go on for a while in a file that was rotated away; so long it is listened to. */
const listenMs = 60_000
const maxListened = 4
const maxRemembered = 256
/** File systems stamp a birth with a clock that lags up to one tick behind. */
const clockLagMs = 50

/**
 * The generations of one log, in the order in which they were written: the oldest that is not done
 * with, those that came after, and last the file at the path. What is found is opened at once, so that
 * nothing is lost when it is rotated further or deleted before its turn comes.
 */
export class Generations {
  readonly path: string
  #files: LogFile[] = []
  #left: { readonly file: LogFile; readonly since: Moment }[] = []
  /** How far files were read that are closed now: a link may come back to one. */
  readonly #closed = new Map<string, FilePosition>()
  /** When the path was last seen to be the youngest generation; null until then. */
  #seen: Moment | null = null
  #position: FilePosition | null
  /** The stamp of the folder when it was searched last for what is missing; null: it is to be searched again. */
  #names: number | null = null
  readonly #claims: Claims
  readonly #fresh: boolean

  /**
   * Goes on at the position where a file fits it, also one that has another name now. `fresh`: there was no file at
   * the path a moment ago, so all that stands in it is new.
   */
  constructor(path: string, position: FilePosition | null, claims: Claims, fresh: boolean) {
    this.path = path
    this.#position = position
    this.#claims = claims
    this.#fresh = fresh
  }

  /** Whether the saved position was found again. */
  resumed = false

  /** Where reading stands; null before anything was opened and nothing was saved. */
  get position(): FilePosition | null {
    return this.#files[0]?.position(this.path) ?? this.#position
  }

  get behind(): number {
    return this.#files.reduce((sum, file) => sum + Math.max(0, file.size - file.offset), 0)
  }

  /**
   * Finds what is new at the path and beside it. `busy` is being scanned now, so a truncation of it
   * waits. Throws where there is no readable regular file at the path; what was found before stands.
   */
  look(busy: LogFile | null): void {
    try {
      this.#lookAll(busy)
    } finally {
      for (const file of this.#files) this.#claims.claim(file, this)
    }
  }

  /** Whether there is more than the file at the path: then it is to be looked at although nothing is heard. */
  get unsettled(): boolean {
    return this.#files.length !== 1 || this.#left.length > 0
  }

  #lookAll(busy: LogFile | null): void {
    // Taken first: the machine may stand still at any point of the look, and what is born then is not seen by it.
    const began = new Moment()
    if (this.#files.length === 0) this.#resume()
    const tip = this.#files.at(-1)
    if (tip !== undefined && tip !== busy) this.#lookAt(tip)
    const youngest = this.#files.at(-1)
    if (youngest === undefined) this.#begin()
    else this.#lookAtPath(youngest)
    // An empty file says nothing of what was written, copied and truncated since it was last full.
    if ((tip !== busy || busy === null) && this.#files.at(-1)?.size !== 0) this.#seen = began
  }

  /** Takes into memory what was appended since the last look, before anything can happen to it. */
  hold(): void {
    this.#files.at(-1)?.look()
  }

  /** The next file with bytes to scan; null where all is read. Leaves files that are done with. */
  next(): LogFile | null {
    const late = this.#lateWrites()
    if (late !== undefined) return late
    for (const file of this.#files.slice(0, -1)) if (!file.look()) file.size = file.offset
    while (this.#files.length > 1 && !this.#files[0]?.hasNews) {
      // A writer keeps its old file until the new one has something: only then the old one is left.
      if (!this.#files.slice(1).some((file) => file.size > 0)) break
      const [file] = this.#files.splice(0, 1)
      if (file !== undefined && !file.frozen) this.#leave(file)
    }
    const [file] = this.#files
    if (!file?.hasNews) return null
    // What was there before we came was no copy of anything that we read.
    if (file.scannedEnd > 0 || file.oldEnd < Infinity || !this.#claims.isCopy(file, this)) return file
    this.#files.shift()?.close()
    return this.next()
  }

  /** Whether a position in this file is the position of the log; not so for one that was left. */
  holdsPosition(file: LogFile): boolean {
    return file === this.#files[0]
  }

  /** All has been read: what comes from now on is written while we watch. */
  caughtUp(): void {
    for (const file of this.#files) file.caughtUp = true
  }

  /** Closes files that were left long ago. Never to be called while one is being scanned. */
  expire(): void {
    while (this.#left.length > maxListened || (this.#left[0] && this.#left[0].since.ageMs > listenMs)) {
      const gone = this.#left.shift()
      if (gone !== undefined) this.#close(gone.file)
    }
  }

  close(): void {
    this.#position = this.position
    for (const file of new Set([...this.#files, ...this.#left.map((left) => left.file)])) {
      this.#claims.leave(file, this)
      file.close()
    }
    this.#claims.drop(this)
    this.#files = []
    this.#left = []
  }

  /** The saved position is kept until there is a file at the path: its folder may not be mounted yet. */
  #resume(): void {
    if (this.#position === null) return
    const file = this.#openFitting(this.#position) ?? openHolder(this.path, this.#position)
    if (file === null) return
    this.resumed = true
    this.#position = null
    this.#files.push(file)
    this.#markOld(file)
  }

  #openFitting(position: FilePosition): LogFile | null {
    const file = tryOpen(this.path)
    if (file === null || file.fits(position)) return file?.resume(position) ?? null
    file.close()
    return null
  }

  #begin(): void {
    const file = this.#recall(openLog(this.path))
    if (this.#claims.isOthers(file, this)) return file.close()
    this.#files.push(file)
    this.#position = null
    this.#markOld(file)
    file.isUnknown = file.oldEnd < Infinity && file.offset === 0
    // Nothing was saved: what stands beside it now is old, and what comes from now on is not.
    if (!this.resumed) this.#seen ??= new Moment()
  }

  #markOld(file: LogFile): void {
    if (this.#seen === null && !this.#fresh) file.oldEnd = file.size
  }

  #lookAt(tip: LogFile): void {
    const wasEmpty = tip.size === 0
    if (!tip.look()) this.#rewritten(tip)
    // What had no head cannot be told from what was written, copied and truncated meanwhile.
    else if (wasEmpty && tip.size > 0 && this.#seen !== null) this.#files.splice(-1, 0, ...this.#younger(tip, tip))
  }

  #lookAtPath(youngest: LogFile): void {
    if (this.#files.length >= maxWaiting) return
    try {
      const stat = statLog(this.path)
      if (!youngest.is(stat) && !this.#claims.isOthers(stat, this)) this.#replaced(youngest)
    } catch (error) {
      // Nothing stands at the path now; a file that did meanwhile may have been rotated away already.
      const names = stampOfNames(this.path)
      if (names === null || names !== this.#names) this.#files.push(...this.#younger(youngest))
      this.#names = names
      throw error
    }
  }

  /** Another file has taken the path: what was between the two, and it. */
  #replaced(old: LogFile): void {
    const file = this.#recall(openLog(this.path))
    this.#files.push(...this.#younger(old, file), file)
  }

  /** The file at the path was truncated: the rest of what it held may stand in a copy beside it. */
  #rewritten(old: LogFile): void {
    this.#files.pop()
    const copy = this.#openCopy(old)
    const regrown = old.regrown()
    if (copy === null && old.freeze()) this.#files.push(old)
    // A copy that is being made now holds what is read from the file itself.
    const [made, younger] = partition(this.#younger(copy ?? old, old), (file) => file.copies(regrown))
    for (const file of made) file.close()
    this.#files.push(...younger, regrown)
  }

  /** Puts the copy of a truncated file in its place; null where there is none. */
  #openCopy(old: LogFile): LogFile | null {
    const copy = openCopy(this.path, old.position(this.path), old)
    const listed = copy && this.#files.find((file) => file.is(stamp(copy)))
    if (copy === null || !listed) {
      if (copy !== null) this.#files.push(copy)
      return copy
    }
    copy.close()
    return listed.offset < old.offset ? listed.resume(old) : listed
  }

  #younger(after: LogFile, before?: LogFile): LogFile[] {
    const known = (file: LogFile) => this.#knows(file) || this.#claims.isKnown(file, this)
    const limit = Math.max(0, maxWaiting - this.#files.length)
    return openYounger(this.path, { after, before, since: (this.#seen?.earliest ?? 0) - clockLagMs, known, limit })
  }

  /** A file that was read before, or is open already, is read from where it was left. */
  #recall(file: LogFile): LogFile {
    const open = [...this.#files, ...this.#left.map((left) => left.file)].find((other) => other.is(stamp(file)))
    if (open !== undefined) {
      file.close()
      this.#files = this.#files.filter((other) => other !== open)
      this.#left = this.#left.filter((left) => left.file !== open)
      return open
    }
    const position = this.#closed.get(key(file)) ?? this.#claims.leftAt(file, this)
    return position !== null && file.fits(position) ? file.resume(position) : file
  }

  #knows(file: LogFile): boolean {
    const position = this.#closed.get(key(file))
    if (position !== undefined && file.fits(position)) return true
    return this.#files.some((other) => other.is(stamp(file))) || this.#left.some((left) => left.file.is(stamp(file)))
  }

  #lateWrites(): LogFile | undefined {
    for (const { file } of this.#left) {
      // Written anew, as by `cp` over an older copy: not what we listened to.
      if (!file.look()) file.size = file.offset
      else if (file.hasNews) return file
    }
    return undefined
  }

  #leave(file: LogFile): void {
    this.#left.push({ file, since: new Moment() })
  }

  #close(file: LogFile): void {
    this.#closed.set(key(file), file.position(this.path))
    this.#claims.leave(file, this)
    for (const oldest of this.#closed.keys()) {
      if (this.#closed.size <= maxRemembered) break
      this.#closed.delete(oldest)
    }
    file.close()
  }
}

/** Changes with the names in the folder of a path; null where a change might not be seen: it is young, or the path is a link. */
function stampOfNames(path: string): number | null {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return null
  const modified = statSync(dirname(path), { throwIfNoEntry: false })?.mtimeMs ?? null
  return modified !== null && Date.now() - modified > clockLagMs ? modified : null
}

function partition<T>(all: readonly T[], test: (each: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((each) => !test(each))]
}

function key(file: LogFile): string {
  return `${file.device}:${file.inode}:${file.birth}`
}

function stamp(file: LogFile) {
  return { dev: file.device, ino: file.inode, birthtimeNs: file.birth }
}
