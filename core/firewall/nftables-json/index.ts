/** Typed builders for libnftables-json(5), typed lists, and a runner for the program nft. See README.md. */
export * from './commands.ts'
export * from './nft-error.ts'
export * from './nft.ts'
export type * from './objects.ts'
export * from './ruleset.ts'
