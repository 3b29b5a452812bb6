import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

type Who = 'nobody' | 'others' | 'anybody'

const groupWrite = 0o020
const anybodyWrite = 0o002
const sticky = 0o1000

/**
 * Who besides root and this user may change a file: itself or by putting another in its place.
 * `anybody`, `others` (a group, or the user it belongs to) or `nobody`. A file that is not there, or
 * on a system without owners, counts as `nobody`.
 *
 * A file that was not named but found beside `main` must also belong to root, this user or the owner of
 * `main`; otherwise it counts as `anybody`'s, since in a folder such as /tmp anybody may have put it there.
 */
export async function whoMayWrite(file: string, main?: string): Promise<Who> {
  const trusted = main === undefined ? null : ((await stat(main).catch(() => null))?.uid ?? null)
  const foreign = main === undefined ? 'others' : 'anybody'
  const answers = [await openness(file, false), await openness(dirname(file), true)]
  return answers.includes('anybody') ? 'anybody' : answers.includes('others') ? 'others' : 'nobody'

  async function openness(path: string, isFolder: boolean): Promise<Who> {
    const found = await stat(path).catch(() => null)
    const uid = process.geteuid?.()
    if (found === null || uid === undefined) return 'nobody'
    if (found.uid !== 0 && found.uid !== uid) return found.uid === trusted ? 'others' : foreign
    // In a sticky folder nobody can replace the files of others.
    if (isFolder && (found.mode & sticky) !== 0) return 'nobody'
    if ((found.mode & anybodyWrite) !== 0) return 'anybody'
    const ownGroup = found.gid === 0 || found.gid === process.getegid?.()
    return (found.mode & groupWrite) !== 0 && !ownGroup ? 'others' : 'nobody'
  }
}
