import { npmEnv } from '../packages/made-packages.ts'
import { bailiff, temporaryFolder, writeConfig, type Ended } from './agent-process.ts'
import * as assert from 'uvu/assert'
import { join } from 'node:path'

/** What npm is to know to reach nobody. */
export const offline = npmEnv()

/** A place to install into, with a configuration; `plugin` runs `bailiff plugin` with it. */
export function pluginPlace(env = offline) {
  const folder = temporaryFolder()
  const config = writeConfig(folder, 'jails: {}\n')
  const plugin = (...words: string[]) => bailiff(['plugin', ...words, '--config', config], '', env)
  return { folder, config, plugin, packages: join(folder, 'state/packages') }
}

/** The standard output of a command that ended with this exit code. */
export function ok({ code, stdout, stderr }: Ended, expected = 0): string {
  assert.is(code, expected, stdout + stderr)
  return stdout
}
