import { LineGuard } from '../matching/line-guard.ts'
import type { MatcherModule } from '../plugin.ts'
import { ModuleFault } from './module-fault.ts'
import { RunningModule } from './module-scanner.ts'

/** How long one call may take. A command has nobody waiting for it, and the machine may be busy. */
const callMs = 2000

/** A module that runs in this thread, and is stopped where it comes to no end. After `most` faults it is not called any more. */
export function guardedModule(module: MatcherModule, most: number): RunningModule {
  const guard = new LineGuard()
  const stopped = (work: () => void) => {
    if (!guard.run(work, callMs))
      throw new ModuleFault(`it was stopped, for it came to no end: it was at some lines for ${callMs / 1000} s`)
  }
  return new RunningModule(module, stopped, most)
}
