zoneinfo=/usr/share/zoneinfo

zone() {
    local link
    link=$(readlink /etc/localtime) || link=
    [ -n "$link" ] && echo "${link#*/zoneinfo/}" || echo UTC
}

check() {
    fact timezone := "$(zone)"
}

apply() {
    [ -f "$zoneinfo/$timezone" ] || fail "timezone: this host knows no $timezone; \`timedatectl list-timezones\` lists those it knows"
    remember timezone "$(zone)"
    timedatectl set-timezone -- "$timezone"
}

revert() {
    if remembered timezone && [ "$(zone)" = "$timezone" ]; then
        timedatectl set-timezone -- "$(recall timezone)"
    fi
}
