import { fileURLToPath, pathToFileURL } from 'node:url'
import { dirname } from 'node:path'
import { BailiffError, describeError, printable, type Where } from '../errors.ts'

const mostCauses = 5
const longestMessage = 1000

/**
 * What was thrown, in one printable text: its message and those of its causes, for `fetch failed` alone says
 * nothing. Whatever was thrown is described, also what is no error.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof BailiffError) return describeError(error)
  const said: string[] = []
  let one: unknown = error
  for (let depth = 0; depth < mostCauses && (depth === 0 || one !== undefined); depth++, one = causeOf(one)) {
    const text = messageOf(one)
    if (text !== '' && !said.some((other) => other.includes(text))) said.push(text)
  }
  const text = said.join(': ')
  return (
    printable(text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text) || 'an error without a message'
  )
}

/**
 * The place in the plugin that an error came from: of the frames of its stack (and of its causes) the first in the
 * plugin's file, else the first in its folder but not in node_modules. Undefined where there is none.
 */
export function placeInPlugin(error: unknown, file: string): Where | undefined {
  const frames = framesOf(error)
  const folder = `${dirname(file)}/`
  const own = frames.find((frame) => frame.file === file)
  return own ?? frames.find((frame) => frame.file.startsWith(folder) && !frame.file.includes('/node_modules/'))
}

/** The frames of a stack that stand in files, the innermost first. */
function framesOf(error: unknown): Where[] {
  const found: Where[] = []
  let one: unknown = error
  for (let depth = 0; one instanceof Error && depth < mostCauses; depth++, one = one.cause) {
    const stack: unknown = one.stack
    if (typeof stack !== 'string') continue
    for (const [, place = '', line, column] of stack.matchAll(
      /(file:\/\/\/[^\s?)]+|\/[^\s?():]+)(?:\?[^\s:)]*)?:(\d+):(\d+)/g,
    ))
      found.push({ file: pathOf(place), line: Number(line), column: Number(column) })
  }
  return found
}

function pathOf(place: string): string {
  try {
    return place.startsWith('file:') ? fileURLToPath(place) : fileURLToPath(pathToFileURL(place))
  } catch {
    return place
  }
}

function messageOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error))
      return `it threw ${typeof thrown === 'string' ? JSON.stringify(thrown) : String(thrown)}`
    const inner = thrown instanceof AggregateError ? thrown.errors.map(messageOf).join(', ') : ''
    return String(thrown.message) || inner || thrown.name
  } catch {
    return 'it threw something that cannot be shown'
  }
}

function causeOf(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? thrown.cause : undefined
  } catch {
    return undefined
  }
}
