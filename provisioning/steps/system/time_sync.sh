file=/etc/chrony.conf unit=chronyd.service
[ "$family" = dnf ] || { file=/etc/chrony/chrony.conf unit=chrony.service; }
others=(systemd-timesyncd.service ntpd.service ntp.service ntpsec.service openntpd.service)

check() {
    fact servers :: $(sources server)
    fact pools :: $(sources pool)
    fact file := "$(if [ -e "$due" ]; then echo 'not read by chrony'; else file_state "$file" 0644 "$content"; fi)"
    fact chrony := "$(unit_state "$unit")"
    fact 'other time daemons' :: $(rivals)
}

sources() { # KEYWORD
    if [ -f "$file" ]; then awk -v word="$1" '$1 == word { print $2 }' "$file"; fi
}

# Running, or to be started by the next boot: chrony's own unit stops one that runs, and only for now.
rivals() {
    local state at=0
    while read -r state; do
        case $state in enabled* | *' active') echo "${others[at]}" ;; esac
        at=$((at + 1))
    done <<<"$(unit_state "${others[@]}")"
}

apply() {
    local one
    for one in $(rivals); do keep_unit "$one"; done
    if ! installed chrony; then
        keep_original "$file"
        # Debian has room for one time daemon: the package that goes comes back with the revert
        remember displaced "$(installed_among systemd-timesyncd ntpsec openntpd)"
        install_packages chrony
        remember package ours
    fi
    keep_unit "$unit"
    for one in $(rivals); do systemctl disable -q --now "$one"; done
    if [ "$(file_state "$file" 0644 "$content")" != 'as written' ]; then : >"$due"; fi
    own_file "$file" 0644 "$content"
    systemctl enable -q "$unit"
    if [ -e "$due" ]; then systemctl restart "$unit"; else systemctl start "$unit"; fi
    rm -f -- "$due"
}

revert() {
    local one
    disown_file "$file"
    if [ "$(recall package)" = ours ]; then
        systemctl disable -q --now "$unit" || true # it may stay, where something else has come to need it
        remove_packages chrony
        one=$(recall displaced)
        if [ -n "$one" ] && [ "$(installed_among $one)" != "$one" ]; then install_packages $one; fi
    else
        restore_unit "$unit"
        if systemctl is-active -q "$unit"; then systemctl restart "$unit"; fi
    fi
    for one in "${others[@]}"; do restore_unit "$one"; done
}
