# SPDX-License-Identifier: Apache-2.0
#
# Completion of heliosproxy for bash: subcommands, flags, files.

_heliosproxy() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands="audit block blocked explain-login init kv refusals unblock" command word
  local flags="--admin --check --config --help --listen --log-level --plugins --server --version"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ " $commands " == *" $word "* ]] && command=$word && break
  done
  case $previous in
    -c | --config | --cert | --anchors) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --plugins | --state | --archive | init) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W "debug info warning error" -- "$current"); return ;;
  esac
  # The flags of a subcommand are those that it prints itself.
  if [[ -n $command && $current == -* ]]; then
    flags=$("${COMP_WORDS[0]}" "$command" --help 2>/dev/null | grep -o -e '--[a-z][a-z-]*' | sort -u)
  elif [[ -z $command && $current != -* ]]; then
    flags=$commands
  fi
  mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
}
complete -o filenames -F _heliosproxy heliosproxy
