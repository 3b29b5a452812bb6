/**
 * `bailiff/assembly`: what a matcher in AssemblyScript is written with. It exports
 *
 *   export function match(line: Text, found: Found): bool
 *
 * which is called for each line, says of one that tells of a failure what was found, and answers whether it does. It may
 * also export `literals` (lines without any of these texts are passed over at the speed of memory), `rules` (what the
 * numbers in `found.rule` are called) and `configure(options)`. `bailiff plugin build` adds the rest.
 */
export { Found } from './found'
export { Options } from './options'
export { Text } from './text'
export { unixMs } from './time'
