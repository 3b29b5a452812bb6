/** What an installed package is on the disk, as one hash. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BailiffError, quote } from '../errors.ts'

/** A package with all that it depends on is no larger than this. */
export const maxTreeFiles = 20_000
export const maxTreeBytes = 256 * 1024 * 1024

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
/** Set-user-ID, set-group-ID, and writing for others than the owner. */
const noMode = 0o6022

/** The files of a folder, and what they are. */
export interface TreeHash {
  /** `sha512-` and base64, over the path, the length and the SHA-512 of each file in the order of the paths. */
  readonly hash: string
  readonly files: number
  readonly bytes: number
  /** What was hashed: a line for each file. */
  readonly lines: readonly string[]
}

/**
 * Hashes all files below a folder. Throws a BailiffError for what no package needs and what may lead out of it (links,
 * devices, pipes), for files that run as their owner or that others may write, for what cannot be read, and for more than 20 000 files or 256 MiB.
 */
export async function hashTree(folder: string): Promise<TreeHash> {
  const all = createHash('sha512')
  const lines: string[] = []
  let [files, bytes] = [0, 0]
  for await (const path of filesBelow(folder)) {
    if (++files > maxTreeFiles) throw tooLarge(folder, `more than ${maxTreeFiles} files`)
    const { size, digest } = await hashFile(join(folder, path))
    bytes += size
    if (bytes > maxTreeBytes) throw tooLarge(folder, `more than ${maxTreeBytes / 1024 / 1024} MiB`)
    lines.push(`${JSON.stringify(path)} ${size} ${digest}\n`)
    all.update(lines.at(-1) ?? '')
  }
  return { hash: `sha512-${all.digest('base64')}`, files, bytes, lines }
}

/** Which files differ, in words, given the lines that were hashed once; null where these are not of that hash. */
export function differences(before: string, hash: string, now: TreeHash): string[] | null {
  if (`sha512-${createHash('sha512').update(before).digest('base64')}` !== hash) return null
  const [had, has] = [byPath(before.split('\n')), byPath(now.lines)]
  return [
    ...[...has]
      .filter(([path, rest]) => had.has(path) && had.get(path) !== rest)
      .map(([path]) => `${path} was changed`),
    ...[...has.keys()].filter((path) => !had.has(path)).map((path) => `${path} was added`),
    ...[...had.keys()].filter((path) => !has.has(path)).map((path) => `${path} is gone`),
  ]
}

/** The rest of each line by the path in it, which is JSON. */
function byPath(lines: Iterable<string>): Map<string, string> {
  return new Map(
    Array.from(lines, (line) => /^("(?:[^"\\]|\\.)*") (.*)$/.exec(line.trimEnd())).flatMap((found) =>
      found === null ? [] : [[JSON.parse(found[1] ?? '""') as string, found[2] ?? ''] as const],
    ),
  )
}

/** The paths of the files below a folder, relative to it, each folder in the order of its names. */
async function* filesBelow(folder: string, below = ''): AsyncGenerator<string> {
  const entries = await readdir(join(folder, below), { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) yield* filesBelow(folder, path)
    else if (entry.isFile()) yield path
    else
      throw new BailiffError(
        'data',
        `${quote(path)} is no file but ${entry.isSymbolicLink() ? 'a link' : 'a device'}`,
        {
          where: { file: folder },
          hint: 'a package has files and folders, and nothing else',
        },
      )
  }
}

async function hashFile(file: string): Promise<{ size: number; digest: string }> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const { mode } = await handle.stat()
    if ((mode & noMode) !== 0)
      throw new BailiffError('data', `it has the mode ${(mode & 0o7777).toString(8)}`, {
        where: { file },
        hint: 'a file of a package runs as nobody else, and nobody but its owner writes it',
      })
    const hash = createHash('sha512')
    let size = 0
    for await (const part of handle.createReadStream({ autoClose: false, end: maxTreeBytes })) {
      hash.update(part as Buffer)
      size += (part as Buffer).length
    }
    return { size, digest: hash.digest('hex') }
  } finally {
    await handle.close()
  }
}

function tooLarge(folder: string, what: string): BailiffError {
  return new BailiffError('data', `the package is too large: ${what} with all that it depends on`, {
    where: { file: folder },
  })
}
