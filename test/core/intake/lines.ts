import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FilePosition, LogPosition } from '../../../core/events.ts'
import type { IntakeSource } from '../../../core/intake/intake.ts'
import { sourceOf } from '../../../core/testing/seen-lines.ts'
import fileSource from '../../../plugins/sources/file.ts'

export { intakeFor, Seen, silent, sourceOf, until } from '../../../core/testing/seen-lines.ts'

/** A `file` source for a path. */
export function following(path: string, ...jails: string[]): IntakeSource {
  return sourceOf(`file ${path}`, fileSource, { path }, ...(jails.length === 0 ? ['sshd'] : jails))
}

/** Runs `body` in a folder of its own and removes it. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-intake-'))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The positions that are of files. */
export function ofFiles(positions: readonly LogPosition[]): FilePosition[] {
  return positions.flatMap((position) => ('cursor' in position ? [] : [position]))
}
