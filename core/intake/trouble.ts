import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { describeError } from '../errors.ts'
import type { Logger } from '../plugin.ts'
import type { LogState } from './log-state.ts'
import type { Alarm } from './scanner.ts'

export interface TroubleOptions {
  readonly path: string
  readonly log: Logger
  readonly alarm: Alarm
  readonly now: () => number
  /** How long it may last before it is an alarm: in the middle of a rotation a log is missing, too. */
  readonly patienceMs: number
  /** Whether it is nothing to tell of when the file is gone. */
  readonly mayVanish: () => boolean
}

/** What keeps a log from being read. It is told once, with what to do, and again only after the log was read. */
export class Trouble {
  state: LogState['state'] = 'reading'
  /** For people; null while there is none. */
  text: string | null = null
  /** What mends it, for people. */
  remedy: string | null = null
  readonly #options: TroubleOptions
  #since = 0
  #told = false

  constructor(options: TroubleOptions) {
    this.#options = options
  }

  set(error: unknown): void {
    const { path, alarm, now, patienceMs, mayVanish } = this.#options
    const { state, text, hint } = explain(error, path)
    if (this.state === 'reading') this.#since = now()
    this.state = state
    this.text = text
    this.remedy = hint
    if (this.#told || now() - this.#since < patienceMs || (state === 'waiting' && mayVanish())) return
    this.#told = true
    alarm(path, `the log cannot be read, and is tried again all the time: ${text}. ${hint}`)
  }

  clear(): void {
    if (this.#told) this.#options.log.info({ log: this.#options.path }, 'the log is read again')
    this.state = 'reading'
    this.text = null
    this.remedy = null
    this.#told = false
  }
}

function explain(error: unknown, path: string): { state: 'waiting' | 'unreadable'; text: string; hint: string } {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return {
      state: 'waiting',
      text: 'there is no such file',
      hint: 'Correct the path, or start the service that writes it.',
    }
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return {
      state: 'unreadable',
      text: `permission denied (${code})`,
      hint: howToRead(path),
    }
  }
  return { state: 'unreadable', text: describeError(error), hint: 'Put the log file back in its place.' }
}

/** The command that lets this user read the file: to be in its group where that may read, else such a group. */
function howToRead(path: string): string {
  const user = userName()
  try {
    const { gid, mode } = statSync(path)
    const grouped = gid !== 0 && (mode & 0o040) !== 0
    return grouped
      ? `Put ${user} into its group, and start the agent again: usermod --append --groups "$(stat -c %G ${path})" ${user}`
      : `Let the group adm read it, and ${user} be in that group: chgrp adm ${path} && chmod g+r ${path}`
  } catch {
    return `Let ${user} enter the folders above it: on Debian, usermod --append --groups adm ${user}, and start the agent again.`
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user that no list of users has.
    return String(process.geteuid?.())
  }
}
