import { describeError, type BailiffError } from '../errors.ts'
import type { Command, CommandValue } from '../fail2ban/tree/command.ts'
import { prettyLiteral } from '../fail2ban/tree/pretty-literal.ts'
import { pythonLiteral } from '../fail2ban/tree/python-text.ts'
import { readTree } from '../fail2ban/tree/tree.ts'
import type { DumpOptions } from './config.ts'
import { print } from './output.ts'

/**
 * Prints the commands that Fail2ban's reader makes of a configuration folder: lists as Python writes them, one a line, or
 * one JSON array. Throws an `InvalidSettings` with all that is wrong once they are printed; what is odd goes to standard
 * error.
 */
export async function dumpTree(
  jails: readonly string[],
  { fail2ban, all, as, json, pretty }: DumpOptions,
): Promise<void> {
  const wanted = jails.length > 0 ? jails : all ? 'all' : 'enabled'
  const tree = await readTree(fail2ban, { jails: wanted, ...(as !== undefined && { version: as }) })
  for (const warning of tree.warnings)
    process.stderr.write(`${json ? warningAsJson(warning) : `warning: ${describeError(warning)}`}\n`)
  if (json) print(asJson(tree.stream))
  else for (const command of tree.stream) print(pretty ? prettyLiteral(command) : pythonLiteral(command))
  const [first, ...others] = tree.problems
  if (first === undefined) return
  const { InvalidSettings } = await import('../settings/load-settings.ts')
  throw new InvalidSettings([first, ...others])
}

/** One command a line, no control character anywhere. */
function asJson(commands: readonly Command[]): string {
  return `[\n${commands.map((command) => `  ${jsonOf(command)}`).join(',\n')}\n]`
}

function jsonOf(value: CommandValue): string {
  if (typeof value === 'string') return jsonText(value)
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map((one: CommandValue) => jsonOf(one)).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, part]) => `${jsonText(name)}: ${jsonOf(part)}`)
    .join(', ')}}`
}

function warningAsJson({ message, where, hint }: BailiffError): string {
  return JSON.stringify({ warning: { message, where, hint } }).replace(unprintable, escapeUnit)
}

function jsonText(text: string): string {
  return JSON.stringify(text).replace(unprintable, escapeUnit)
}

const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
