import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

const deepest = 4
const mostFiles = 2000

/**
 * What changes when somebody saves a module in the folder of a file: the text of the times and sizes of all modules
 * there and below, but for what is installed or hidden. Other files are not looked at, since the plugin may write some.
 */
export function moduleStamps(file: string): string {
  return [stampOf(file), ...stampsBelow(dirname(file), /\.(?:[cm]?[jt]s|wasm)$/)].join('\n')
}

/** The same of a folder with sources in TypeScript, where what is made of them may lie as well. */
export function sourceStamps(folder: string): string {
  return stampsBelow(folder, /(?<!\.d)\.[cm]?ts$/).join('\n')
}

function stampsBelow(top: string, name: RegExp): string[] {
  const stamps: string[] = []
  const walk = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      if (stamps.length > mostFiles || entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const path = join(folder, entry.name)
      if (entry.isDirectory() && depth < deepest) walk(path, depth + 1)
      else if (name.test(entry.name)) stamps.push(stampOf(path))
    }
  }
  walk(top, 0)
  return stamps
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? `${path} is gone` : `${path} ${stat.mtimeMs} ${stat.size} ${stat.ino}`
}
