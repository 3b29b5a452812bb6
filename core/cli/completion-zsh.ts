import { argumentCases, optionCases, valuedCase } from './completion-cases.ts'
import type { CommandWords } from './completion-tree.ts'

/** A script for zsh, as a file `_bailiff` on the fpath or sourced. */
export function zshScript(commands: readonly CommandWords[]): string {
  return `#compdef bailiff
# Completion of bailiff for zsh: bailiff completion zsh > "\${fpath[1]}/_bailiff"
_bailiff() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} command= values= word=
  local -a agent found options commands
  integer i given=0
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case $word in
    --socket | --config | -c) agent=($word \${words[i+1]}) ;;
    esac
    case "$command $word" in
${valuedCase(commands)}
    *' '-*) ;;
    ' '*) command=$word ;;
    *) ((given++)) ;;
    esac
  done
  case "$command $prev" in
${commands.flatMap(optionCases).join('\n')}
  *)
    case $command in
    '') commands=(${commands.map(({ name, description }) => quoted(`${name}:${description}`)).join(' ')}) ;;
${commands.map(optionList).join('\n')}
    esac
    case "$command $given" in
${commands.flatMap(argumentCases).join('\n')}
    esac
    ;;
  esac
  if ((\${#commands})) && [[ $cur != -* ]]; then
    _describe command commands
  elif [[ $cur == -* ]] && ((\${#options})); then
    _describe -o option options
  elif [[ $values == files ]]; then
    _files
  elif [[ $values == '='* ]]; then
    compadd -- \${=values#=}
  elif [[ -n $values ]]; then
    found=(\${(f)"$(\${words[1]} complete \${=values} $agent 2>/dev/null)"})
    compadd -- $found
  fi
}
# Sourced, not found on the fpath.
if [[ \${funcstack[1]} == _bailiff ]]; then _bailiff "$@"; elif (($+functions[compdef])); then compdef _bailiff bailiff; fi
`
}

function optionList({ name, options }: CommandWords): string {
  const described = options.flatMap(({ flags, description }) => flags.map((flag) => quoted(`${flag}:${description}`)))
  return `    ${name}) options=(${described.join(' ')}) ;;`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
