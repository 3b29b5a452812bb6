/** The command line of the firewall helper: which programs stand before it, and what rights they leave it. */
import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A user by its numbers. */
export interface UserIds {
  readonly uid: number
  readonly gid: number
}

export interface HelperCommandOptions {
  /** The Node that runs the helper. Default: the one that runs the agent. */
  readonly nodePath?: string
  /** What stands before all: for example a program that enters a network namespace. */
  readonly command?: readonly string[]
  /** The tool that the helper uses. Default: netlink where it can, else the program nft. */
  readonly backend?: 'auto' | 'netlink' | 'nft'
  /** Who it becomes, where this process is root. Default: root without root's rights. */
  readonly user?: UserIds
  /** Folders where programs are looked for. */
  readonly folders?: readonly string[]
}

export interface HelperCommand {
  readonly words: readonly string[]
  /** Whether `launcher.pl` is in it, which starts a helper that died again. */
  readonly kept: boolean
  /** What is missing, for the log. */
  readonly warnings: readonly string[]
}

/** Not from PATH: what runs with rights is not for the environment to decide. */
const usualFolders = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin']
const launcher = fileURLToPath(new URL('../../../core/firewall/launcher.pl', import.meta.url))
const main = fileURLToPath(new URL('./main.js', import.meta.url))

/**
 * As root: setpriv (util-linux) takes everything away but CAP_NET_ADMIN, for good. Then perl opens the
 * netlink sockets and keeps the helper running; where there is no perl the agent starts it itself.
 */
export function helperCommand(options: HelperCommandOptions, root = process.geteuid?.() === 0): HelperCommand {
  const { nodePath = process.execPath, command = [], backend = 'auto', user, folders = usualFolders } = options
  const setpriv = root ? findProgram('setpriv', folders) : undefined
  const perl = findProgram('perl', folders)
  const warnings: string[] = []
  if (root && setpriv === undefined)
    warnings.push(
      'there is no setpriv (util-linux), so the firewall helper keeps all rights of root: whoever takes it over has the whole machine, not only its firewall',
    )
  if (perl === undefined)
    warnings.push('there is no perl, so the firewall helper has no netlink sockets and asks nft each time')
  return {
    words: [
      ...command,
      ...(setpriv === undefined ? [] : [setpriv, ...fewRights(user), '--']),
      ...(perl === undefined ? [] : [perl, launcher, 'keep']),
      nodePath,
      // The helper compiles nothing at run time, so it can run where memory may not be written and executed.
      '--jitless',
      // A small young generation keeps it at 77 MB instead of 148 after syncs of 20 000 entries, no slower.
      '--max-semi-space-size=1',
      '--expose-gc',
      main,
      'listen',
      `--backend=${backend}`,
    ],
    kept: perl !== undefined,
    warnings,
  }
}

/** What setpriv is told, see setpriv(1): CAP_NET_ADMIN survives the change of the user as an ambient capability. */
function fewRights(user: UserIds | undefined): string[] {
  const become = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  const only = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+net_admin`)
  return [...become, ...only, '--no-new-privs']
}

/** The absolute path of a program in one of the folders. */
export function findProgram(name: string, folders: readonly string[] = usualFolders): string | undefined {
  return folders
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
