/** Where things stand: the package's own folders, and the default places of what the agent keeps. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folders and files that the agent uses unless the configuration says otherwise. All absolute. */
export interface Places {
  /** Folders that are looked through for `bailiff.yaml`, in this order. */
  readonly configFolders: readonly string[]
  readonly state: string
  readonly control: string
}

/** What the default places depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The effective user; 0 is root. */
  readonly uid: number
  readonly home: string
}

/** The folder of the package: two above the compiled `core`. */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url))

/** The filters that come with the package, one YAML file each. */
export const builtInFilters = join(packageRoot, 'config/filters')

/** What this process runs in. */
export function surroundings(): Surroundings {
  return { env: process.env, uid: process.geteuid?.() ?? 0, home: homedir() }
}

/**
 * The default places. Root's are fixed, whatever its environment says; others follow the XDG Base
 * Directory Specification, where a relative path in a variable counts as unset.
 */
export function defaultPlaces({ env, uid, home }: Surroundings = surroundings()): Places {
  if (uid === 0)
    return {
      configFolders: ['/etc/bailiff'],
      state: '/var/lib/bailiff',
      control: '/run/bailiff/control.sock',
    }
  const absolute = (name: string) => (env[name]?.startsWith('/') ? env[name] : undefined)
  const state = join(absolute('XDG_STATE_HOME') ?? join(home, '.local/state'), 'bailiff')
  const runtime = absolute('XDG_RUNTIME_DIR')
  return {
    configFolders: ['/etc/bailiff', join(absolute('XDG_CONFIG_HOME') ?? join(home, '.config'), 'bailiff')],
    // systemd names the folders that it made for a unit (systemd.exec(5)).
    state: absolute('STATE_DIRECTORY') ?? state,
    control: join(
      absolute('RUNTIME_DIRECTORY') ?? (runtime === undefined ? state : join(runtime, 'bailiff')),
      'control.sock',
    ),
  }
}

/** What may be deleted at any time. That of root is fixed as its other places are. */
export function cacheFolder({ env, uid, home }: Surroundings = surroundings()): string {
  if (uid === 0) return '/var/cache/bailiff'
  return join(env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : join(home, '.cache'), 'bailiff')
}
