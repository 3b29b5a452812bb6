/** Folders that root opens and makes, where nobody else can lead it astray. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { resolve } from 'node:path'
import { handOf, isRootsAlone, type ForeignHand } from './foreign-hands.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
const mostLinks = 40

/** In every folder that a start as root made, so that a later one knows it. */
export const marker = '.made-by-bailiff'

/** The path of an open folder itself, whatever its name leads to by now. */
export const within = (folder: number) => `/proc/self/fd/${folder}`

/**
 * Opens a folder from the root folder on, name by name, and makes what is missing: folders on the way with
 * 0755, the last one with 0700 and the marker. Calls with its descriptor, which is open until `use`
 * returns. Goes no further where others than root may change a folder or a link on the way, and answers
 * which; null: it was used. Throws what the calls of the system throw.
 */
export function useFolder(path: string, use: (folder: number) => void): ForeignHand | null {
  const steps = resolve(path).split('/').filter(Boolean)
  let links = 0
  let at = '/'
  let folder = openSync(at, O_RDONLY | O_DIRECTORY)
  try {
    for (let name = steps.shift(); name !== undefined; name = steps.shift()) {
      const stats = fstatSync(folder)
      if (!isRootsAlone(stats)) return handOf(at, stats)
      const target = linkIn(folder, name)
      if (target === null) {
        const next = enter(folder, name, steps.length === 0)
        closeSync(folder)
        folder = next
        at = resolve(at, name)
        continue
      }
      if (!isRootsAlone(target.stats) || ++links > mostLinks) return handOf(resolve(at, name), target.stats)
      steps.unshift(...target.path.split('/').filter(Boolean))
      if (!target.path.startsWith('/')) continue
      closeSync(folder)
      at = '/'
      folder = openSync(at, O_RDONLY | O_DIRECTORY)
    }
    use(folder)
    return null
  } finally {
    closeSync(folder)
  }
}

function linkIn(folder: number, name: string): { readonly path: string; readonly stats: Stats } | null {
  const path = `${within(folder)}/${name}`
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isSymbolicLink() === true ? { path: readlinkSync(path), stats } : null
}

/** Opens a folder in a folder; one that has become a link meanwhile is an error. */
function enter(folder: number, name: string, last: boolean): number {
  const path = `${within(folder)}/${name}`
  const open = () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return open()
  mkdirSync(path, { mode: last ? 0o700 : 0o755 })
  const made = open()
  if (last) writeFileSync(`${within(made)}/${marker}`, '', { flag: 'wx', mode: 0o600 })
  return made
}
