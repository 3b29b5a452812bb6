/** Who besides root may change what root is about to use. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'

/** Something that others than root may change: `path` itself or what it names. */
export interface ForeignHand {
  readonly path: string
  readonly uid: number
  /** The permissions, in octal. */
  readonly mode: string
}

const groupWrite = 0o020
const anybodyWrite = 0o002
const sticky = 0o1000
/** As many as the kernel follows (path_resolution(7)). */
const mostLinks = 40

/**
 * The first on the way to the file that others than root may change or replace: the file, a folder above
 * it, or a link that leads there. Null: there is none. What is not there is nobody's. `looked`: what was found on the
 * ways to other files, which is not looked at again.
 */
export function foreignHand(path: string, looked = new Map<string, Stats | undefined>()): ForeignHand | null {
  let links = 0
  let at = '/'
  const left = resolve(path).split('/').filter(Boolean)
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    at = resolve(at, name)
    const found = looked.has(at) ? looked.get(at) : lstatSync(at, { throwIfNoEntry: false })
    looked.set(at, found)
    if (found === undefined) return null
    if (!isRootsAlone(found)) return handOf(at, found)
    if (!found.isSymbolicLink()) continue
    if (++links > mostLinks) return handOf(at, found)
    const target = readlinkSync(at)
    left.unshift(...target.split('/').filter(Boolean))
    at = target.startsWith('/') ? '/' : resolve(at, '..')
  }
  return null
}

/**
 * Whether root alone decides what it is: a file's content, a link's target, which names a folder has. In a
 * sticky folder others can make names of their own and not change those of root.
 */
export function isRootsAlone(found: Stats): boolean {
  const { uid, gid, mode } = found
  if (uid !== 0) return false
  if (found.isSymbolicLink() || (found.isDirectory() && (mode & sticky) !== 0)) return true
  return (mode & anybodyWrite) === 0 && ((mode & groupWrite) === 0 || gid === 0)
}

export function handOf(path: string, { uid, mode }: Stats): ForeignHand {
  return { path, uid, mode: (mode & 0o7777).toString(8).padStart(4, '0') }
}

/** `/home/alice, which belongs to the user 1000 with the mode 0755`. */
export function describeHand({ path, uid, mode }: ForeignHand): string {
  return `${path}, which belongs to the user ${uid} with the mode ${mode}`
}
