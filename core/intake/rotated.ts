import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { FilePosition } from '../events.ts'
import { type LogFile, tryOpen } from './log-file.ts'

/** A file beside a log that may hold an older generation of it. */
interface Neighbour {
  readonly path: string
  readonly stat: BigIntStats
  /** Nanoseconds: its birth, or its last write where the file system keeps no birth. */
  readonly born: bigint
  /** Grows with age: 2 for `auth.log.2`; less than 0 for dates. Tells apart what was born at once. */
  readonly age: number
}

/** More files than this are not looked at in one folder: rotation keeps dozens. */
const maxNeighbours = 10_000

/** While a folder changes under our hands it is listed again so often. */
const maxTries = 10

/** Which generations are wanted. */
export interface Wanted {
  readonly after: LogFile
  /** The file at the path, or one that was there: what is younger than it is not wanted. */
  readonly before?: LogFile | undefined
  /** Unix milliseconds: what was born earlier is not wanted. */
  readonly since: number
  readonly known: (file: LogFile) => boolean
  readonly limit: number
}

/**
 * The generations of the log at `path` that are wanted, opened, oldest first: files named as rotation
 * names them. One that is a copy of the file before it is no generation;
 * an empty one is none either: it may be a copy in the making.
 */
export function openYounger(path: string, wanted: Wanted): LogFile[] {
  for (let tries = 1; ; tries++) {
    const found = younger(path, wanted).map(openNeighbour)
    const files = found.filter((file) => file !== null)
    // A rotation that is under way gives names away under our hands: then look again.
    if (files.length === found.length || tries === maxTries) return generationsAmong(files, wanted)
    for (const file of files) file.close()
  }
}

function younger(path: string, { after, before, since }: Wanted): Neighbour[] {
  const all = neighbours(path)
  const last = before && all.find(({ stat }) => before.is(stat))
  // A file that is gone from the folder is older than what was born with it.
  const first = all.find(({ stat }) => after.is(stat)) ?? { born: after.birth, age: Infinity }
  return all
    .filter(({ stat }) => !after.is(stat) && !before?.is(stat))
    .filter((other) => Number(other.born / 1_000_000n) >= since)
    .filter((other) => compare(other, first) > 0 && (last === undefined || compare(other, last) < 0))
    .toSorted(compare)
}

function generationsAmong(files: readonly LogFile[], { after, known, limit }: Wanted): LogFile[] {
  return files
    .filter((file) => keep(file, file.size > 0 && !known(file) && !file.copies(after)))
    .filter((file, index) => keep(file, index < limit))
}

/**
 * The file in which the position was taken, wherever it is now in the folder of the log, or a copy of
 * it that reaches as far (`copytruncate`); opened and set to the position. Null where there is none.
 */
export function openHolder(path: string, position: FilePosition): LogFile | null {
  return openRenamed(path, position) ?? openCopy(path, position)
}

/** The longest file named as rotation names them that holds what the file of the position (`of`, where it is known) held. */
export function openCopy(path: string, position: FilePosition, of?: LogFile): LogFile | null {
  const copies = neighbours(path)
    .map(({ path: name }) => tryOpen(name))
    .filter((file) => file !== null)
    .filter((file) => keep(file, file.holds(position) && (of === undefined || file.mayGoOn(of))))
    .toSorted((a, b) => b.size - a.size || Number(b.birth - a.birth))
  for (const shorter of copies.slice(1)) shorter.close()
  return copies[0]?.resume(position) ?? null
}

function openRenamed(path: string, position: FilePosition): LogFile | null {
  for (const folder of folders(path)) {
    for (const name of list(folder)) {
      if (String(tryStat(join(folder, name))?.ino) !== position.inode) continue
      const file = tryOpen(join(folder, name))
      if (file !== null && keep(file, file.fits(position))) return file.resume(position)
    }
  }
  return null
}

/** The files beside a log as two listings in a row show them: one listing may miss a file that is just renamed. */
function neighbours(path: string): Neighbour[] {
  let before = listNeighbours(path)
  for (let tries = 1; tries < maxTries; tries++) {
    const again = listNeighbours(path)
    if (nameAll(again) === nameAll(before)) return again
    before = again
  }
  return before
}

function nameAll(neighbours: readonly Neighbour[]): string {
  return neighbours.map(({ path, stat }) => `${path}\0${stat.ino}`).join('\0')
}

/** Opens the file that was listed; null where its name is another file's by now, or nobody's. */
function openNeighbour({ path, stat }: Neighbour): LogFile | null {
  const file = tryOpen(path)
  return file !== null && keep(file, file.is(stat)) ? file : null
}

function listNeighbours(path: string): Neighbour[] {
  const found: Neighbour[] = []
  const target = linkTarget(path)
  for (const folder of folders(path)) {
    for (const name of list(folder)) {
      const age = ageOf(basename(path), name) ?? (target === null ? null : dateOf(basename(target), name))
      const stat = age === null ? null : tryStat(join(folder, name))
      if (age === null || stat === null || !stat.isFile()) continue
      found.push({ path: join(folder, name), stat, born: stat.birthtimeNs || stat.mtimeNs, age })
    }
  }
  return found
}

/** The log that a file of this name is surely an older part of, if there is such a log: `auth.log` of `auth.log.1`; null: of none. */
export function rotationBase(name: string): string | null {
  const found = /^(.+?)(?:\.\d{1,5}|[._-]\d{4}[\dT:Z._+-]{2,40}|[._-](?:old|bak|prev|save)|~)$/.exec(name)
  return found?.[1] ?? null
}

/** Whether the name is that of a compressed file or an archive, which is no log to follow. */
export function isArchive(name: string): boolean {
  return /\.(?:gz|bz2|xz|zst|lz4|lzo|lzma|br|Z|zip|7z|tgz|tar)$/.test(name)
}

/** How old the name says a rotated file is: `auth.log.1`, `auth.log-20250131`, `auth-20250131.log`, `auth.log.old`. */
function ageOf(base: string, name: string): number | null {
  const extension = extname(base)
  const stem = base.slice(0, base.length - extension.length)
  if (name === base || !name.startsWith(stem)) return null
  const middle = name.startsWith(base)
    ? name.slice(base.length)
    : name.endsWith(extension)
      ? name.slice(stem.length, name.length - extension.length)
      : ''
  if (/^[.~_-](?:old|bak|prev|save)?$/.test(middle)) return 1
  if (!/^[._-]\d[\dT:Z._+-]{0,40}$/.test(middle)) return null
  const digits = digitsOf(middle)
  return digits < 10_000 ? digits : -digits
}

/** For a link: the age of a file that is named like its target but for the digits, which grow with time. */
function dateOf(target: string, name: string): number | null {
  const shape = (text: string) => text.replace(/\d+/g, '#')
  return name !== target && shape(name) === shape(target) ? -digitsOf(name) : null
}

function digitsOf(text: string): number {
  return Number(text.replace(/\D/g, '').slice(0, 15))
}

/** The older one first. Numbers tell more than births: a copy is born after the file that goes on. */
function compare(a: Pick<Neighbour, 'born' | 'age'>, b: Pick<Neighbour, 'born' | 'age'>): number {
  if (a.age > 0 && b.age > 0 && a.age !== b.age && b.age !== Infinity) return b.age - a.age
  if (a.born !== b.born) return a.born < b.born ? -1 : 1
  return a.age === b.age ? 0 : b.age - a.age
}

/** The folder of the log and, for a link, that of its target. */
function folders(path: string): string[] {
  const target = linkTarget(path)
  return [...new Set([dirname(path), dirname(target ?? path)])]
}

function linkTarget(path: string): string | null {
  try {
    return resolve(dirname(path), readlinkSync(path))
  } catch {
    return null
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).slice(0, maxNeighbours)
  } catch {
    return []
  }
}

/** Does not follow links: who may write to the folder must not choose what is read beside the log. */
function tryStat(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true })
  } catch {
    return null
  }
}

function keep(file: LogFile, wanted: boolean): boolean {
  if (!wanted) file.close()
  return wanted
}
