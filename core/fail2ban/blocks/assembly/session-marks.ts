/** Which sessions may be remembered: a bit for the hash of the text by which each is known. */

/** Bits, as a power of two. */
const size = 16
const marks = memory.data(8192)

/** Where the marks are, one bit each. */
export function sessionMarks(): usize {
  return marks
}

/** FNV-1a; `core/fail2ban/blocks/session-marks.ts` has the same. */
export function sessionHash(from: usize, to: usize): u32 {
  let hash: u32 = 0x811c9dc5
  for (let at = from; at < to; at++) hash = (hash ^ <u32>load<u8>(at)) * 0x01000193
  return (hash ^ (hash >> size)) & ((1 << size) - 1)
}

export function isMarked(hash: u32): bool {
  return (load<u8>(marks + (hash >> 3)) & (1 << (hash & 7))) != 0
}

export function mark(hash: u32): void {
  const place = marks + (hash >> 3)
  store<u8>(place, load<u8>(place) | ((<u8>1) << (<u8>(hash & 7))))
}
