import type { LineSpan } from './messages.ts'

/** Lines of a chunk that are looked at only to see what they look like. */
const samples = 8
/** Of no more text than this the first lines are taken: a live log brings a few at a time. */
const shortText = 4096

/** Some whole lines of a part of a text, evenly spread; the spans have their newlines. */
export function sampleLines(text: string, { start, end }: LineSpan): LineSpan[] {
  const length = end - start
  const step = length <= shortText ? 0 : length / samples
  const found: LineSpan[] = []
  let next = start
  for (let sample = 0; sample < samples && next < end; sample++) {
    const from = start + Math.floor(sample * step)
    const before = from <= next ? next - 1 : text.indexOf('\n', from)
    if (from > next && before < 0) break
    const at = before + 1
    const newline = text.indexOf('\n', at)
    if (newline < 0 || newline >= end) break
    next = newline + 1
    found.push({ start: at, end: next })
  }
  return found
}
