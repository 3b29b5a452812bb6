/** What a shell can complete, read from the commander tree: nothing is listed a second time. */
import type { Argument, Command, Option } from 'commander'

/** What stands for an option's value or an argument: fixed words, files, or words that the agent knows. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'asked'; readonly questions: readonly Question[] }

/** What can be asked of `bailiff complete`. */
export const questions = ['jails', 'lists', 'allowed', 'banned', 'filters'] as const
export type Question = (typeof questions)[number]

export interface OptionWords {
  /** `--config`, `-c`. */
  readonly flags: readonly string[]
  readonly description: string
  /** Of its value; null: it takes none, or nobody knows any. */
  readonly value: Completion | null
  readonly takesValue: boolean
}

export interface CommandWords {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  /** Of its arguments, the last for all that follow where it may come several times. */
  readonly arguments: readonly (Completion | null)[]
  readonly repeats: boolean
}

const lengths: Completion = { kind: 'words', words: ['10m', '1h', '2h', '1d', '1w', '30d', 'permanent'] }
const files: Completion = { kind: 'files' }
const asked = (...questions: Question[]): Completion => ({ kind: 'asked', questions })

/** By the name of a value or of an argument, as the help shows it: `<jail>`, `--file <list>`. */
const byOption: Readonly<Record<string, Completion>> = {
  '--config': files,
  '--socket': files,
  '--fail2ban': files,
  '--file': files,
  '--against': files,
  '--for': lengths,
  '--jail': asked('jails'),
  '--name': asked('lists'),
  '--filter': asked('filters'),
}
const byArgument: Readonly<Record<string, Completion>> = {
  jail: asked('jails', 'banned'),
  filter: asked('filters', 'jails'),
  address: asked('banned', 'allowed'),
  log: files,
  file: files,
}

/** All commands that people see. */
export function commandWords(program: Command): CommandWords[] {
  const visible = program.createHelp().visibleCommands(program)
  return visible
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      options: command.createHelp().visibleOptions(command).map(optionWords),
      arguments:
        command.commands.length > 0
          ? [{ kind: 'words', words: command.commands.map((one) => one.name()) }]
          : command.registeredArguments.map(argumentWords),
      repeats: command.registeredArguments.at(-1)?.variadic ?? false,
    }))
}

function optionWords(option: Option): OptionWords {
  const flags = [option.long, option.short].filter((flag) => flag !== undefined && flag !== null)
  const takesValue = option.required || option.optional
  return {
    flags,
    description: option.description,
    takesValue,
    value: takesValue ? (choices(option) ?? byOption[option.long ?? ''] ?? null) : null,
  }
}

function argumentWords(argument: Argument): Completion | null {
  return choices(argument) ?? byArgument[argument.name()] ?? null
}

function choices({ argChoices }: { readonly argChoices?: readonly string[] | undefined }): Completion | null {
  return argChoices === undefined ? null : { kind: 'words', words: argChoices }
}
