/**
 * Finds and reads the configuration file through cosmiconfig, made safe for a daemon of root: it may
 * neither look into the working directory nor run code.
 */
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cosmiconfig, type PublicExplorer } from 'cosmiconfig'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'

/** A file and its whole text. */
export interface TextFile {
  readonly file: string
  readonly text: string
}

/**
 * The given file, or `bailiff.yaml` of the first folder that has one. No folder above is looked at.
 * Throws a BailiffError (`no-input`, `no-permission`, `config`) where there is none or it cannot be read.
 */
export async function findConfig(file: string | undefined, folders: readonly string[]): Promise<TextFile> {
  const explorer = createExplorer()
  if (file !== undefined) return asText(resolve(file), () => explorer.load(resolve(file)))
  for (const folder of folders) {
    const path = resolve(folder, 'bailiff.yaml')
    const found = await asText(path, () => explorer.load(path)).catch((error: unknown) => {
      if (error instanceof BailiffError && error.kind === 'no-input') return null
      throw error
    })
    if (found !== null) return found
  }
  throw new BailiffError('no-input', `no configuration: there is no bailiff.yaml in ${folders.join(' or ')}`, {
    hint: `"bailiff setup" writes ${resolve(folders[0] ?? '.', 'bailiff.yaml')} for what this host has; or name a file with --config FILE`,
  })
}

/**
 * The loaders replace every one of cosmiconfig's own: text is handed on as it is, inside an object, so
 * that its `$import` never acts, and JavaScript is refused.
 */
function createExplorer(): PublicExplorer {
  const text = (_file: string, content: string) => ({ text: content })
  const refuse = (file: string): never => {
    throw new BailiffError('config', `a configuration is data, not a program: ${quote(file)} is not read`, {
      hint: 'write it as YAML, in a file that ends in .yaml',
    })
  }
  return awayFromWorkingDirectory(() =>
    cosmiconfig('bailiff', {
      searchPlaces: ['bailiff.yaml'],
      searchStrategy: 'none',
      cache: false,
      loaders: {
        '.yaml': text,
        '.yml': text,
        '.json': text,
        noExt: text,
        default: text,
        '.js': refuse,
        '.cjs': refuse,
        '.mjs': refuse,
        '.ts': refuse,
      },
    }),
  )
}

/**
 * Runs something synchronous with this file's own folder as the working directory. When cosmiconfig
 * makes an explorer it reads settings of its own from the working directory, and runs them where they
 * are JavaScript. Here it finds none, and who could put one here could as well change this program.
 */
function awayFromWorkingDirectory<T>(make: () => T): T {
  const before = workingDirectory()
  process.chdir(dirname(fileURLToPath(import.meta.url)))
  try {
    return make()
  } finally {
    goTo(before)
  }
}

/** After rights were dropped the folder may be closed to this process; then it goes on in the root folder. */
function goTo(folder: string): void {
  try {
    process.chdir(folder)
  } catch {
    process.chdir('/')
  }
}

/** The root folder where the working directory has been deleted. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

async function asText(file: string, load: () => ReturnType<PublicExplorer['load']>): Promise<TextFile> {
  try {
    const found = await load()
    const config: unknown = found?.config
    const text = typeof config === 'object' && config !== null && 'text' in config ? config.text : ''
    if (found === null || typeof text !== 'string') throw new Error('a configuration cannot be called "package"')
    return { file, text }
  } catch (error) {
    throw error instanceof BailiffError ? error : unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): BailiffError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const kind = code === 'ENOENT' || code === 'ENOTDIR' ? 'no-input' : code === 'EACCES' ? 'no-permission' : 'config'
  const message = `cannot read the configuration: ${whyUnreadable(error)}`
  const hint =
    kind === 'no-permission' ? { hint: 'run this as root, or name a file of your own with --config FILE' } : {}
  return new BailiffError(kind, message, { where: { file }, cause: error, ...hint })
}
