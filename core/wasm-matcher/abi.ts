/**
 * How the host and a matcher in WebAssembly speak. `docs/wasm-matchers.md` has the same in words, for who writes one
 * without our library.
 *
 * The module imports `env.memory` and nothing else, and exports the constant `bailiff_abi` (i32), or a function of this name
 * that answers it, and two functions:
 *
 * - `bailiff_buffer(bytes: i32): i32` answers where that many bytes may be written; 0: there is no room.
 * - `bailiff_scan(from: i32, bytes: i32): i32` looks at the lines of the buffer from offset `from` on and answers where its
 *   answer lies: two u32, how many records, and the offset at which to go on (a begin of a line; `bytes`: it is done),
 *   then 8 bytes that mean nothing, then the records. It is called again until it is done.
 *
 * It may export `bailiff_options(bytes: i32): i32`, which is called once, before any scan, with `name=value` lines in the
 * buffer, and answers 0, or where a complaint lies: UTF-8, ended by a zero. A custom section `bailiff` may hold JSON,
 * `{ "rules": ["…"] }`: what its rules are called.
 */

/** The version of the above, a whole number. It grows when a module that was written for it might no longer work. */
export const matcherAbi = 1

/** Bytes of a record. Records lie on a border of 8. */
export const recordBytes = 64
/** Bytes before the first record of an answer. */
export const answerBytes = 16

/** Where in a record the u32 fields are, in units of 4 bytes. Offsets count from the begin of the buffer. */
export const field = {
  lineStart: 2,
  /** Where its newline is. */
  lineEnd: 3,
  addressStart: 4,
  addressEnd: 5,
  rule: 6,
  /** Zero. */
  reserved: 7,
  /** The date as it stands in the line; an empty span: the time counts, or what the host finds. */
  dateStart: 8,
  dateEnd: 9,
  userStart: 10,
  userEnd: 11,
  /** What names the connection of the line. */
  sessionStart: 12,
  sessionEnd: 13,
  reserved2: 14,
  reserved3: 15,
} as const

/** The first 8 bytes of a record: an f64, unix milliseconds; NaN: the date, or what the host finds in the line. */
export const latestTime = 253_402_300_799_999

/** Rules are numbered from 0. */
export const maxRules = 1024
/** Lines are handed over in pieces of so many bytes at most, so that one piece can have a deadline. */
export const maxPieceBytes = 262_144
export const pageBytes = 65_536
/** The memory that the host makes has this maximum, or that of the module where it is smaller. */
export const maxMemoryBytes = 64 * 1024 * 1024
/** A larger module is refused. */
export const maxModuleBytes = 4 * 1024 * 1024
/** The custom section, and what may be in it. */
export const sectionName = 'bailiff'
export const maxSectionBytes = 65_536
