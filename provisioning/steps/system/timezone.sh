zoneinfo=/usr/share/zoneinfo

zone() {
    local link
    link=$(readlink /etc/localtime) || link=
    [ -n "$link" ] && echo "${link#*/zoneinfo/}" || echo UTC
}

# The service does not notice when somebody else changes the link, and then takes the zone it was in for set.
set_zone() {
    systemctl stop systemd-timedated
    timedatectl set-timezone -- "$1"
}

check() {
    fact timezone := "$(zone)"
}

apply() {
    [ -f "$zoneinfo/$timezone" ] || fail "timezone: this host knows no $timezone; \`timedatectl list-timezones\` lists those it knows"
    remember timezone "$(zone)"
    set_zone "$timezone"
    # it does nothing where it believes that nothing has changed, although the link was removed behind its back
    [ "$(zone)" = "$timezone" ] || ln -sfn "../usr/share/zoneinfo/$timezone" /etc/localtime
}

revert() {
    if remembered timezone && [ "$(zone)" = "$timezone" ]; then
        set_zone "$(recall timezone)"
    fi
}
