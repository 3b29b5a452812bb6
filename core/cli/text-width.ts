/**
 * How many columns of a terminal a text takes, and texts cut to that. What knows of characters beyond ASCII is made
 * when there is one: the first takes 10 ms.
 */

/** The columns that a text without control characters takes. */
export function textWidth(text: string): number {
  if (isPlain(text)) return text.length
  let width = 0
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment)
  return width
}

/** The text, where it takes more than `columns` cut to so many, the last of them an `…`. No character is cut in two. */
export function cutToWidth(text: string, columns: number): string {
  if (isPlain(text) ? text.length <= columns : textWidth(text) <= columns) return text
  if (columns < 1) return ''
  let [kept, width] = ['', 0]
  for (const { segment } of graphemesOf(text.slice(0, columns * longestGrapheme))) {
    width += graphemeWidth(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return `${kept}…`
}

/** Two columns: Unicode's East Asian Width W and F (UAX #11), as near as the properties of regular expressions come to it. */
const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Yi}\u3000-\u303e\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}]|\ufe0f/u
/** No column of their own: marks that stand on the character before them, and what only joins or formats. */
const marksOnly = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
/** Nobody gets a look at megabytes of a text of which some columns are shown. */
const longestGrapheme = 32

function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text)
}

function graphemesOf(text: string): Intl.Segments {
  return new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)
}

function graphemeWidth(grapheme: string): number {
  if (marksOnly.test(grapheme)) return 0
  return wide.test(grapheme) ? 2 : 1
}
