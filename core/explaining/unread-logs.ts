import { closeSync, constants, lstatSync, openSync, readlinkSync } from 'node:fs'
import { printable, whyUnreadable } from '../errors.ts'
import { isPattern } from '../intake/path-pattern.ts'
import type { JailSettings } from '../settings/jail.ts'
import { filesOf } from './candidate.ts'

/** A log that a jail is to read, and nobody can; patterns of paths may mean no file, so they are none. */
export interface UnreadLog {
  readonly jail: string
  /** What is wrong with which log, for people. */
  readonly why: string
}

/** The logs of these jails that cannot be opened by whoever asks. */
export function unreadLogs(jails: readonly JailSettings[]): readonly UnreadLog[] {
  return jails.flatMap((jail) =>
    (filesOf(jail) ?? []).flatMap((file) => {
      if (isPattern(file)) return []
      const why = whyUnread(file)
      return why === null ? [] : [{ jail: jail.name, why: `${printable(file)}: ${why}` }]
    }),
  )
}

/** Why a file cannot be opened, for people; null where it can. A FIFO is not waited for. */
function whyUnread(file: string): string | null {
  try {
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK))
    return null
  } catch (error) {
    const target = (error as NodeJS.ErrnoException).code === 'ENOENT' ? linkOf(file) : null
    return target === null ? whyUnreadable(error) : `it is a link to ${printable(target)}, which is not there`
  }
}

/** Where a symbolic link leads; null: it is none. */
export function linkOf(file: string): string | null {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : null
  } catch {
    return null
  }
}
