import { argumentCases, optionCases, valuedCase } from './completion-cases.ts'
import type { CommandWords } from './completion-tree.ts'

/** A script for bash 4.3 and later; it needs nothing but bash. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# Completion of bailiff for bash: source <(bailiff completion bash)
_bailiff() {
  local line=\${COMP_LINE:0:COMP_POINT} cur= command= values= options= i= prefix=
  local -a words=() agent=() found=()
  local -i given=0
  # COMP_WORDS cuts IPv6 addresses at their colons.
  read -ra words <<<"$line"
  if [[ $line != *[[:blank:]] ]]; then
    cur=\${words[-1]}
    unset 'words[-1]'
  fi
  for ((i = 1; i < \${#words[@]}; i++)); do
    case "$command \${words[i]}" in
${valuedCase(commands)}
    *' '-*) ;;
    ' '*) command=\${words[i]} ;;
    *) given+=1 ;;
    esac
  done
  for ((i = 1; i + 1 < \${#words[@]}; i++)); do
    case \${words[i]} in
    --socket | --config | -c) agent=("\${words[i]}" "\${words[i + 1]}") ;;
    esac
  done
  case "$command \${words[-1]}" in
${commands.flatMap(optionCases).join('\n')}
  *)
    case "$command $given" in
    ' '*) values='=${commands.map(({ name }) => name).join(' ')}' ;;
${commands.flatMap(argumentCases).join('\n')}
    esac
    case $command in
    '') options='--help --version' ;;
${commands.map(({ name, options }) => `    ${name}) options='${options.flatMap(({ flags }) => flags).join(' ')}' ;;`).join('\n')}
    esac
    ;;
  esac
  COMPREPLY=()
  if [[ $cur == -* && -n $options ]]; then
    mapfile -t found < <(compgen -W "$options" -- "$cur")
  elif [[ $values == files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t found < <(compgen -f -- "$cur")
  elif [[ $values == =* ]]; then
    mapfile -t found < <(compgen -W "\${values#=}" -- "$cur")
  elif [[ -n $values ]]; then
    mapfile -t found < <(compgen -W "$("\${words[0]}" complete $values "\${agent[@]}" 2>/dev/null)" -- "$cur")
  fi
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    prefix=\${cur%"\${cur##*:}"}
    found=("\${found[@]#"$prefix"}")
  fi
  COMPREPLY=("\${found[@]}")
}
complete -F _bailiff bailiff
`
}
