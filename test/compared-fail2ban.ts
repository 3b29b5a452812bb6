/**
 * The Fail2ban that tests compare with: Debian's package as it is installed, or another one that lies somewhere unpacked,
 * by `FAIL2BAN_TREE` (its etc/fail2ban) and `FAIL2BAN_PYTHON` (the folder with its Python package `fail2ban`).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { which } from './suite.ts'

/** Its configuration. */
export const comparedTree = process.env.FAIL2BAN_TREE ?? '/etc/fail2ban'

const packages = process.env.FAIL2BAN_PYTHON ?? '/usr/lib/python3/dist-packages'

/** Its own tests, with their sample logs in `files/logs`. */
export const comparedTests = join(packages, 'fail2ban/tests')

/** The Python that runs it: Debian's, for which Debian's packages are, whatever else is on the path. */
export const comparedPython = '/usr/bin/python3'

const python = fileURLToPath(new URL('../../test/python', import.meta.url))

/** What its programs need in their environment, `newer_addresses` of `test/python` beside them. They write nothing. */
export const comparedEnvironment = { PYTHONPATH: `${packages}:${python}`, PYTHONDONTWRITEBYTECODE: '1' } as const

/** Its version, `1.0.2`; empty where there is none. */
export const comparedVersion = versionIn(join(packages, 'fail2ban/version.py'))

/** Whether it is of a version or a later one: `comparedIs('1.1.0')`. */
export function comparedIs(version: string): boolean {
  const numbers = (text: string) => text.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const least = numbers(version)
  const step = numbers(comparedVersion).findIndex((number, index) => number !== (least[index] ?? 0))
  return step < 0 || (numbers(comparedVersion)[step] ?? 0) > (least[step] ?? 0)
}

/** What its `fail2ban-regex` prints, with its own configuration. */
export function comparedRegex(...words: string[]): string {
  const program = which('fail2ban-regex') ?? 'fail2ban-regex'
  return execFileSync(comparedPython, ['-W', 'ignore', program, '-c', comparedTree, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...comparedEnvironment },
    maxBuffer: 1 << 28,
  })
}

function versionIn(path: string): string {
  if (!existsSync(path)) return ''
  return /^version\s*=\s*"([^"]+)"/m.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
}
