import { BailiffError, type Where } from '../../errors.ts'
import { JailLines, type TreeJailSetup } from '../lines/jail-lines.ts'
import { faultyOption } from '../lines/option-error.ts'

/** What keeps the filter of a jail from running; null: nothing. `at`: where an option of the filter stands. */
export function filterProblem(setup: TreeJailSetup, at: (option: string) => Where): BailiffError | null {
  try {
    void new JailLines(setup)
    return null
  } catch (error) {
    const { hint } = error instanceof BailiffError ? error : {}
    const message = error instanceof Error ? error.message : String(error)
    return brokenFilter({ message, hint }, at(faultyOption(error) ?? 'failregex'))
  }
}

/** What is said of a filter that a jail cannot run with. */
export function brokenFilter({ message, hint }: Pick<BailiffError, 'message' | 'hint'>, where: Where): BailiffError {
  return new BailiffError(
    'config',
    `the jail is set aside: ${message}`,
    hint === undefined ? { where } : { where, hint },
  )
}
