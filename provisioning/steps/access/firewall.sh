folder=/etc/firewalld

ssh_port() { sshd -T 2>/dev/null | awk '$1 == "port" { print $2; exit }'; }

check() {
    local now= name state='as written' port
    port=$(ssh_port)
    if systemctl is-active -q firewalld; then now=$(firewall-cmd --policy=hypercompose --list-all 2>/dev/null || true); fi
    listed 'open ports' "$(sed -n 's/^  ports: //p' <<<"$now" | tr ' ' '\n' | sed "s|^$port/tcp$|ssh/tcp|")"
    listed rules "$(sed -n 's/^\t\(rule .*\)/\1/p' <<<"$now" | sed "s|port port=\"$port\" protocol=\"tcp\"|port port=\"ssh\" protocol=\"tcp\"|")"
    for name in "${!files[@]}"; do
        local one
        one=$(file_state "$folder/$name" 0644 "${files[$name]//@SSH@/$port}")
        [ "$one" = 'as written' ] || state="$name $one"
    done
    for name in $(left_over); do state="$name left over"; done
    fact files := "$state"
    fact firewalld := "$(systemctl is-active firewalld 2>/dev/null || true), $(systemctl is-enabled firewalld 2>/dev/null || true)"
}

listed() { # NAME LINES
    local lines=()
    mapfile -t lines < <(LC_ALL=C sort -u <<<"$2" | sed '/^$/d')
    fact "$1" :: "${lines[@]}"
}

# Files that are ours and that nobody asks for any more.
left_over() {
    local name
    for name in $(remembered_below file. | tr : /); do
        [ -n "${files[$name]+there}" ] || echo "$name"
    done
}

apply() {
    if systemctl is-active -q ufw 2>/dev/null; then
        fail "ufw is active on this host, and two firewalls on one host undo each other; disable it, or leave out baseline.firewall"
    fi
    if ! command -v firewall-cmd >/dev/null; then
        install_packages firewalld
        remember package ours
    fi
    remember active "$(systemctl is-active firewalld || true)"
    remember enabled "$(systemctl is-enabled firewalld 2>/dev/null || true)"
    refuse_foreign_zones
    local name port
    port=$(ssh_port)
    for name in $(left_over); do
        disown_file "$folder/$name"
        forget "file.${name//\//:}"
    done
    for name in "${!files[@]}"; do
        remember "file.${name//\//:}" ours
        own_file "$folder/$name" 0644 "${files[$name]//@SSH@/${port:-22}}"
    done
    firewall-offline-cmd --check-config || { put_back && fail "firewalld refuses these settings; its files are as they were"; }
    systemctl enable -q firewalld
    if systemctl is-active -q firewalld; then firewall-cmd -q --reload; else systemctl restart firewalld; fi
}

refuse_foreign_zones() {
    local name
    for name in "${!files[@]}"; do
        if [ -e "$folder/$name" ] && ! remembered "file.${name//\//:}"; then
            fail "$folder/$name is there already and is not ours; choose another name for the zone"
        fi
    done
}

put_back() {
    local name
    for name in $(remembered_below file. | tr : /); do disown_file "$folder/$name"; done
}

revert() {
    command -v firewall-cmd >/dev/null || return 0
    remembered active || return 0
    put_back
    if [ "$(recall active)" = active ]; then
        if systemctl is-active -q firewalld; then firewall-cmd -q --reload; else systemctl start firewalld; fi
    else
        systemctl stop firewalld
    fi
    [ "$(recall enabled)" = enabled ] || systemctl disable -q firewalld
    if [ "$(recall package)" = ours ]; then remove_packages firewalld; fi
}
