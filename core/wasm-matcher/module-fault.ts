import { matcherAbi } from './abi.ts'

/** What a matcher in WebAssembly did that it must not. The message says so for people, without its name. */
export class ModuleFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ModuleFault'
  }
}

/** Throws a ModuleFault where a module is not of the version of the interface that there is. */
export function checkVersion(version: number): void {
  if (version === matcherAbi) return
  // In C, Rust and Zig a global that is exported is its address, and those begin at 1024 or above.
  const address = version < 1024 ? '' : '; a language that exports the address of a global has a function bailiff_abi'
  throw new ModuleFault(`it was made for version ${version} of the interface; this Bailiff has ${matcherAbi}${address}`)
}
