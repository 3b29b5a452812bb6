import { readFileSync } from 'node:fs'
import { instantiateSync } from '@assemblyscript/loader'

/** What `assembly/index.ts` exports; there it is said what each does. Addresses and lengths are bytes. */
export interface LineKernel extends Record<string, unknown> {
  configure(
    textAt: number,
    recordsAt: number,
    recordsTo: number,
    literalsAt: number,
    classesAt: number,
    frontsAt: number,
    shiftOfFronts: number,
    leavesAt: number,
    rulesAt: number,
  ): void
  renew(): void
  begin(from: number, to: number, withoutQuiet: boolean): void
  scan(): number
  written(): number
  linesSince(): number
  lastFrom(): number
  placeNow(): number
  missingNode(): number
  missingCode(): number
  missedFrom(): number
  missedTo(): number
  dayTexts(): number
  tellDay(full: boolean, zone: boolean, from: number, to: number): void
  sessionMarks(): number
  literalTables(): number
  literalSlots(): number
  literalSlot(window: number): number
}

/** Why `scan` of the kernel came back. */
export const cameBack = { done: 0, fullRecords: 1, oddLine: 2, missesFront: 3, missesRule: 4 } as const

/** A kernel that works in this memory. Its code lies beside the sources and not among the built files. */
export function startLineKernel(memory: WebAssembly.Memory): LineKernel {
  const code = new WebAssembly.Module(
    readFileSync(new URL('../../../../core/fail2ban/blocks/line-kernel.wasm', import.meta.url)),
  )
  return instantiateSync<LineKernel>(code, { env: { memory } }).exports
}
