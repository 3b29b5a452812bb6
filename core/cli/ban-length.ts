import { BailiffError, describeError } from '../errors.ts'
import { parseDuration } from '../settings/duration.ts'

/** What `--for` says, in ms; null: for ever. */
export function banLength(text: string): number | null {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new BailiffError('usage', `--for ${describeError(error)}`)
  }
}
