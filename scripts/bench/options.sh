# shellcheck shell=bash
# Sourced by the scripts beside this file that take numbers only.

# number_options "NAME..." ARGUMENT...: sets the variable of each option --NAME N, in whose name a `-` is a `_`. Needs `usage`.
number_options() {
    local names=" $1 " name
    shift
    while (($#)); do
        if [[ $1 == -h || $1 == --help ]]; then
            usage
            exit 0
        fi
        name=${1#--}
        if [[ $1 != --?* || $names != *" $name "* ]]; then
            usage >&2
            exit 2
        fi
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "${0##*/}: $1 needs a whole number above 0" >&2; exit 2; }
        declare -g "${name//-/_}=$2"
        shift 2
    done
}
