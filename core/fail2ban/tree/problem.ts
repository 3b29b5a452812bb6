import { BailiffError, type Where } from '../../errors.ts'

/** Where an option stands: its file and line, and the option as `[section] option`. */
export function placeOf(where: Where | undefined, section: string, option?: string): Where | undefined {
  if (where === undefined) return undefined
  return { ...where, option: option === undefined ? `[${section}]` : `[${section}] ${option}` }
}

/** An error of a Fail2ban configuration. */
export function treeProblem(message: string, where?: Where, hint?: string): BailiffError {
  return new BailiffError('config', message, { ...(where && { where }), ...(hint !== undefined && { hint }) })
}

/**
 * A jail that Fail2ban leaves out while the others run. `fail2banText` is what its command `config-error` says, which
 * programs read.
 */
export class JailLeftOut extends BailiffError {
  readonly fail2banText: string

  constructor(fail2banText: string, message: string, where?: Where, hint?: string) {
    super('config', message, { ...(where && { where }), ...(hint !== undefined && { hint }) })
    this.name = 'JailLeftOut'
    this.fail2banText = fail2banText
  }
}
