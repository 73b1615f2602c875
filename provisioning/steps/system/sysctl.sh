file=/etc/sysctl.d/90-hypercompose.conf
folders=(/etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d)

check() {
    local i
    for i in "${!keys[@]}"; do
        fact settings "${keys[i]}" := "$(live "${keys[i]}")"
    done
    fact file := "$(file_state "$file" 0644 "$content")"
    mapfile -t overruled < <(later_files)
    fact overruled :: "${overruled[@]}"
}

apply() {
    local i key value
    for key in "${keys[@]}"; do
        [ -e "$(path_of "$key")" ] || fail "settings: the kernel of this host has no $key; check its name, or load its module first"
    done
    put_back "${keys[@]}"
    for i in "${!keys[@]}"; do
        key=${keys[i]} value=${values[i]}
        [ "$(live "$key")" != "$value" ] || continue
        remember "value.${key//\//%}" "$(live "$key")"
        printf %s "$value" >"$(path_of "$key")" || fail "settings: the kernel refuses $value for $key"
    done
    own_file "$file" 0644 "$content"
    local others
    others=$(later_files)
    [ -z "$others" ] || fail "settings: after the next boot, ${others//$'\n'/, } would win over what is wanted here; remove it there"
}

revert() {
    disown_file "$file"
    put_back
}

# put_back KEPT…: every other value as it was. Forwarding stays on: containers may have come to need it.
put_back() {
    local name key
    for name in $(remembered_below value.); do
        key=${name//%/\/}
        ! contains "$key" "$@" || continue
        case $key=$(recall "value.$name") in
            net.ipv4.ip_forward=0 | net.ipv4.conf.all.forwarding=0) ;;
            *) recall "value.$name" >"$(path_of "$key")" || true ;;
        esac
        forget "value.$name"
    done
}

path_of() { # net.ipv4.conf.eth0/1.mtu is …/conf/eth0.1/mtu
    local path=${1//\//$'\1'}
    path=${path//.//}
    echo "/proc/sys/${path//$'\1'/.}"
}

live() {
    local words
    read -r -d '' -a words 2>/dev/null <"$(path_of "$1")" || true
    echo "${words[*]}"
}

# Who sets a key of ours to something else, in a file that every boot reads after ours.
later_files() {
    local later file line key i words
    mapfile -t later < <(find "${folders[@]}" -name '*.conf' -printf '%f/%p\n' 2>/dev/null | sort -s -u -t / -k 1,1)
    for file in "${later[@]}"; do
        [[ ${file%%/*} > 90-hypercompose.conf ]] || continue
        while IFS= read -r line; do
            read -r key <<<"${line%%=*}" || true
            for i in "${!keys[@]}"; do
                [ "${key#-}" = "${keys[i]}" ] || continue
                read -r -a words <<<"${line#*=}" || true
                [ "${words[*]}" = "${values[i]}" ] || echo "${file#*/}: $key = ${words[*]}"
            done
        done < <(grep -h '^[^#;]*=' -- "${file#*/}")
    done
}
