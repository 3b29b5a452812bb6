/** Goes through the lines of a text, each of which ends with a newline, in order: `LineBlock.lines`. */
export function eachLine(text: string, search: RegExp | null, found: (start: number, end: number) => void): void {
  if (search === null) return everyLine(text, found)
  let start = 0
  search.lastIndex = 0
  // `test` makes no record of what it found: that a hit ends before its newline is all that is needed.
  while (start < text.length && search.test(text)) {
    const hit = search.lastIndex - 1
    let end = text.indexOf('\n', start)
    if (end < hit) {
      start = text.lastIndexOf('\n', hit) + 1
      end = text.indexOf('\n', hit)
    }
    found(start, end)
    start = end + 1
    search.lastIndex = start
  }
}

function everyLine(text: string, found: (start: number, end: number) => void): void {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start)
    found(start, end)
    start = end + 1
  }
}
