# What every program on a host starts with. Values come as shell variables; scripts never contain any.
set -euo pipefail
export LC_ALL=C.UTF-8 PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" DEBIAN_FRONTEND=noninteractive
umask 022
ours=/var/lib/hypercompose
before=$ours/before/$step

# The package family is a fact of the host, not a setting.
family=$(. /etc/os-release && case " $ID ${ID_LIKE:-} " in
    *" rhel "* | *" fedora "* | *" rocky "*) echo dnf ;;
    *" debian "* | *" ubuntu "*) echo apt ;;
    *) echo "unknown ($ID)" ;;
esac)

# fact PART… := VALUE, or fact PART… :: ITEM…: one line of what a check has found.
fact() {
    local out='' part
    for part; do
        part=${part//\\/\\\\} part=${part//$'\n'/\\n} part=${part//$'\t'/\\t}
        out+=$part$'\t'
    done
    printf '%s\n' "${out%?}"
}

# note PART := VALUE: worth telling, not compared.
note() { fact '#' "$@"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 64
}

# slurp PATH: all of a file in $REPLY, with the line ends that $(…) would take away; nothing where there is none.
slurp() {
    REPLY=
    if [ -f "$1" ]; then IFS= read -r -d '' REPLY <"$1" || true; fi
}

# file_state PATH MODE CONTENT: how a file that is ours differs from what we wrote.
file_state() {
    if [ ! -e "$1" ]; then
        echo absent
    elif [ "$(cat -- "$1" && echo .)" != "$3." ]; then
        echo changed
    elif [ "$(stat -c %a -- "$1")" != "${2#0}" ]; then
        echo "mode $(stat -c %a -- "$1")"
    else
        echo 'as written'
    fi
}

# own_file PATH MODE CONTENT [VALIDATOR…]: the whole file is ours from now on. The validator gets the new file as its last
# argument before the old one is replaced; what was there is kept once, for the revert.
own_file() {
    local path=$1 mode=$2 content=$3
    shift 3
    [ "$(file_state "$path" "$mode" "$content")" != 'as written' ] || return 0
    own_folder "$(dirname -- "$path")"
    keep_original "$path"
    written=$(mktemp -- "$(dirname -- "$path")/.hypercompose.XXXXXX")
    printf %s "$content" >"$written"
    chmod "$mode" -- "$written"
    if [ $# -gt 0 ]; then "$@" "$written" || fail "$path: the new content is refused, the old file stays"; fi
    sync -- "$written"
    mv -f -- "$written" "$path"
    written=
    if command -v restorecon >/dev/null; then restorecon -F -- "$path"; fi
}

# disown_file PATH: what was there before us is there again.
disown_file() {
    if [ -e "$ours/originals$1" ] || [ -L "$ours/originals$1" ]; then
        mkdir -p -- "$(dirname -- "$1")"
        cp -a -- "$ours/originals$1" "$1.hypercompose"
        mv -f -- "$1.hypercompose" "$1"
        rm -f -- "$ours/originals$1"
    elif [ -e "$ours/absent$1" ]; then
        rm -f -- "$1" "$ours/absent$1"
        disown_folder "$(dirname -- "$1")"
    fi
}

keep_original() {
    if [ -e "$ours/originals$1" ] || [ -L "$ours/originals$1" ] || [ -e "$ours/absent$1" ]; then return 0; fi
    local kept=originals
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then kept=absent; fi
    mkdir -p -- "$ours/$kept$(dirname -- "$1")"
    if [ "$kept" = absent ]; then
        : >"$ours/absent$1"
    else
        cp -a -- "$1" "$ours/originals$1.new"
        mv -f -- "$ours/originals$1.new" "$ours/originals$1"
    fi
}

own_folder() {
    [ ! -d "$1" ] || return 0
    own_folder "$(dirname -- "$1")"
    mkdir -m "${2:-0755}" -- "$1"
    mkdir -p -- "$ours/folders$1"
    : >"$ours/folders$1/.made"
}

disown_folder() {
    if [ -e "$ours/folders$1/.made" ] && { [ ! -e "$1" ] || rmdir -- "$1" 2>/dev/null; }; then
        rm -f -- "$ours/folders$1/.made"
        disown_folder "$(dirname -- "$1")"
    fi
}

# remember KEY VALUE: how something was before us, once. recall KEY prints it; recalls nothing where nothing was remembered.
remember() {
    [ ! -e "$before/$1" ] || return 0
    mkdir -p -- "$before"
    printf %s "$2" >"$before/$1.new"
    mv -f -- "$before/$1.new" "$before/$1"
}
recall() { cat -- "$before/$1" 2>/dev/null || true; }
remembered() { [ -e "$before/$1" ]; }
forget() { rm -f -- "$before/$1"; }

# remembered_below PREFIX: the rest of each key that starts so.
remembered_below() {
    local file
    for file in "$before/$1"*; do
        [ ! -e "$file" ] || [[ $file = *.new ]] || printf '%s\n' "${file#"$before/$1"}"
    done
}

# Services read their files when they start: `due` stands from before a file changes until the restart is through.
due=/run/hypercompose/$step.due

# unit_state UNIT…: how systemd has each, as two words: `enabled active`. A unit that does not exist is `absent inactive`.
unit_state() {
    systemctl show -p Id -p ActiveState -p UnitFileState -- "$@" | awk -F = '
        $1 == "ActiveState" { active = $2 }
        $1 == "UnitFileState" { print ($2 == "" ? "absent" : $2), active }'
}
keep_unit() { remember "unit.$1" "$(unit_state "$1")"; } # UNIT: remembers how it was

# restore_unit UNIT: as it was before keep_unit; nothing where it was not kept, or is no more.
restore_unit() {
    local state now
    state=$(recall "unit.$1") now=$(unit_state "$1")
    if [ -n "$state" ] && [[ $now != absent* ]]; then
        case $now in masked*) systemctl unmask -q -- "$1" ;; esac
        case $state in
            enabled\ *) systemctl enable -q -- "$1" ;;
            disabled\ *) systemctl disable -q -- "$1" ;;
        esac
        case $state in *\ active | *\ activating) systemctl start -- "$1" ;; *) systemctl stop -- "$1" ;; esac
        case $state in masked\ *) systemctl mask -q -- "$1" ;; esac
    fi
    forget "unit.$1"
}

# contains WORD ITEM…
contains() {
    local word=$1 item
    shift
    for item; do [ "$item" != "$word" ] || return 0; done
    return 1
}
