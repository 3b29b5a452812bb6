/** What failed in a plugin, as the agent is told it. */
import { BailiffError } from '../../errors.ts'
import { RetryLater } from '../../plugin.ts'
import type { HostFailure } from '../messages.ts'
import { denialText, lineInStack } from '../plugin-module.ts'

const longest = 2000

/** Options that a plugin does not accept; `option` is the path of the first that has a place, '' for all of them. */
export class OptionRefused extends BailiffError {
  readonly option: string

  constructor(error: BailiffError, option: string) {
    super(error.kind, error.message, error.hint === undefined ? {} : { hint: error.hint })
    this.option = option
  }
}

/** The message, with what Node says of a refused permission, and the line of the plugin's own file. */
export function failureOf(error: unknown, file: string): HostFailure {
  const own = error instanceof BailiffError ? error : null
  return {
    message: messageOf(error)
      .trim()
      .replaceAll(/\s*\n\s*/g, '; ')
      .slice(0, longest),
    hint: own?.hint?.slice(0, longest) ?? null,
    line: own?.where?.line ?? lineInStack(error, file) ?? null,
    option: error instanceof OptionRefused ? error.option : null,
    retryAfterMs: error instanceof RetryLater && Number.isFinite(error.afterMs) ? error.afterMs : null,
  }
}

/** A sentence for people. Of errors with a cause, as fetch throws them, the cause says what happened. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error)
  const denied = denialText(error)
  if (denied !== null) return denied
  const cause = error.cause instanceof Error && !(error instanceof BailiffError) ? `: ${messageOf(error.cause)}` : ''
  const name =
    error.name === 'Error' || error instanceof BailiffError || error instanceof RetryLater ? '' : `${error.name}: `
  return `${name}${error.message}${cause}`
}

function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'something that is no text'
  }
}
