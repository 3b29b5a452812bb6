import { readFileSync } from 'node:fs'
import { instantiateSync } from '@assemblyscript/loader'

/** What `assembly/index.ts` exports; there it is said what each does. Addresses and lengths are bytes. */
export interface Kernel extends Record<string, unknown> {
  configure(
    textAt: number,
    recordsAt: number,
    recordsTo: number,
    automataAt: number,
    rowsAt: number,
    bytesOfRow: number,
    scratchAt: number,
    notesAt: number,
    bytesOfNotes: number,
    minutesAt: number,
    programsAt: number,
    literalsAt: number,
  ): void
  begin(from: number, to: number, onlyWithLiterals: boolean, withoutRecords: boolean): void
  countedRecords(): number
  scan(): number
  written(): number
  lookedBytes(): number
  answeredBytes(): number
  missedFrom(): number
  missedTo(): number
  missedCutFrom(): number
  missedCutTo(): number
  tellTime(time: number, steady: boolean): void
  missedProgramFrom(): number
  missedProgramTo(): number
  tellProgram(row: number): void
  missingAutomaton(): number
  missingState(): number
  missingClass(): number
  literalTables(): number
  literalSlots(): number
  literalSlot(window: number): number
  hasLongLine(from: number, end: number, most: number): boolean
  newlines(from: number, end: number): number
  readAddress(from: number, to: number): number
  addressWords(): number
}

/** Why `scan` of the kernel came back. */
export const cameBack = { done: 0, fullRecords: 1, missesMinute: 2, missesProgram: 3, missesState: 4 } as const

/** Compiled code of the kernel, from which any number of kernels is made. */
export function loadKernelCode(): WebAssembly.Module {
  return new WebAssembly.Module(kernelBytes())
}

/** Beside the sources and not among the built files. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return readFileSync(new URL('../../../matchers/scan/scan.wasm', import.meta.url))
}

/** A kernel that works in this memory. */
export function startKernel(code: WebAssembly.Module, memory: WebAssembly.Memory): Kernel {
  return instantiateSync<Kernel>(code, { env: { memory } }).exports
}
