import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Argument, type Command } from 'commander'
import { connectControl, type ControlClient } from '../control/client.ts'
import { builtInFilters, defaultPlaces } from '../settings/places.ts'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { bashScript } from './completion-bash.ts'
import { fishScript } from './completion-fish.ts'
import { commandWords, questions, type CommandWords, type Question } from './completion-tree.ts'
import { zshScript } from './completion-zsh.ts'
import { print } from './output.ts'

const scripts: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** `bailiff completion`, and the hidden `bailiff complete` that its scripts ask. */
export default function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('a script with which a shell completes commands, jails, filters and banned addresses')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .option('--json', 'the script as a JSON object')
    .addHelpText(
      'after',
      `
Examples:
  source <(bailiff completion bash)
  bailiff completion bash > /etc/bash_completion.d/bailiff
  bailiff completion zsh > /usr/local/share/zsh/site-functions/_bailiff
  bailiff completion fish > ~/.config/fish/completions/bailiff.fish`,
    )
    .action((shell: string, options: { readonly json?: true }) => {
      const script = scripts[shell]?.(commandWords(program)) ?? ''
      if (options.json) print(JSON.stringify({ shell, script }, null, 2))
      else process.stdout.write(script)
    })
  const complete = program
    .command('complete', { hidden: true })
    .addArgument(new Argument('<what...>').choices([...questions]))
  addSocketOptions(complete).action(async (what: Question[], options: SocketOptions) => {
    // Whoever presses a key wants no error.
    const words = await answers(what, options).catch(() => [])
    if (words.length > 0) print([...new Set(words)].join('\n'))
  })
}

async function answers(what: readonly Question[], options: SocketOptions): Promise<string[]> {
  const found: string[] = []
  if (what.includes('filters')) found.push(...(await filterNames(options.config)))
  const rest = what.filter((each) => each !== 'filters')
  if (rest.length === 0) return found
  const known = await (await quickly(options)).words().catch(() => null)
  return [...found, ...rest.flatMap((each) => known?.[each] ?? [])]
}

async function filterNames(config: string | undefined): Promise<string[]> {
  const { FilterLibrary } = await import('../settings/filter-library.ts')
  const { InstalledPackages } = await import('../settings/installed-packages.ts')
  const folders = config === undefined ? defaultPlaces().configFolders : [dirname(config)]
  const library = new FilterLibrary(
    [...folders.map((folder) => join(folder, 'filters')), builtInFilters],
    new InstalledPackages(join(defaultPlaces().state, 'packages')),
  )
  return [...(await library.names()).keys()]
}

/** Reading a configuration takes most of the time, so the usual socket is tried first. */
async function quickly(options: SocketOptions): Promise<ControlClient> {
  const { control } = defaultPlaces()
  const isPlain = options.socket === undefined && options.config === undefined
  return isPlain && existsSync(control) ? connectControl([control]) : agentAt(options)
}
