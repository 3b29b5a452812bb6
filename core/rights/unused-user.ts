/** A user without a name, for a process that nobody else is to share a user with. */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { BailiffError } from '../errors.ts'
import { readAccountFiles } from './accounts.ts'

/** What systemd hands out for DynamicUser= (systemd.exec(5)): numbers that no account and no file is to have. */
const first = 61_184
const last = 65_519

/**
 * A number that no account and no group has, no process as one of its users or groups, and systemd has not
 * handed out; another one each time. Throws a `BailiffError` where there is none, or no /proc to ask.
 */
export function unusedUser(): { readonly uid: number; readonly gid: number } {
  const taken = new Set([...numbersOfAccounts(), ...numbersOfProcesses(), ...numbersOfSystemd()])
  const size = last - first + 1
  const start = randomInt(size)
  for (let step = 0; step < size; step++) {
    const number = first + ((start + step) % size)
    if (!taken.has(number)) return { uid: number, gid: number }
  }
  throw new BailiffError('unavailable', `all user numbers from ${first} to ${last} are in use`)
}

/** Whether a process has that user, as its real, effective, saved or file system user. */
export function isUserOfProcess(uid: number): boolean {
  return statuses().some((status) => numbersIn(status, 'Uid').includes(uid))
}

function numbersOfAccounts(): number[] {
  const { passwd, group } = readAccountFiles()
  const fields = [passwd, group].flatMap((text) => text.split('\n').flatMap((line) => line.split(':').slice(2, 4)))
  return fields.map(Number)
}

function numbersOfProcesses(): number[] {
  return statuses().flatMap((status) => ['Uid', 'Gid', 'Groups'].flatMap((name) => numbersIn(status, name)))
}

function numbersOfSystemd(): number[] {
  try {
    return readdirSync('/run/systemd/dynamic-uid').map(Number)
  } catch {
    return []
  }
}

/** /proc/PID/status of every process (proc(5)). */
function statuses(): string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return processes.flatMap((id) => {
    try {
      return [readFileSync(`/proc/${id}/status`, 'utf8')]
    } catch {
      // It has ended.
      return []
    }
  })
}

function numbersIn(status: string, field: string): number[] {
  const [, words = ''] = new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(status) ?? []
  return words.split(/\s+/).filter(Boolean).map(Number)
}
