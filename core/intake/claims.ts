import { dirname } from 'node:path'
import type { FilePosition } from '../events.ts'
import type { LogFile } from './log-file.ts'

/** One who reads files. */
export interface Reader {
  readonly path: string
}

interface Claim {
  readonly by: Reader
  readonly folder: string
  /** Null where it is known by its identity alone: a copy, which is not read. */
  readonly file: LogFile | null
  /** How far it was read, once the reader has closed it; null: it has it open. */
  left: FilePosition | null
}

const maxLeft = 4096

/**
 * Which reader a file belongs to. A pattern may mean the names of rotated files as well: `app.1.log` is then a
 * log with a reader of its own, but what stands there after a rotation is what the reader of `app.log` reads.
 * So a file belongs to the first who opened it, whatever its name becomes, and once that one has closed it,
 * another goes on where it stopped. Readers for different sources share files freely.
 */
export class Claims {
  readonly #claims = new Map<string, Claim>()
  readonly #related: (path: string, other: string) => boolean

  /** `related` tells whether one source follows both paths. */
  constructor(related: (path: string, other: string) => boolean) {
    this.#related = related
  }

  /** Whether the file is another's that has it open. */
  isOthers(file: FileIdentity | LogFile, reader: Reader): boolean {
    const claim = this.#claims.get(identify(file))
    return (
      claim !== undefined && claim.by !== reader && claim.left === null && this.#related(claim.by.path, reader.path)
    )
  }

  /** Where another stopped in this file; null: nobody did. */
  leftAt(file: LogFile, reader: Reader): FilePosition | null {
    const claim = this.#claims.get(identify(file))
    if (claim === undefined || claim.left === null || !this.#related(claim.by.path, reader.path)) return null
    return file.fits(claim.left) ? claim.left : null
  }

  /** Whether another has it open, or has read it. */
  isKnown(file: LogFile, reader: Reader): boolean {
    return this.isOthers(file, reader) || this.leftAt(file, reader) !== null
  }

  claim(file: LogFile, by: Reader): void {
    const key = identify(file)
    const known = this.#claims.get(key)
    if (known?.file === file || (known !== undefined && known.by !== by && known.left === null)) return
    this.#claims.delete(key)
    this.#claims.set(key, { by, folder: dirname(by.path), file, left: null })
  }

  /**
   * Whether the file is a copy of one beside it that another has open, as `copytruncate` makes them: what stands in
   * it is that one's, and from now on it is known to be.
   */
  isCopy(file: LogFile, reader: Reader): boolean {
    const folder = dirname(reader.path)
    for (const claim of this.#claims.values()) {
      const { by, file: other, left } = claim
      if (other === null || left !== null || by === reader || claim.folder !== folder || !file.copies(other)) continue
      if (!this.#related(by.path, reader.path)) continue
      this.#claims.set(identify(file), { ...claim, file: null })
      return true
    }
    return false
  }

  /** The reader has closed the file. */
  leave(file: LogFile, by: Reader): void {
    const key = identify(file)
    const claim = this.#claims.get(key)
    if (claim?.by !== by) return
    this.#claims.delete(key)
    this.#claims.set(key, { ...claim, file: null, left: file.position(by.path) })
    this.#forget()
  }

  /** The reader reads no more. */
  drop(by: Reader): void {
    for (const [key, claim] of this.#claims) if (claim.by === by && claim.left === null) this.#claims.delete(key)
  }

  #forget(): void {
    if (this.#claims.size < 2 * maxLeft) return
    let left = [...this.#claims.values()].filter((claim) => claim.left !== null).length
    for (const [key, claim] of this.#claims) {
      if (left <= maxLeft) return
      if (claim.left === null) continue
      this.#claims.delete(key)
      left--
    }
  }
}

/** What `stat` says of a file that makes it this one. */
export interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
  readonly birthtimeNs: bigint
}

function identify(file: FileIdentity | LogFile): string {
  if ('fd' in file) return `${file.device}:${file.inode}:${file.birth}`
  return `${file.dev}:${file.ino}:${file.birthtimeNs}`
}
