/** Giving up the rights of root, for good. */
import { readdirSync, readFileSync } from 'node:fs'
import { BailiffError, describeError } from '../errors.ts'
import type { Account } from './accounts.ts'

/**
 * Makes the whole process, with all its threads, that user and its groups: real, effective and saved.
 * The capabilities of root go with it (capabilities(7), "Effect of user ID changes on capabilities").
 * Throws a `BailiffError` when any of it does not come about; the process must then end.
 */
export function becomeUser(account: Account): void {
  const { name, uid, gid, groups, home } = account
  try {
    process.setgroups?.([...groups])
    process.setgid?.(gid)
    process.setuid?.(uid)
  } catch (cause) {
    throw refused(name, describeError(cause), cause)
  }
  for (const flaw of flaws(account)) throw refused(name, flaw)
  // For programs that actions start.
  Object.assign(process.env, { HOME: home, USER: name, LOGNAME: name })
}

/** What is left that should not be. */
function flaws({ uid, gid, groups }: Account): string[] {
  const found: string[] = []
  if (canSetUser(0)) found.push('it could become root again')
  const mine = process.getgroups?.() ?? []
  if (mine.some((group) => !groups.includes(group))) found.push('it keeps groups of root')
  for (const [thread, status] of threads()) {
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
    const all = (value: string, expected: number) => value.split(/\s+/).every((each) => Number(each) === expected)
    if (!all(field('Uid'), uid) || !all(field('Gid'), gid)) found.push(`its thread ${thread} stays another user`)
    if (/[^0]/.test(field('CapPrm') + field('CapEff') + field('CapAmb')))
      found.push(`its thread ${thread} keeps capabilities`)
  }
  return found
}

/** The threads of this process with their /proc/PID/task/TID/status (proc(5)); none where there is no /proc. */
function threads(): [id: string, status: string][] {
  try {
    return readdirSync('/proc/self/task').map((id) => [id, readFileSync(`/proc/self/task/${id}/status`, 'utf8')])
  } catch {
    return []
  }
}

function canSetUser(uid: number): boolean {
  try {
    process.setuid?.(uid)
    return process.getuid?.() === uid
  } catch {
    return false
  }
}

const refused = (name: string, why: string, cause?: unknown) =>
  new BailiffError('no-permission', `the agent cannot become the user ${name}: ${why}`, {
    hint: 'Start it with all rights of root, or write "user: root" to let it stay root.',
    cause,
  })
