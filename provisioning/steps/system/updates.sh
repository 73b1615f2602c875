restart_unit=/etc/systemd/system/hypercompose-reboot
if [ "$family" = dnf ]; then
    package=dnf-automatic file=/etc/dnf/automatic.conf content=$dnf_file timers=(dnf-automatic.timer)
else
    package=unattended-upgrades file=/etc/apt/apt.conf.d/90-hypercompose-updates content=$apt_file
    timers=(apt-daily.timer apt-daily-upgrade.timer)
fi
drop_in=/etc/systemd/system/${timers[-1]}.d/90-hypercompose.conf

# Only where an update says so: the flag of Debian, the question of dnf.
restart_service() {
    cat <<'END'
[Unit]
Description=Restart where updates ask for it

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -e /var/run/reboot-required ] || { command -v dnf >/dev/null && ! dnf -q -C needs-restarting -r >/dev/null 2>&1; }; then systemctl reboot; fi'
END
}

check() {
    local state='as written' service
    if [ "$policy" != none ]; then
        state=$(worst "$file" "$content" "$drop_in" "$timer_file")
    elif [ -e "$drop_in" ]; then
        state='left over'
    fi
    if [ "$restarts" = true ] && [ "$state" = 'as written' ]; then
        service=$(restart_service)
        state=$(worst "$restart_unit.service" "$service"$'\n' "$restart_unit.timer" "$restart_timer")
    fi
    fact files := "$state"
    fact timer := "$(timers_state "${timers[@]}")"
    fact 'restart timer' := "$(timers_state "${restart_unit##*/}.timer")"
}

worst() { # FILE CONTENT FILE CONTENT
    local one
    one=$(file_state "$1" 0644 "$2")
    [ "$one" = 'as written' ] || { echo "$1 $one" && return; }
    one=$(file_state "$3" 0644 "$4")
    if [ "$one" = 'as written' ]; then echo "$one"; else echo "$3 $one"; fi
}

# `enabled active` when all are; `off` when none is either; else how the first differs.
timers_state() {
    local timer on=0 off=0 state
    for timer; do
        state=$(unit_state "$timer")
        case $state in
            'enabled active') on=$((on + 1)) ;;
            enabled* | *' active') echo "$timer $state" && return ;;
            *) off=$((off + 1)) ;;
        esac
    done
    if [ "$off" -eq 0 ]; then echo 'enabled active'; elif [ "$on" -eq 0 ]; then echo off; else echo "$1 $(unit_state "$1")"; fi
}

apply() {
    local timer service
    for timer in "${timers[@]}"; do keep_unit "$timer"; done
    if [ "$policy" = none ]; then
        disown_file "$drop_in"
        disown_file "$file"
        [ "$family" = dnf ] || own_file "$file" 0644 "$content" # the distribution's own defaults are on
        systemctl disable -q --now "${timers[@]}" 2>/dev/null || true
    else
        if ! installed "$package"; then
            [ ! -e "$file" ] || keep_original "$file"
            install_packages "$package"
            remember package ours
        fi
        own_file "$file" 0644 "$content"
        own_file "$drop_in" 0644 "$timer_file"
        systemctl daemon-reload
        systemctl unmask -q "${timers[@]}"
        systemctl enable -q "${timers[@]}"
        systemctl restart "${timers[@]}"
    fi
    if [ "$restarts" = true ]; then
        service=$(restart_service)
        own_file "$restart_unit.service" 0644 "$service"$'\n'
        own_file "$restart_unit.timer" 0644 "$restart_timer"
        systemctl daemon-reload
        systemctl enable -q "${restart_unit##*/}.timer"
        systemctl restart "${restart_unit##*/}.timer"
    else
        no_restarts
    fi
}

no_restarts() {
    if [ -e "$restart_unit.timer" ]; then systemctl disable -q --now "${restart_unit##*/}.timer" || true; fi
    disown_file "$restart_unit.timer"
    disown_file "$restart_unit.service"
    systemctl daemon-reload
}

revert() {
    local timer
    no_restarts
    disown_file "$drop_in"
    disown_file "$file"
    systemctl daemon-reload
    if [ "$(recall package)" = ours ] && installed "$package"; then
        systemctl stop unattended-upgrades.service 2>/dev/null || true # its package leaves it running
        remove_packages "$package"
    fi
    for timer in "${timers[@]}"; do restore_unit "$timer"; done
}
