#!/usr/bin/env node
/** The command line. What there is to command stands in `commands.ts`. */
import './v8-settings.ts'
import { Command, CommanderError } from 'commander'
import { BailiffError, describeError, exitCodes, printable } from '../errors.ts'
import { asTyped } from './as-typed.ts'
import { addCommands } from './commands.ts'
import { readVersion } from './version.ts'

/** Who reads the output as JSON gets errors so, too: one object a line on standard error. */
const wantsJson = process.argv.slice(2, endOfOptions()).includes('--json')

/** Builds the program with the command that is wanted, or with every one where none is or it needs them. */
async function buildProgram(): Promise<Command> {
  const program = new Command('bailiff')
    .description(
      'Watches logs, finds the addresses that attack, bans them in the firewall for a time, and tells people.',
    )
    .version(readVersion(), '-V, --version', 'the version')
    .helpOption('-h, --help', 'what it does, with examples')
    .exitOverride()
    .showHelpAfterError(wantsJson ? false : '(--help tells more, with examples)')
    .addHelpText(
      'after',
      `
Examples:
  bailiff setup                     what is here, and a configuration for it
  bailiff check                     is the configuration right?
  bailiff doctor                    will bans come, and bite?
  bailiff run                       watch and ban (as root; Ctrl-C stops, bans stay)
  bailiff status sshd               who is banned, and what the jail has seen
  bailiff explain 192.0.2.7         why it is banned, or is not
  bailiff ban 192.0.2.7 --for 1d    ban an address yourself
  bailiff test sshd /var/log/auth.log

"bailiff COMMAND --help" has the options of a command and examples of its own.`,
    )
  await addCommands(program, process.argv[2])
  program.helpCommand('help [command]', 'the same as --help of a command')
  for (const command of program.commands) {
    command.exitOverride()
    // Commander writes what is wrong with the words of a command before it throws.
    if (wantsJson) command.configureOutput({ outputError: () => {} })
  }
  if (wantsJson) program.configureOutput({ outputError: () => {} })
  return program
}

// `bailiff check | head` has read enough: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`bailiff: standard output cannot be written: ${describeError(error)}\n`)
  process.exit(exitCodes.io)
})
// Whom nobody hears can only leave the exit code.
process.stderr.on('error', () => {})

try {
  const program = await buildProgram()
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** Says what went wrong on stderr and answers the exit code (sysexits.h). */
function report(error: unknown): number {
  const exitCode = exitCodeOf(error)
  if (error instanceof CommanderError) {
    if (exitCode !== 0 && wantsJson)
      reportJson({ kind: 'usage', message: error.message.replace(/^error: /, '') }, exitCode)
    return exitCode
  }
  // A configuration may have several (`InvalidSettings`, which is not loaded for every command).
  const problems = error instanceof BailiffError && 'problems' in error ? (error.problems as BailiffError[]) : [error]
  for (const problem of problems) {
    if (wantsJson) reportJson(problem instanceof BailiffError ? problem : { message: describeError(problem) }, exitCode)
    else process.stderr.write(`bailiff: ${asTyped(describeError(problem))}\n`)
  }
  if (error instanceof BailiffError || wantsJson) return exitCode
  if (process.env.BAILIFF_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  else process.stderr.write('  this is an error of Bailiff itself; BAILIFF_DEBUG=1 shows where\n')
  return exitCode
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  return error instanceof BailiffError ? exitCodes[error.kind] : exitCodes.software
}

/** `{"error":{"kind","message","where","hint","exitCode"}}`; what there is none of is left out. */
function reportJson(
  { kind = 'software', message, where, hint }: Partial<BailiffError> & { readonly message: string },
  exitCode: number,
): void {
  const clean = (_key: string, value: unknown) => (typeof value === 'string' ? printable(value) : value)
  process.stderr.write(`${JSON.stringify({ error: { kind, message, where, hint, exitCode } }, clean)}\n`)
}

/** What stands behind `--` is no option. */
function endOfOptions(): number | undefined {
  const at = process.argv.indexOf('--', 2)
  return at < 0 ? undefined : at
}
