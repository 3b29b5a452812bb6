/**
 * Namespaces of plugin hosts (namespaces(7)), made by unshare(1): what a host cannot name it cannot signal, steer or
 * reach, whatever it does inside.
 */
import { spawnSync } from 'node:child_process'
import { findProgram } from '../firewall/helper-command.ts'

/** What this machine lets hosts have. */
export interface Namespaces {
  /** What stands before a host so that it has processes of its own, as words of unshare; null: it is refused. */
  readonly processes: readonly string[] | null
  /** Whether it may be without a network as well. */
  readonly network: boolean
  /** Why something is refused, for people; null where all is there. */
  readonly refused: string | null
}

/** How many processes stand above the one of Node where a host has namespaces: unshare, and the init inside. */
export const processesAbove = 2

const triedMs = 10_000
const unshared = ['--pid', '--fork', '--kill-child']
/** Who has no rights over the machine gets some in a user namespace, and has lost them when Node begins. */
const asUser = ['--user', '--map-current-user']

/**
 * The first process of a namespace has to take in orphans, and no signal without a handler reaches it; so it is not
 * Node. Its end ends all others. It keeps nothing open that is the host's, and says how the host ended (sh(1): 128 and
 * the number of the signal).
 */
const init = [
  '/bin/sh',
  '-c',
  'unset PWD OLDPWD SHLVL; "$@" & exec >/dev/null 2>&1 3>&- 4>&-; wait "$!"',
  'bailiff-plugin',
]

/** Tries it out, in some milliseconds. `before` gives the words that stand before a host; `root`: whether it begins with root's rights. */
export function findNamespaces(before: (tried: Namespaces) => readonly string[], root: boolean): Namespaces {
  if (findProgram('unshare') === undefined) return refusedAll('there is no unshare (util-linux)')
  let refused = ''
  for (const network of [true, false])
    for (const processes of root ? [unshared, [...asUser, ...unshared]] : [[...asUser, ...unshared]]) {
      const found = { processes, network, refused: network ? null : refused }
      const said = failureOf([...before(found), '/bin/true'])
      if (said === null) return found
      refused = said
    }
  return refusedAll(refused)
}

/** A machine that gives none. */
export function refusedAll(refused: string): Namespaces {
  return { processes: null, network: false, refused }
}

/** The words of unshare. `secluded`: whether it is to have no network, where that is possible. */
export function namespaceWords({ processes, network }: Namespaces, secluded: boolean): string[] {
  const unshare = findProgram('unshare')
  if (processes === null || unshare === undefined) return []
  return [unshare, ...processes, ...(secluded && network ? ['--net'] : []), '--']
}

/** What stands directly before the host. */
export function initWords({ processes }: Namespaces): readonly string[] {
  return processes === null ? [] : init
}

/** What is not held where the machine refuses namespaces, for people; null where it gives them all. */
export function namespacesMissing({ processes, network, refused }: Namespaces): string | null {
  if (processes === null)
    return `plugins run without namespaces of their own (${refused}): code that means harm may signal and read other processes of the user of the agent, leave programs behind, and reach the network whatever its manifest says`
  if (!network)
    return `plugins run without a network namespace (${refused}): code that means harm may reach the network whatever its manifest says`
  return null
}

/** Why a command failed; null: it did not. */
function failureOf([program = '', ...words]: readonly string[]): string | null {
  const { status, signal, error, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    timeout: triedMs,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
    cwd: '/',
  })
  if (status === 0) return null
  return (
    error?.message ??
    (stderr.trim().split('\n')[0]?.slice(0, 200) ||
      `unshare ended ${signal === null ? `with exit code ${status}` : `by ${signal}`}`)
  )
}
