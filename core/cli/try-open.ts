import { openSync } from 'node:fs'

/** A descriptor of the file, to read; null where it cannot be opened. */
export function tryOpen(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch {
    return null
  }
}
