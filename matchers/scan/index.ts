/**
 * The matcher in WebAssembly: see README.md. It takes filters of plain text whose dates are read as usual. A line of
 * which the kernel is not sure is given, alone, to the parts of `matchers/regexp`.
 */
import { defineMatcher } from '../../core/plugin.ts'
import { compileFrom } from './late-scanner.ts'

/** Bytes in large blocks that come before tables are made: they cost as much as these bytes cost without them. */
const bytesBefore = 256 * 1024

export default defineMatcher({ compile: (filters, kept) => compileFrom(filters, bytesBefore, kept) })
