/** The files of a host, as they can be looked at without changing anything. Nothing here throws. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'

/** Configuration files and files of /proc are shorter; of a longer one only so much is looked at. */
const mostBytes = 1024 * 1024
const mostNames = 50_000

/** The files of a host that stand below `root`: `/`, or a tree that a test made. Paths begin with `/`. */
export class HostTree {
  readonly root: string

  constructor(root = '/') {
    this.root = root
  }

  /** Whether this is the running machine, so that programs may be asked too. */
  get isLive(): boolean {
    return this.root === '/'
  }

  has(path: string): boolean {
    return this.stat(path) !== null
  }

  stat(path: string): Stats | null {
    return orNull(() => statSync(join(this.root, path)))
  }

  /** The first MiB as UTF-8; empty where it cannot be read. */
  text(path: string): string {
    return orNull(() => readStart(join(this.root, path)))?.toString('utf8') ?? ''
  }

  /** The lines without comments (`#`), trimmed, and none that are empty. */
  lines(path: string): string[] {
    const lines = this.text(path).split('\n')
    return lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== '')
  }

  /** The names in a folder, 50 000 at most. */
  names(folder: string): string[] {
    return orNull(() => readdirSync(join(this.root, folder)).slice(0, mostNames)) ?? []
  }

  link(path: string): string | null {
    return orNull(() => readlinkSync(join(this.root, path)))
  }
}

/** Files of /proc do not tell how long they are, and a FIFO must not hold us up: only regular files are read. */
function readStart(path: string): Buffer {
  if (!statSync(path).isFile()) return Buffer.alloc(0)
  const descriptor = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (let length = 0; length < mostBytes;) {
      const chunk = Buffer.alloc(65_536)
      const bytes = readSync(descriptor, chunk)
      if (bytes === 0) break
      chunks.push(chunk.subarray(0, bytes))
      length += bytes
    }
    return Buffer.concat(chunks)
  } finally {
    closeSync(descriptor)
  }
}

function orNull<Value>(look: () => Value): Value | null {
  try {
    return look()
  } catch {
    return null
  }
}
