import type { CommandWords, Completion } from './completion-tree.ts'

/** A script for fish 3. */
export function fishScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const head = `# Completion of bailiff for fish: bailiff completion fish > ~/.config/fish/completions/bailiff.fish
function __bailiff_ask
  set -l words (commandline -opc)
  set -l agent
  for i in (seq (count $words))
    if contains -- $words[$i] --socket --config -c; and test $i -lt (count $words)
      set agent $words[$i] $words[(math $i + 1)]
    end
  end
  $words[1] complete $argv $agent 2>/dev/null
end
complete -c bailiff -f
`
  const top = commands.map(
    ({ name, description }) =>
      `complete -c bailiff -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d ${quoted(description)}`,
  )
  return `${head}${[...top, ...commands.flatMap(ofCommand)].join('\n')}\n`
}

function ofCommand({ name, options, arguments: all }: CommandWords): string[] {
  const when = `complete -c bailiff -n '__fish_seen_subcommand_from ${name}'`
  const lines = options.map(({ flags, description, takesValue, value }) => {
    const spelled = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
    return `${when} ${spelled.join(' ')}${takesValue ? ` -x${valuesOf(value)}` : ''} -d ${quoted(description)}`
  })
  // fish counts no arguments, so what any of them may be is offered for each.
  return [...lines, ...all.flatMap((completion) => (completion === null ? [] : [`${when}${valuesOf(completion)}`]))]
}

function valuesOf(completion: Completion | null): string {
  if (completion === null) return ''
  if (completion.kind === 'files') return " -a '(__fish_complete_path (commandline -ct))'"
  if (completion.kind === 'words') return ` -a ${quoted(completion.words.join(' '))}`
  return ` -a '(__bailiff_ask ${completion.questions.join(' ')})'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
