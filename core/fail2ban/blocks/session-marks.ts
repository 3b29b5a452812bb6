import type { LineKernel } from './line-kernel.ts'

/** Bytes of the marks, and bits of a hash: as in `assembly/session-marks.ts`. */
const [markBytes, hashBits] = [8192, 16]

/** Marks these sessions, and no others, as ones that may be remembered. Only texts of ASCII can stand in lines of ASCII. */
export function markSessions(sessions: Iterable<string>, memory: Uint8Array, kernel: LineKernel): void {
  const at = kernel.sessionMarks()
  memory.fill(0, at, at + markBytes)
  for (const session of sessions) {
    const hash = sessionHash(session)
    memory[at + (hash >> 3)] = (memory[at + (hash >> 3)] ?? 0) | (1 << (hash & 7))
  }
}

/** FNV-1a, folded (http://www.isthe.com/chongo/tech/comp/fnv/). */
function sessionHash(session: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < session.length; index++) hash = Math.imul(hash ^ session.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> hashBits)) & ((1 << hashBits) - 1)
}
