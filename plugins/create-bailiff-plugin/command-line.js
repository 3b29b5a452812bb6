import { parseArgs } from 'node:util'
import { quote, UsageError } from './usage-error.js'
import { kinds, languages, nearest } from './templates.js'

/**
 * What the command line says; what it does not say is undefined. Throws a UsageError for what it cannot mean.
 * @param {string[]} words
 */
export function readCommandLine(words) {
  const { values, positionals } = parsed(words)
  const [name, more] = positionals
  if (more !== undefined)
    throw new UsageError(`one name is enough, but there is also ${quote(more)}`, {
      hint: 'options come behind two dashes: npm create bailiff-plugin edge -- --kind action',
    })
  return {
    ...values,
    name,
    kind: oneOf('--kind', values.kind, kinds()),
    language: oneOf('--language', values.language, languages()),
  }
}

function parsed(words) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        kind: { type: 'string' },
        language: { type: 'string' },
        bailiff: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(why.split('. ')[0].slice(0, 200), { hint: 'npm create bailiff-plugin -- --help' })
  }
}

function oneOf(option, given, allowed) {
  if (given === undefined) return undefined
  // As people say it.
  const meant = { javascript: 'js', typescript: 'ts' }[given.toLowerCase()] ?? given.toLowerCase()
  if (allowed.includes(meant)) return meant
  const near = nearest(meant, allowed)
  throw new UsageError(
    `${option} ${quote(given)}: there is none; ${near === undefined ? `there are ${allowed.join(', ')}` : `did you mean ${near}?`}`,
  )
}
