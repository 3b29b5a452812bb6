/** A line in three parts: what stands before its date, the date, and what stands behind it. */
export type LogLine = readonly [before: string, date: string, after: string]

/** The line that patterns see: without its date, nothing in its place. */
export const undatedText = ([before, , after]: LogLine): string => before + after

/** The line as it was written. */
export const wholeText = ([before, date, after]: LogLine): string => before + date + after

/** The text that patterns search: the lines one below the other, each with a newline. */
export function searchedText(lines: readonly LogLine[]): string {
  const [first] = lines
  if (lines.length === 1 && first !== undefined) return `${first[0]}${first[2]}\n`
  return `${lines.map(undatedText).join('\n')}\n`
}
