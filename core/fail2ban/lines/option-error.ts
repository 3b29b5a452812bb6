import { BailiffError } from '../../errors.ts'
import { PatternError } from '../../matching/pattern-error.ts'

/** What keeps a filter from running is an option beside its patterns; `list` is its name, as of a PatternError. */
export class OptionError extends BailiffError {
  readonly list: string

  constructor(option: string, { kind, message, hint }: BailiffError) {
    super(kind, message, hint === undefined ? {} : { hint })
    this.name = 'OptionError'
    this.list = option
  }
}

/** Makes something of an option: errors that name no pattern of a filter name the option. */
export function ofOption<T>(option: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof BailiffError) || error instanceof PatternError) throw error
    throw new OptionError(option, error)
  }
}

/** The option of a filter at fault; null: nobody knows. */
export function faultyOption(error: unknown): string | null {
  return error instanceof PatternError || error instanceof OptionError ? error.list : null
}
