/**
 * Looks at the tarball of a package before anything unpacks it. Tarballs are written by enemies: what leads out of the
 * package, is no plain file, stands there twice or is too much is refused, and nothing is written.
 * The format is that of pax (IEEE Std 1003.1) as npm writes it, with the long names of GNU tar.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { BailiffError, describeError, quote } from '../errors.ts'

/** What one package may have at most, packed and unpacked. */
export const maxPacked = 32 * 1024 * 1024
const maxUnpacked = 128 * 1024 * 1024
const maxEntries = 5000
const maxPathLength = 512
/** Of what is read and not only counted: `package.json`, and headers of the format. */
const maxText = 1 << 20
const block = 512

/** What is in a tarball. */
export interface TarballContent {
  /** SHA-512 of the tarball, as npm writes it. */
  readonly integrity: string
  /** Lengths of the files by their path in the package, without the folder that all are in. */
  readonly files: ReadonlyMap<string, number>
  /** The text of `package.json`. */
  readonly packageJson: string
}

/** Reads a tarball. Throws a BailiffError where it is none, is damaged, or holds what no package may. */
export async function readTarball(file: string): Promise<TarballContent> {
  const packed = createHash('sha512')
  const reader = new TarReader(file)
  let size = 0
  const input = createReadStream(file)
  const unzip = createGunzip()
  input.on('data', (part) => {
    packed.update(part)
    size += part.length
    if (size > maxPacked) input.destroy(refusal(file, `it is larger than ${maxPacked / 1024 / 1024} MiB`))
  })
  input.on('error', (error) => unzip.destroy(error))
  try {
    for await (const part of input.pipe(unzip)) reader.take(part as Buffer)
  } catch (error) {
    if (error instanceof BailiffError) throw error
    throw refusal(file, `it cannot be unpacked: ${describeError(error)}`)
  } finally {
    input.destroy()
    unzip.destroy()
  }
  return { integrity: `sha512-${packed.digest('base64')}`, ...reader.end() }
}

/** An entry whose bytes are being read. */
interface Open {
  /** What becomes of its bytes: `skip` only counts them. */
  readonly use: 'skip' | 'package.json' | 'pax' | 'long name'
  readonly parts: Buffer[]
  left: number
  padding: number
}

class TarReader {
  readonly #file: string
  readonly #files = new Map<string, number>()
  #packageJson: string | null = null
  #folder: string | null = null
  #rest: Buffer = Buffer.alloc(0)
  #open: Open | null = null
  /** What headers before an entry say of it in place of its own. */
  #next: { path?: string; size?: number } = {}
  #bytes = 0
  #entries = 0
  #ended = false

  constructor(file: string) {
    this.#file = file
  }

  take(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > maxUnpacked) throw this.#refuse(`it unpacks to more than ${maxUnpacked / 1024 / 1024} MiB`)
    let data = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part])
    // Another program may go on behind one empty block, and unpack what nobody looked at.
    if (this.#ended && part.some((byte) => byte !== 0)) throw this.#refuse('something stands behind its end')
    while (data.length > 0 && !this.#ended) {
      if (this.#open === null) {
        if (data.length < block) break
        this.#header(data.subarray(0, block))
        data = data.subarray(block)
        if (this.#ended && data.some((byte) => byte !== 0)) throw this.#refuse('something stands behind its end')
      } else data = this.#content(this.#open, data)
    }
    this.#rest = this.#ended ? Buffer.alloc(0) : Buffer.from(data)
  }

  end(): { files: ReadonlyMap<string, number>; packageJson: string } {
    if (this.#open !== null || this.#rest.length > 0) throw this.#refuse('it is cut off')
    if (this.#packageJson === null) throw this.#refuse('it has no package.json, so it is no package')
    return { files: this.#files, packageJson: this.#packageJson }
  }

  #content(open: Open, data: Buffer): Buffer {
    const taken = data.subarray(0, open.left)
    if (open.use !== 'skip') open.parts.push(Buffer.from(taken))
    open.left -= taken.length
    if (open.left > 0) return data.subarray(taken.length)
    const padding = Math.min(open.padding, data.length - taken.length)
    open.padding -= padding
    if (open.padding === 0) this.#close(open)
    return data.subarray(taken.length + padding)
  }

  #close({ use, parts }: Open): void {
    this.#open = null
    if (use === 'package.json') this.#packageJson = Buffer.concat(parts).toString('utf8')
    if (use === 'long name') this.#next.path = Buffer.concat(parts).toString('utf8').replace(/\0.*$/s, '')
    if (use === 'pax') this.#readPax(Buffer.concat(parts))
  }

  #header(header: Buffer): void {
    if (header.every((byte) => byte === 0)) {
      this.#ended = true
      return
    }
    if (!hasRightSum(header)) throw this.#refuse('it is damaged, or no tarball')
    if (++this.#entries > maxEntries) throw this.#refuse(`it has more than ${maxEntries} entries`)
    const type = String.fromCharCode(header[156] || 48)
    const stated = octal(header.subarray(124, 136))
    if (type === 'x' || type === 'g' || type === 'L') {
      if (!(stated <= maxText)) throw this.#refuse('a header in it is too long')
      // What is said for all files is only a comment of npm and git; a path or size there would be for no one file.
      this.#begin(type === 'L' ? 'long name' : type === 'x' ? 'pax' : 'skip', stated)
      return
    }
    const path = this.#next.path ?? pathIn(header)
    const size = this.#next.size ?? stated
    this.#next = {}
    if (!Number.isSafeInteger(size) || size < 0) throw this.#refuse('it is damaged: a size is no number')
    if (type === '5') this.#checkPath(path.replace(/\/+$/, ''), true)
    else if (type === '0' || type === '7') this.#plainFile(this.#checkPath(path, false), size)
    else throw this.#refuse(`${quote(path)} is no file but ${kinds[type] ?? 'something else'}`)
    if (type === '5' && size > 0) throw this.#refuse('it is damaged: a folder has content')
  }

  #plainFile(path: string, size: number): void {
    if (this.#files.has(path)) throw this.#refuse(`${quote(path)} is in it twice`)
    this.#files.set(path, size)
    const isPackage = path === 'package.json'
    if (isPackage && size > maxText) throw this.#refuse('its package.json is larger than 1 MiB')
    this.#begin(isPackage ? 'package.json' : 'skip', size)
  }

  #begin(use: Open['use'], size: number): void {
    const open = { use, parts: [], left: size, padding: (block - (size % block)) % block }
    if (size === 0) this.#close(open)
    else this.#open = open
  }

  /** Paths in the one folder that npm takes away; whatever could mean something else to another program is refused. */
  #checkPath(path: string, isFolder: boolean): string {
    const parts = path.replace(/^\.\//, '').split('/')
    const odd =
      path.length > maxPathLength ||
      /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\\\ufffd]/u.test(path) ||
      path.startsWith('/')
    if (odd || parts.some((part) => part === '' || part === '.' || part === '..'))
      throw this.#refuse(`a path in it leads out of the package, or is odd: ${quote(path)}`)
    const [folder = '', ...rest] = parts
    this.#folder ??= folder
    if (folder !== this.#folder || (rest.length === 0 && !isFolder))
      throw this.#refuse(`not all in it is in one folder, as npm packs it: ${quote(path)}`)
    return rest.join('/')
  }

  /** Records of `LENGTH KEY=VALUE\n`. */
  #readPax(data: Buffer): void {
    for (let at = 0; at < data.length;) {
      const blank = data.indexOf(32, at)
      const length = Number(data.toString('latin1', at, blank))
      if (blank < 0 || !Number.isSafeInteger(length) || length < 5 || at + length > data.length)
        throw this.#refuse('it is damaged: a header cannot be read')
      const [, key, value = ''] = /^([^=]*)=(.*)\n$/s.exec(data.toString('utf8', blank + 1, at + length)) ?? []
      if (key === 'path') this.#next.path = value
      if (key === 'size') this.#next.size = /^\d{1,15}$/.test(value) ? Number(value) : NaN
      if (key === 'linkpath') throw this.#refuse('it has a link')
      at += length
    }
  }

  #refuse(why: string): BailiffError {
    return refusal(this.#file, why)
  }
}

const kinds: Readonly<Record<string, string>> = {
  1: 'a hard link',
  2: 'a link',
  3: 'a device',
  4: 'a device',
  6: 'a pipe',
}

function refusal(file: string, why: string): BailiffError {
  return new BailiffError('data', `no package that can be installed: ${why}`, {
    where: { file },
    hint: 'a package is a tarball as "npm pack" or "bailiff plugin pack" writes it',
  })
}

function pathIn(header: Buffer): string {
  const name = textIn(header.subarray(0, 100))
  const isUstar = header.toString('latin1', 257, 262) === 'ustar'
  const prefix = isUstar ? textIn(header.subarray(345, 500)) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function textIn(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Not a number where the field has another form. */
function octal(field: Buffer): number {
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart()
  return /^[0-7]{0,11}$/.test(text) ? Number(`0o${text || '0'}`) : NaN
}

/** The sum of all bytes of the header, with blanks for the sum itself. */
function hasRightSum(header: Buffer): boolean {
  const stated = octal(header.subarray(148, 156))
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0)
  return stated === sum
}
