import type { CommandWords, Completion } from './completion-tree.ts'

/**
 * Cases of a `case` as bash and zsh both have it. What stands for a value is put into `values`: `files`,
 * `=` and fixed words, or what is asked of `bailiff complete`.
 */

/** Of `COMMAND OPTION`, for all options that take a value: passes the value over. */
export function valuedCase(commands: readonly CommandWords[]): string {
  const patterns = commands.flatMap(({ name, options }) =>
    options.filter(({ takesValue }) => takesValue).flatMap(({ flags }) => flags.map((flag) => `'${name} ${flag}'`)),
  )
  return `    ${patterns.join(' | ')}) ((i++)) ;;`
}

/** Of `COMMAND OPTION`: what the value of each option may be. */
export function optionCases({ name, options }: CommandWords): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, value }) => {
      const patterns = flags.map((flag) => `'${name} ${flag}'`)
      return `  ${patterns.join(' | ')}) values='${valuesOf(value)}' ;;`
    })
}

/** Of `COMMAND NUMBER`: what each argument may be, from 0. */
export function argumentCases({ name, arguments: all, repeats }: CommandWords): string[] {
  return all.map((completion, index) => {
    const pattern = repeats && index === all.length - 1 ? `'${name} '*` : `'${name} ${index}'`
    return `    ${pattern}) values='${valuesOf(completion)}' ;;`
  })
}

function valuesOf(completion: Completion | null): string {
  if (completion === null) return ''
  if (completion.kind === 'files') return 'files'
  return completion.kind === 'words' ? `=${completion.words.join(' ')}` : completion.questions.join(' ')
}
