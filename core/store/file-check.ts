import { closeSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { SchemaError } from './schema.ts'

/**
 * The files of an open store, looked at beside SQLite, which would itself go on writing to files that
 * nobody can open again. They stay open for as long as the store does: on POSIX, closing any descriptor
 * of a file gives up all locks that the process has on it, SQLite's too.
 */
export class StoreFiles {
  readonly #path: string
  readonly #store: WatchedFile
  readonly #log: WatchedFile

  /** Of a store that was just opened. Throws what `open` throws. */
  constructor(path: string) {
    this.#path = path
    this.#store = new WatchedFile(path)
    this.#log = new WatchedFile(`${path}-wal`)
  }

  /**
   * Throws `SchemaError` when the files at these paths are not those that were opened, or plainly not
   * sound. Costs a few system calls; what lies inside the pages is not looked at.
   */
  check(): void {
    for (const file of [this.#store, this.#log]) {
      if (!file.isAtItsPath()) throw new SchemaError('it was replaced or removed')
    }
    const { head, size } = this.#store.read()
    // https://sqlite.org/fileformat2.html, 1.3: page size at 16 (1 is 65536), pages at 28.
    if (head.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new SchemaError('its header is damaged')
    const pageSize = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16)
    if (size < pageSize * head.readUInt32BE(28)) throw new SchemaError('it was truncated')
    const log = this.#log.read()
    // 4.1: the magic number of the write-ahead log, whose last bit tells the byte order of its checksums.
    if (log.size > 0 && (log.head.readUInt32BE(0) & ~1) >>> 0 !== 0x377f0682) {
      throw new SchemaError(`its write-ahead log ${this.#path}-wal is damaged`)
    }
  }

  /** To be called when SQLite has closed them. */
  close(): void {
    this.#store.close()
    this.#log.close()
  }
}

class WatchedFile {
  readonly #path: string
  readonly #fd: number

  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, 'r')
  }

  isAtItsPath(): boolean {
    const there = lstatSync(this.#path, { throwIfNoEntry: false, bigint: true })
    const opened = fstatSync(this.#fd, { bigint: true })
    return there?.dev === opened.dev && there.ino === opened.ino
  }

  read(): { readonly head: Buffer; readonly size: number } {
    const head = Buffer.alloc(100)
    readSync(this.#fd, head, 0, head.length, 0)
    return { head, size: fstatSync(this.#fd).size }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
