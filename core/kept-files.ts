/**
 * What is quicker read than made again: small files in a folder of the user's own, which anybody may delete at any time.
 * They are read only where nobody else can have written them, since they decide what is found.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
} from 'node:fs'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeptTables } from './plugin.ts'

/** Files that are kept, and bytes of one, at most. */
const [mostFiles, mostBytes] = [64, 8 << 20]
const checksumBytes = 32
const writableByOthers = 0o022

export class KeptFiles implements KeptTables {
  readonly #folder: string

  /** The folder is made when there is something to keep. */
  constructor(folder: string) {
    this.#folder = folder
  }

  read(key: string): Uint8Array | null {
    try {
      if (!isOwn(lstatSync(this.#folder))) return null
      const file = openSync(this.#placeOf(key), constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        const stat = fstatSync(file)
        if (!stat.isFile() || !isOwn(stat) || stat.size > mostBytes) return null
        const bytes = readFileSync(file)
        const content = bytes.subarray(checksumBytes)
        return checksum(content).equals(bytes.subarray(0, checksumBytes)) ? content : null
      } finally {
        closeSync(file)
      }
    } catch {
      return null
    }
  }

  write(key: string, content: Uint8Array): void {
    if (content.length > mostBytes - checksumBytes) return
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      if (!isOwn(lstatSync(this.#folder))) return
      const place = this.#placeOf(key)
      const fresh = `${place}.${process.pid}`
      // In one step, for somebody may be reading; `wx` follows no link.
      writeFileSync(fresh, Buffer.concat([checksum(content), content]), { mode: 0o600, flag: 'wx' })
      renameSync(fresh, place)
      this.#forgetOldest()
    } catch {
      // Then it is made again next time.
    }
  }

  #placeOf(key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'))
  }

  #forgetOldest(): void {
    const files = readdirSync(this.#folder)
    if (files.length <= mostFiles) return
    const byAge = files
      .map((name) => ({ name, at: statSync(join(this.#folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .toSorted((a, b) => a.at - b.at)
    for (const { name } of byAge.slice(0, files.length - mostFiles)) rmSync(join(this.#folder, name), { force: true })
  }
}

function checksum(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest()
}

function isOwn({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return uid === process.geteuid?.() && (mode & writableByOthers) === 0
}
