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
    # it does nothing where it believes that nothing has changed, although the link was removed behind its back
    [ "$(zone)" = "$timezone" ] || ln -sfn "../usr/share/zoneinfo/$timezone" /etc/localtime
}

revert() {
    if remembered timezone && [ "$(zone)" = "$timezone" ]; then
        timedatectl set-timezone -- "$(recall timezone)"
    fi
}
