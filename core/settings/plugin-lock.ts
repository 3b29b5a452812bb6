/** The lock file of the plugin folder: what is installed, and what was consented to. It alone says so, not what lies there. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { BailiffError } from '../errors.ts'
import { readText } from './yaml-file.ts'
import { isPackageName } from './package-names.ts'

const texts = z.array(z.string())

const capabilities = z.strictObject({
  hosts: texts.optional(),
  files: z.strictObject({ read: texts.optional(), write: texts.optional() }).optional(),
  programs: texts.optional(),
  secrets: texts.optional(),
  firewall: z.boolean().optional(),
})

const locked = z.strictObject({
  name: z.string().refine(isPackageName),
  version: z.string(),
  description: z.string(),
  /** The version of the plugin API that it was written for. */
  api: z.int(),
  /** SHA-512 of the tarball, as npm writes it. */
  integrity: z.string(),
  /** `TreeHash.hash` of the folder. */
  tree: z.string(),
  /** Its name in the plugin folder. */
  folder: z.string().regex(/^[\w@+~][\w@.+~-]*$/),
  from: z.strictObject({ type: z.enum(['registry', 'tarball', 'folder']), spec: z.string() }),
  /** What was found out of who published it, in words. */
  signature: z.string(),
  installed: z.string(),
  /** Packages with scripts that npm would run at the installation, and that were not run. */
  installScripts: texts,
  plugins: z.array(
    z.strictObject({
      kind: z.enum(['source', 'matcher', 'action', 'notifier']),
      name: z.string(),
      module: z.string(),
      /** The JSON Schema of its options; absent: it has none. */
      options: z.unknown().optional(),
      capabilities,
    }),
  ),
  filters: z.string().nullable(),
  /** The folder of its jails; those who installed it before there were any have none. */
  jails: z.string().nullable().default(null),
})

const lockSchema = z.strictObject({ version: z.literal(1), packages: z.array(locked) })

/** A package as the lock file has it. */
export type LockedPackage = z.output<typeof locked>

/** A plugin of a package, with the capabilities that were consented to. */
export type LockedPlugin = LockedPackage['plugins'][number]

export const lockName = 'installed.json'

/**
 * Reads the lock file of a plugin folder; nothing is installed where there is none. Throws a BailiffError where it is
 * damaged, and where somebody else than root and this user could have written it.
 */
export async function readLock(folder: string): Promise<readonly LockedPackage[]> {
  const file = join(folder, lockName)
  if (!(await isOwn(folder)) || !(await isOwn(file))) return []
  try {
    return lockSchema.parse(JSON.parse(await readText(file))).packages
  } catch (error) {
    if (error instanceof BailiffError) throw error
    throw new BailiffError('data', 'the list of installed plugins is damaged', {
      where: { file },
      hint: `bring it back from a copy; or move ${folder} away and add the plugins again (bailiff plugin add NAME)`,
      cause: error,
    })
  }
}

/** The text of a lock file. */
export function lockText(packages: readonly LockedPackage[]): string {
  const sorted = packages.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return `${JSON.stringify({ version: 1, packages: sorted }, null, 2)}\n`
}

/** Whether it is there. Throws where it belongs to another user, for who owns it decides what code runs here. */
export async function isOwn(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    const kind = error.code === 'EACCES' ? 'no-permission' : 'io'
    throw new BailiffError(kind, `cannot be looked at: ${error.message}`, { where: { file: path }, cause: error })
  })
  if (found === null) return false
  const uid = process.geteuid?.() ?? found.uid
  const foreign = found.uid !== 0 && found.uid !== uid
  if (foreign || found.isSymbolicLink() || (found.mode & 0o022) !== 0)
    throw new BailiffError('config', 'somebody else could have changed it, so no plugin of it is loaded', {
      where: { file: path },
      hint: foreign
        ? `look at what it is; if it is right: chown -R root ${path}`
        : `look at what it is; if it is right: chmod -R go-w ${path}`,
    })
  return true
}
