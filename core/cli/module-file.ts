import { readFileSync } from 'node:fs'
import { isMatcherSource } from '../wasm-matcher/matcher-source.ts'

/** Whether a file is a matcher in WebAssembly, or in AssemblyScript. */
export function isModuleFile(file: string): boolean {
  return file.endsWith('.wasm') || (file.endsWith('.ts') && isMatcherSource(readFileSync(file, 'utf8')))
}
