import { createInterface } from 'node:readline/promises'
import { BailiffError } from '../errors.ts'

/**
 * Asks a person on the terminal; only `y` and `yes` are a yes. Throws a BailiffError (`usage`) where there is no
 * terminal to ask at.
 */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new BailiffError('usage', 'nothing was written: there is no terminal to ask at', {
      hint: 'say yes with --yes, or only look with --dry-run',
    })
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} [y/N] `)
    return /^y(?:es)?$/i.test(answer.trim())
  } catch {
    return false
  } finally {
    terminal.close()
  }
}
