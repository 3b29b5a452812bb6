/** Users and groups of this machine, as /etc/passwd and /etc/group have them (passwd(5), group(5)). */
import { readFileSync } from 'node:fs'
import { BailiffError, quote } from '../errors.ts'

/** A user, and the groups it is to have. */
export interface Account {
  readonly name: string
  readonly uid: number
  /** Its own group. */
  readonly gid: number
  /** Its other groups, each once. */
  readonly groups: readonly number[]
  readonly home: string
}

/** The two files as text. */
export interface AccountFiles {
  readonly passwd: string
  readonly group: string
}

/** Groups that may read logs: files on Debian and Ubuntu, the journal everywhere. */
const logGroups = ['adm', 'systemd-journal']

export function readAccountFiles(): AccountFiles {
  return { passwd: readFileSync('/etc/passwd', 'utf8'), group: readFileSync('/etc/group', 'utf8') }
}

/**
 * The user of that name with the groups that the machine gives it and `groups`: without `groups`, those
 * that may read logs, as far as there are such. Null where there is no such user. Throws a
 * `BailiffError` for a group that is named and missing.
 */
export function findAccount(
  name: string,
  groups: readonly string[] | null,
  files = readAccountFiles(),
): Account | null {
  const [, , uid, gid, , home] = rows(files.passwd).find(([found]) => found === name) ?? []
  const ids = { uid: wholeNumber(uid), gid: wholeNumber(gid) }
  if (ids.uid === null || ids.gid === null) return null
  const all = rows(files.group)
  const own = all.filter(([, , , members]) => members?.split(',').includes(name))
  const added = (groups ?? logGroups).flatMap((group) => {
    const found = all.find(([each]) => each === group)
    if (found !== undefined || groups === null) return found === undefined ? [] : [found]
    throw new BailiffError('config', `there is no group ${quote(group)}`, {
      hint: `make it with "groupadd --system ${group}", or leave it out`,
    })
  })
  const numbers = [...own, ...added].map(([, , number]) => wholeNumber(number)).filter((number) => number !== null)
  return { name, uid: ids.uid, gid: ids.gid, groups: [...new Set([ids.gid, ...numbers])], home: home ?? '/' }
}

function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'))
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null
}
