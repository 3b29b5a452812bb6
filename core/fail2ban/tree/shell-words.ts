import { quote, type Where } from '../../errors.ts'
import { treeProblem } from './problem.ts'

/**
 * Words as a POSIX shell would split them, as `shlex.split` of Python: quotes and backslashes, nothing else is special.
 * Throws a BailiffError, which names `where`, for a quote that is not closed and a backslash at the end.
 */
export function shellWords(text: string, where?: Where): string[] {
  const words: string[] = []
  let current: string | null = null
  let open: string | null = null
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === open) open = null
    else if (character === '\\' && open !== "'") {
      at += 1
      if (at === text.length) throw problem(text, 'ends in a backslash', where)
      const next = text.charAt(at)
      const isKept = open === '"' && next !== '"' && next !== '\\'
      current = (current ?? '') + (isKept ? character : '') + next
    } else if (open !== null) current += character
    else if (character === '"' || character === "'") {
      open = character
      current ??= ''
    } else if (/[ \t\r\n]/.test(character)) {
      if (current !== null) words.push(current)
      current = null
    } else current = (current ?? '') + character
  }
  if (open !== null) throw problem(text, 'has a quote that is not closed', where)
  return current === null ? words : [...words, current]
}

function problem(text: string, what: string, where: Where | undefined) {
  return treeProblem(`${quote(text)} ${what}`, where, 'quote words with spaces as in a shell: "a b"')
}
