import { BailiffError } from '../../errors.ts'
import { describeFailure, placeInPlugin } from '../failure-text.ts'
import type { Failure } from './messages.ts'

/** What was thrown, in words, with its place in the plugin. */
export function failureOf(error: unknown, file: string): Failure {
  const own = error instanceof BailiffError ? error : undefined
  const where = placeInPlugin(error, file) ?? own?.where
  const message =
    own === undefined ? describeFailure(error) : describeFailure(new Error(own.message, { cause: own.cause }))
  return { message, ...(where && { where }), ...(own?.hint !== undefined && { hint: own.hint }) }
}
