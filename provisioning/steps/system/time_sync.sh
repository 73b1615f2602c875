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

rivals() {
    local one
    for one in "${others[@]}"; do if systemctl is-active -q "$one"; then echo "$one"; fi; done
}

apply() {
    local one
    if ! installed chrony; then
        keep_original "$file"
        install_packages chrony
        remember package ours
    fi
    keep_unit "$unit"
    for one in $(rivals); do
        keep_unit "$one"
        systemctl disable -q --now "$one"
    done
    : >"$due"
    own_file "$file" 0644 "$content"
    systemctl enable -q "$unit"
    systemctl restart "$unit"
    rm -f -- "$due"
}

revert() {
    local one
    disown_file "$file"
    if [ "$(recall package)" = ours ]; then
        remove_packages chrony
    else
        restore_unit "$unit"
        if systemctl is-active -q "$unit"; then systemctl restart "$unit"; fi
    fi
    for one in "${others[@]}"; do restore_unit "$one"; done
}
