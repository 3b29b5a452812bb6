/** A user of the system for one test, and ways for it to what only root can reach. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A user with a group of its own and no password. */
export interface SystemUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  remove(): void
}

/** Makes a user whose name no other run has. `groups` are those of others it is put into. */
export function makeUser(label: string, groups: readonly string[] = []): SystemUser {
  const name = `bailiff-${label}${process.pid}`
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  if (groups.length > 0) options.push('--groups', groups.join())
  execFileSync('/usr/sbin/useradd', [...options, name])
  const number = (option: string) => Number(execFileSync('id', [option, name], { encoding: 'utf8' }))
  return {
    name,
    uid: number('-u'),
    gid: number('-g'),
    // By force: after a test that failed a process of the user may run for a moment yet.
    remove: () => void spawnSync('/usr/sbin/userdel', ['--force', name]),
  }
}

/** Folders that everybody may enter, each showing one that perhaps only root can reach. */
export class OpenDoors {
  readonly #folder: string
  readonly #mounted: string[] = []

  /** `folder` must be one that everybody may enter. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** The same folder by a path on which nobody is stopped. */
  to(path: string): string {
    if (everybodyMayEnter(path)) return path
    const door = join(this.#folder, `door-${this.#mounted.length}`)
    mkdirSync(door)
    execFileSync('mount', ['--bind', path, door])
    this.#mounted.push(door)
    return door
  }

  close(): void {
    for (const door of this.#mounted.splice(0)) {
      execFileSync('umount', [door])
      rmdirSync(door)
    }
  }
}

function everybodyMayEnter(path: string): boolean {
  const parts = path.split('/').filter((part) => part !== '')
  return parts.every((_, place) => (statSync(`/${parts.slice(0, place + 1).join('/')}`).mode & 0o005) === 0o005)
}
