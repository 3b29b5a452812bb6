/** The command line of a plugin host: what stands before Node, what Node forbids it, and its environment. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram, type UserIds } from '../firewall/helper-command.ts'
import type { Capabilities } from '../packages/manifest.ts'
import { procText } from './process-tree.ts'
import { findNamespaces, initWords, namespaceWords, type Namespaces } from './namespaces.ts'

/** What a host may do. */
export interface HostRights {
  /** The memory it may take, in bytes. */
  readonly memoryBytes: number
  /** Who it becomes, where this process is root. Default: root without root's rights. */
  readonly user?: (UserIds & { readonly groups: readonly number[] }) | undefined
  /** Where it keeps what it keeps; null: nowhere. */
  readonly stateFolder: string | null
  /** Of a package: its folder, and what its manifest asks for. Null: a file of the administrator's. */
  readonly manifest: { readonly folder: string; readonly capabilities: Capabilities } | null
  /** What this machine lets it have, as `possibleNamespaces` finds out. */
  readonly namespaces: Namespaces
  readonly nodePath?: string
}

const main = fileURLToPath(new URL('./inside/main.js', import.meta.url))
const policy = fileURLToPath(new URL('../../../core/plugin-host/policy.json', import.meta.url))
const dist = fileURLToPath(new URL('../../', import.meta.url))
/** What Node, its threads and its code take beside the plugin: measured 55 to 85 MB, as VmData of an idle host. */
const ownDataBytes = 96 * 1024 * 1024
/** Node that resolves imports in the thread of the plugin; older ones are told by a policy of `bailiff/plugin`. */
const hasHooks = 'registerHooks' in nodeModule

/** The words of the command. */
export function hostCommand(rights: HostRights): string[] {
  const { memoryBytes, nodePath = process.execPath, manifest, namespaces } = rights
  const noHosts = manifest !== null && (manifest.capabilities.hosts ?? []).length === 0
  return [
    ...memoryLimits(memoryBytes),
    ...apart(rights, namespaces, noHosts),
    nodePath,
    heapLimit(memoryBytes),
    '--no-warnings',
    // Traces are written by Node itself, whatever it forbids the plugin.
    '--trace-event-file-pattern=/dev/null',
    ...(hasHooks ? [] : [`--experimental-policy=${policy}`]),
    ...(manifest === null ? [] : permissions(rights, manifest)),
    main,
  ]
}

/** Which namespaces hosts can have here that become that user. */
export function possibleNamespaces(user: HostRights['user']): Namespaces {
  return findNamespaces((tried) => apart({ user }, tried, true), keepsRoot(user))
}

/** Nothing of the agent's but where programs are, and how this machine speaks and what time it is there. */
export function hostEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = ['LANG', 'LC_ALL', 'TZ'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...Object.fromEntries(kept) }
}

/**
 * RLIMIT_DATA (getrlimit(2)) counts memory that a process can write, buffers as well, and not what V8 only reserves: so
 * memory that is taken too fast to be watched is refused. No core dumps: they would hold log text. What stands before the
 * command; nothing where there is no prlimit.
 */
export function memoryLimits(memoryBytes: number): string[] {
  const prlimit = findProgram('prlimit')
  return prlimit === undefined
    ? []
    : [prlimit, `--data=${memoryBytes + ownDataBytes + codeRangeBytes()}`, '--core=0', '--']
}

/** The word of Node for the heap of a process that may take so much memory. */
export function heapLimit(memoryBytes: number): string {
  return `--max-old-space-size=${Math.max(32, Math.floor((memoryBytes / 1024 / 1024) * 0.75))}`
}

/** What V8 keeps free for code counts as data from Node 24 on, 512 MiB of it. This process, the same Node, has it as well. */
function codeRangeBytes(): number {
  try {
    const maps = readFileSync('/proc/self/maps', 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rwxp/gm)
    return [...maps].reduce(
      (sum, [, start = '', end = '']) => sum + Number.parseInt(end, 16) - Number.parseInt(start, 16),
      0,
    )
  } catch {
    return 0
  }
}

/** What takes namespaces and rights: root makes the first by the second, everybody else in a user namespace of his own. */
function apart({ user }: Pick<HostRights, 'user'>, namespaces: Namespaces, secluded: boolean): string[] {
  const words = namespaceWords(namespaces, secluded)
  const both =
    keepsRoot(user) && words.length > 0
      ? [...endsWithAgent(), ...words, ...fewRights(user)]
      : [...fewRights(user), ...words]
  return [...both, ...initWords(namespaces)]
}

function keepsRoot(user: HostRights['user']): boolean {
  return process.geteuid?.() === 0 && user === undefined
}

function endsWithAgent(): string[] {
  const setpriv = findProgram('setpriv')
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig=KILL', '--']
}

/** What stands before a command (setpriv(1)): it ends with the agent however that ends, and gets no rights that it does not have. */
export function fewRights(user: HostRights['user'], root = process.geteuid?.() === 0): string[] {
  const setpriv = findProgram('setpriv')
  // setpriv calls capset whatever it is asked for, which the unit of systemd refuses; that sets no-new-privs, and ends all.
  if (setpriv === undefined || (!root && hasNoNewPrivileges())) return []
  const groups = user === undefined || user.groups.length === 0 ? '--clear-groups' : `--groups=${user.groups.join(',')}`
  const become = root && user !== undefined ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, groups] : []
  const none = root ? ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'] : []
  return [setpriv, ...become, ...none, '--no-new-privs', '--pdeathsig=KILL', '--']
}

function hasNoNewPrivileges(): boolean {
  return /^NoNewPrivs:\s*1$/m.test(procText('self/status'))
}

function permissions(
  { stateFolder }: HostRights,
  { folder, capabilities }: NonNullable<HostRights['manifest']>,
): string[] {
  const { files = {}, programs = [], hosts = [] } = capabilities
  const state = stateFolder === null ? [] : [join(stateFolder, '*')]
  const own = [`${folder}/*`, `${dist}*`, policy, join(dist, '..', 'package.json'), ...dependencyFolders()]
  const read = [...own, ...above(folder), ...state, ...(files.read ?? [])]
  const write = [...state, ...(files.write ?? [])]
  const known = process.allowedNodeEnvironmentFlags
  return [
    known.has('--permission') ? '--permission' : '--experimental-permission',
    '--no-addons',
    ...grants(read).map((path) => `--allow-fs-read=${path}`),
    ...grants(write).map((path) => `--allow-fs-write=${path}`),
    ...(programs.length > 0 ? ['--allow-child-process'] : []),
    ...(hosts.length > 0 && known.has('--allow-net') ? ['--allow-net'] : []),
  ]
}

/**
 * Paths as Node takes them: each once, what is above before what is below, and nothing of what lies in a folder that is
 * granted with all in it. Node 20 aborts for a path that it has already, or that is where two others part, and no longer
 * lists a folder of which it is told more.
 */
export function grants(paths: readonly string[]): string[] {
  const all = new Map<string, string>()
  for (const path of paths) {
    const place = resolve(path.replace(/\/\*$/, '/'))
    if (isFolder(path)) all.set(place, place === '/' ? '/*' : `${place}/*`)
    else if (!all.has(place)) all.set(place, place)
  }
  const inFolder = (place: string): boolean => {
    const above = dirname(place)
    return above !== place && (all.get(above)?.endsWith('/*') === true || inFolder(above))
  }
  const sorted = [...all].sort(([one], [other]) => (one < other ? -1 : 1))
  return sorted.filter(([place]) => !inFolder(place)).map(([, path]) => path)
}

/** Node, too, takes the path of a folder for all in it. */
function isFolder(path: string): boolean {
  return /\/\*?$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Where Node looks for what a package and Bailiff itself depend on. */
function dependencyFolders(): string[] {
  const folders: string[] = []
  for (let folder = dirname(dist); folder !== '/'; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules')
    if (existsSync(modules)) folders.push(`${modules}/*`)
  }
  return folders
}

/** The `package.json` of folders above, which tell Node how a module is written, and packages beside it. */
function above(folder: string): string[] {
  const found: string[] = []
  for (let each = dirname(folder); each !== '/'; each = dirname(each)) {
    found.push(join(each, 'package.json'))
    if (each.endsWith('/node_modules')) found.push(`${each}/*`)
  }
  return found
}
