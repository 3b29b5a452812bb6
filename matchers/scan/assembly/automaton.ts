/**
 * Runs the automata whose tables `matchers/scan/automaton.ts` makes. A text is read backwards first: that is linear,
 * takes one look-up a byte, and most texts end it soon. What state it was in is noted for each place. Then the way
 * forward is led by the notes: at each choice the first way is taken if it can come to a match at all, so nothing is
 * ever taken back, and what groups capture is what V8 would capture.
 */

/** A u16 for each place of the longest text. */
let notes: usize = 0

/** What `read` and `walk` could not go on for: a transition that nobody made yet. */
export let missedState: u32 = 0
export let missedClass: u32 = 0

/** Answers of `read` beside the place of a verdict. */
export const noMatch: usize = 0
export const missed: usize = 1
export const notAscii: usize = 2

export function useNotes(at: usize): void {
  notes = at
}

/** What is to be done with the text: where the verdict is, or one of the answers above. */
export function read(automaton: usize, from: usize, to: usize): usize {
  const trans = <usize>load<u32>(automaton, 4)
  // Of a transition, in bytes; classes are counted so too.
  const shift = load<u32>(automaton, 8) + 1
  const classes = <usize>load<u32>(automaton, 12)
  let state = load<u32>(automaton)
  let place = notes + ((to - from) << 1)
  store<u16>(place, <u16>state)
  for (let at = to; at > from;) {
    at--
    place -= 2
    const byteClass = <usize>load<u16>(classes + ((<usize>load<u8>(at)) << 1))
    const next = <u32>load<u16>(((<usize>state) << shift) + (trans + byteClass))
    if (next < 3) {
      if (next == 0) {
        missedState = state
        missedClass = <u32>byteClass >> 1
        return missed
      }
      return next == 1 ? noMatch : notAscii
    }
    state = next
    store<u16>(place, <u16>state)
  }
  return <usize>load<u32>(<usize>load<u32>(automaton, 16) + (state << 2))
}

/**
 * Goes the way of the match from the node `start`, over the text that was read last. Writes where groups begin and
 * end into `captures`, a word a slot, counted from `origin`.
 */
export function walk(automaton: usize, start: u32, from: usize, origin: usize, captures: usize): void {
  const bits = <usize>load<u32>(automaton, 20)
  const bytes = load<u32>(automaton, 24)
  const nodes = <usize>load<u32>(automaton, 28)
  let at = from
  let entry = nodes + ((<usize>start) << 4)
  while (true) {
    const op = load<u32>(entry)
    let next = load<u32>(entry, 4)
    if (op == 0) at += load<u32>(entry, 8)
    else if (op == 1) {
      const choice = load<u32>(entry, 12)
      const state = <u32>load<u16>(notes + ((at - from) << 1))
      if (!(load<u8>(bits + state * bytes + (choice >> 3)) & (1 << (choice & 7)))) next = load<u32>(entry, 8)
    } else if (op == 2) store<u32>(captures + (load<u32>(entry, 8) << 2), <u32>(at - origin))
    else if (op == 5) {
      // Byte after byte, as long as the choice goes on.
      const choice = load<u32>(entry, 8)
      const mask: u32 = 1 << (choice & 7)
      const on = load<u32>(entry, 12) * mask
      const column = bits + (choice >> 3)
      let place = notes + ((at - from) << 1)
      const first = place
      while ((load<u8>(column + <u32>load<u16>(place) * bytes) & mask) == on) place += 2
      at += (place - first) >> 1
    } else if (op == 4) return
    entry = nodes + ((<usize>next) << 4)
  }
}
