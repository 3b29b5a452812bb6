/**
 * The engine of filters that name a module of WebAssembly, for commands that scan in their own thread. The agent does
 * not use it: there each module has a thread of its own (`module-host.ts`).
 */
import { defineMatcher } from '../plugin.ts'
import { guardedModule } from './guarded-module.ts'
import { asOnePiece, createModuleScanner } from './module-scanner.ts'

const maxFaults = 8

export default defineMatcher({
  compile(filters) {
    return createModuleScanner(filters, { instanceOf: (module) => guardedModule(module, maxFaults), cut: asOnePiece })
  },
})
