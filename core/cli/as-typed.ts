/** Commands in texts for people, as they have to be typed here. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const commands =
  'setup doctor run reload pause resume status explain metrics ban unban allow check config filter test replay plugin demo completion'
/** At the begin of a line, or behind a blank, a quotation mark or a bracket. */
const mentioned = new RegExp(`(?<![^\\s"(])bailiff(?= (?:${commands.replaceAll(' ', '|')})\\b)`, 'g')

/**
 * The text with `npx bailiff run` for `bailiff run` and its like where this program was started so, and no shell would
 * find it otherwise: in a checkout. Only for texts of ours, never for lines of a log.
 */
export function asTyped(text: string, env: NodeJS.ProcessEnv = process.env): string {
  return throughNpx(env) ? text.replaceAll(mentioned, 'npx bailiff') : text
}

function throughNpx({ npm_command: command, PATH: path = '' }: NodeJS.ProcessEnv): boolean {
  // npm puts its own folders in front while it runs something.
  const folders = path.split(':').filter((folder) => folder !== '' && !folder.includes('/node_modules/'))
  return command === 'exec' && !folders.some((folder) => isProgram(join(folder, 'bailiff')))
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
