import { readFileSync } from 'node:fs'
import { pathsOf } from './path-pattern.ts'

/** The version of the Fail2ban that is installed; null: there is none. */
export function installedVersion(): string | null {
  for (const folder of [
    '/usr/lib/python3*/dist-packages',
    '/usr/lib/python3*/site-packages',
    '/usr/local/lib/python3*/*-packages',
  ])
    for (const path of pathsOf(`${folder}/fail2ban/version.py`)) {
      const version = versionIn(path)
      if (version !== undefined) return version
    }
  return null
}

function versionIn(path: string): string | undefined {
  try {
    return /^version\s*=\s*"([\w.+-]{1,40})"/m.exec(readFileSync(path, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
