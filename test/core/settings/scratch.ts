import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const parent = mkdtempSync(join(tmpdir(), 'bailiff-settings-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))

/** Writes files (by their path) into a new folder of their own, which is removed when the process ends. */
export function scratch(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(parent, 'bailiff-settings-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}
