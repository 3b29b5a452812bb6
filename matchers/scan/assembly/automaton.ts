/**
 * Runs the automata whose tables `matchers/scan/automaton.ts` makes. A text is read backwards first: that is linear,
 * takes one look-up a byte, and most texts end it soon. What state it was in is noted for each place. Then the way
 * forward is led by the notes: at each choice the first way is taken if it can come to a match at all, so nothing is
 * ever taken back, and what groups capture is what V8 would capture.
 */

/** A u16 for each place of the text that is gone over. */
let notes: usize = 0

/** What `read` and `walk` could not go on for: a transition that nobody made yet. */
export let missedState: u32 = 0
export let missedClass: u32 = 0

/** Answers of `read` beside the place of a verdict. */
export const noMatch: usize = 0
export const missed: usize = 1
export const notAscii: usize = 2

/** What `readBoth` would have answered for its second text alone. */
export let second: usize = 0

export function useNotes(at: usize): void {
  notes = at
}

/** What is to be done with the text: where the verdict is, or one of the answers above. */
export function read(automaton: usize, from: usize, to: usize): usize {
  const place = notes + ((to - from) << 1)
  const state = load<u32>(automaton)
  store<u16>(place, <u16>state)
  return readOn(automaton, state, from, to, place)
}

/**
 * As `read` of two texts, the second of which has notes of its own. A look-up waits for the one before it, but not for
 * that of another text: so both take hardly longer than one.
 */
export function readBoth(automaton: usize, from: usize, to: usize, from2: usize, to2: usize, notes2: usize): usize {
  const trans = <usize>load<u32>(automaton, 4)
  const shift = load<u32>(automaton, 8) + 1
  const classes = <usize>load<u32>(automaton, 12)
  let state = load<u32>(automaton)
  let state2 = state
  let place = notes + ((to - from) << 1)
  let place2 = notes2 + ((to2 - from2) << 1)
  store<u16>(place, <u16>state)
  store<u16>(place2, <u16>state)
  let at = to
  let at2 = to2
  for (let turns = min(to - from, to2 - from2) >> 2; turns > 0; turns--) {
    let now = state
    let now2 = state2
    now = step(trans, shift, classes, now, at - 1, place - 2)
    now2 = step(trans, shift, classes, now2, at2 - 1, place2 - 2)
    now = step(trans, shift, classes, now, at - 2, place - 4)
    now2 = step(trans, shift, classes, now2, at2 - 2, place2 - 4)
    now = step(trans, shift, classes, now, at - 3, place - 6)
    now2 = step(trans, shift, classes, now2, at2 - 3, place2 - 6)
    now = step(trans, shift, classes, now, at - 4, place - 8)
    now2 = step(trans, shift, classes, now2, at2 - 4, place2 - 8)
    if (now < 3 || now2 < 3) break
    at -= 4
    at2 -= 4
    place -= 8
    place2 -= 8
    state = now
    state2 = now2
  }
  second = readOn(automaton, state2, from2, at2, place2)
  return readOn(automaton, state, from, at, place)
}

/** Goes on with `read` where it is in this state, which is noted there. */
function readOn(automaton: usize, begin: u32, from: usize, to: usize, begun: usize): usize {
  const trans = <usize>load<u32>(automaton, 4)
  // Of a transition, in bytes; classes are counted so too.
  const shift = load<u32>(automaton, 8) + 1
  const classes = <usize>load<u32>(automaton, 12)
  let state = begin
  let place = begun
  let at = to
  for (let turns = (to - from) >> 2; turns > 0; turns--) {
    let now = step(trans, shift, classes, state, at - 1, place - 2)
    now = step(trans, shift, classes, now, at - 2, place - 4)
    now = step(trans, shift, classes, now, at - 3, place - 6)
    now = step(trans, shift, classes, now, at - 4, place - 8)
    if (now < 3) break
    at -= 4
    place -= 8
    state = now
  }
  while (at > from) {
    at--
    place -= 2
    const next = step(trans, shift, classes, state, at, place)
    if (next < 3) {
      if (next == 0) {
        missedState = state
        missedClass = <u32>load<u16>(classes + ((<usize>load<u8>(at)) << 1)) >> 1
        return missed
      }
      return next == 1 ? noMatch : notAscii
    }
    state = next
  }
  return <usize>load<u32>(<usize>load<u32>(automaton, 16) + (state << 2))
}

/** The state before the byte there, which is noted. What is no state leads to itself. */
function step(trans: usize, shift: u32, classes: usize, state: u32, at: usize, place: usize): u32 {
  const byteClass = <usize>load<u16>(classes + ((<usize>load<u8>(at)) << 1))
  const next = <u32>load<u16>(((<usize>state) << shift) + (trans + byteClass))
  store<u16>(place, <u16>next)
  return next
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
