import { readFileSync } from 'node:fs'
import { pathsOf } from './path-pattern.ts'

/** Of which Fail2ban a tree is taken to be where none is installed. */
const usual = '1.0.2'

/** The version of the Fail2ban that is installed, else `1.0.2`. */
export function installedVersion(): string {
  for (const folder of [
    '/usr/lib/python3*/dist-packages',
    '/usr/lib/python3*/site-packages',
    '/usr/local/lib/python3*/*-packages',
  ])
    for (const path of pathsOf(`${folder}/fail2ban/version.py`)) {
      const version = versionIn(path)
      if (version !== undefined) return version
    }
  return usual
}

function versionIn(path: string): string | undefined {
  try {
    return /^version\s*=\s*"([\w.+-]{1,40})"/m.exec(readFileSync(path, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
