import { closeSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { SchemaError } from './schema.ts'

/** What tells the files of an open store apart from others that may take their names. */
export interface FileIdentity {
  readonly store: string
  readonly log: string
}

/** Remembers the files of a store that was just opened. */
export function identify(path: string): FileIdentity {
  return { store: identityOf(path), log: identityOf(`${path}-wal`) }
}

/**
 * Throws `SchemaError` when the files of an open store are not those that were opened, or plainly not
 * sound: SQLite itself would go on writing to files that nobody can open again. Costs a few system
 * calls; what lies inside the pages is not looked at.
 */
export function checkFiles(path: string, identity: FileIdentity): void {
  const now = identify(path)
  if (now.store !== identity.store || now.log !== identity.log) throw new SchemaError('it was replaced or removed')
  const { head, size } = readHead(path)
  // https://sqlite.org/fileformat2.html, 1.3: page size at 16 (1 is 65536), pages at 28.
  if (head.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new SchemaError('its header is damaged')
  const pageSize = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16)
  if (size < pageSize * head.readUInt32BE(28)) throw new SchemaError('it was truncated')
  const log = readHead(`${path}-wal`)
  // 4.1: the magic number of the write-ahead log, whose last bit tells the byte order of its checksums.
  if (log.size > 0 && (log.head.readUInt32BE(0) & ~1) >>> 0 !== 0x377f0682) {
    throw new SchemaError('its write-ahead log is damaged')
  }
}

function identityOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  return stat?.isFile() ? `${stat.dev}:${stat.ino}` : 'none'
}

function readHead(path: string): { readonly head: Buffer; readonly size: number } {
  const fd = openSync(path, 'r')
  try {
    const head = Buffer.alloc(100)
    readSync(fd, head, 0, head.length, 0)
    return { head, size: fstatSync(fd).size }
  } finally {
    closeSync(fd)
  }
}
