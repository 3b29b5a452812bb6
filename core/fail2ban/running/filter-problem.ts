import { BailiffError, type Where } from '../../errors.ts'
import { JailLines, type TreeJailSetup } from '../lines/jail-lines.ts'

/** What keeps the filter of a jail from running; null: nothing. `at`: where an option of the filter stands. */
export function filterProblem(setup: TreeJailSetup, at: (option: string) => Where): BailiffError | null {
  try {
    void new JailLines(setup)
    return null
  } catch (error) {
    const list = error instanceof Error && 'list' in error ? String(error.list) : 'failregex'
    return brokenFilter(error instanceof Error ? error.message : String(error), at(list))
  }
}

/** What is said of a filter that a jail cannot run with. */
export function brokenFilter(message: string, where: Where): BailiffError {
  return new BailiffError('config', `the jail is set aside: ${message}`, { where })
}
