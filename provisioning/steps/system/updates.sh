if [ "$family" = dnf ]; then
    package=dnf-automatic file=/etc/dnf/automatic.conf content=$dnf_file timers=(dnf-automatic.timer)
    others=(dnf-automatic-install.timer dnf-automatic-download.timer dnf-automatic-notifyonly.timer)
else
    package=unattended-upgrades file=/etc/apt/apt.conf.d/90-hypercompose-updates content=$apt_file
    timers=(apt-daily.timer apt-daily-upgrade.timer) others=()
fi
restarter=hypercompose-reboot
units=/etc/systemd/system
drop_in=$units/${timers[-1]}.d/90-hypercompose.conf

check() {
    local restarts
    restarts=$(timers_state "$restarter.timer")
    fact policy := "$(effective_policy)"
    fact reboot := "$(case $restarts in 'enabled active') echo window ;; off) echo never ;; *) echo "$restarts" ;; esac)"
    [ -z "$window" ] || fact window := "$(effective_window)"
    fact files := "$(files_state)"
    fact 'other updaters' := "$(timers_state "${others[@]}")"
}

effective_policy() {
    local state on=0 whole=no
    state=$(timers_state "${timers[@]}")
    if [ "$family" = dnf ]; then
        if grep -Eqs '^apply_updates *= *yes' "$file"; then on=1; fi
        if grep -Eqs '^upgrade_type *= *security' "$file"; then whole=security; else whole=all; fi
    else
        on=$(apt-config dump | awk -F '"' '$1 == "APT::Periodic::Unattended-Upgrade " { print $2 }')
        if apt-config dump | grep -E '^Unattended-Upgrade::(Origins-Pattern|Allowed-Origins)::' | grep -qv -- '-security";$'; then whole=all; else whole=security; fi
    fi
    case $state in
        off) echo none ;;
        'enabled active') if [ "${on:-0}" != 0 ]; then echo "$whole"; else echo none; fi ;;
        *) echo "$state" ;;
    esac
}

# A window that nothing goes by is as good as any.
effective_window() {
    local timer=${timers[-1]} found
    if [ "$policy" = none ]; then timer=$restarter.timer; fi
    if [ "$policy" = none ] && [ "$reboot" = never ]; then
        echo "$window"
    else
        found=$(systemctl show -p TimersCalendar --value -- "$timer" | sed -n 's/.*OnCalendar=\([^;]*\) ;.*/\1/p')
        [[ $found =~ ^'*-*-* '([0-9]{2}:[0-9]{2}):00$ ]] && echo "${BASH_REMATCH[1]}" || echo "${found:-none}"
    fi
}

files_state() {
    if [ "$policy" = none ]; then
        if [ -e "$drop_in" ]; then echo "$drop_in left over" && return; fi
    else
        not_as_written "$file" "$content" && return
        not_as_written "$drop_in" "$timer_file" && return
    fi
    if [ "$reboot" = window ]; then
        not_as_written "$units/$restarter.service" "$restart_service" && return
        not_as_written "$units/$restarter.timer" "$restart_timer" && return
    fi
    echo 'as written'
}

not_as_written() { # FILE CONTENT
    local state
    state=$(file_state "$1" 0644 "$2")
    [ "$state" != 'as written' ] && echo "$1 $state"
}

# `enabled active` when all are; `off` when none is either; else how the first differs.
timers_state() {
    local states state at=0 on=0
    [ $# -gt 0 ] || { echo off && return; }
    states=$(unit_state "$@")
    while read -r state; do
        at=$((at + 1))
        case $state in
            'enabled active') on=$((on + 1)) ;;
            enabled* | *' active') echo "${!at} $state" && return ;;
        esac
    done <<<"$states"
    if [ "$on" -eq $# ]; then echo 'enabled active'; elif [ "$on" -eq 0 ]; then echo off; else echo 'some off'; fi
}

apply() {
    local timer
    for timer in "${timers[@]}" "${others[@]}"; do keep_unit "$timer"; done
    [ ${#others[@]} -eq 0 ] || systemctl disable -q --now -- "${others[@]}" 2>/dev/null || true
    if [ "$policy" = none ]; then no_updates; else updates; fi
    if [ "$reboot" = window ]; then restarts; else no_restarts; fi
}

updates() {
    keep_original "$file"
    need "$package"
    own_file "$file" 0644 "$content"
    own_file "$drop_in" 0644 "$timer_file"
    systemctl daemon-reload
    systemctl unmask -q -- "${timers[@]}"
    systemctl enable -q -- "${timers[@]}"
    systemctl restart -- "${timers[@]}"
}

no_updates() {
    disown_file "$drop_in"
    disown_file "$file"
    [ "$family" = dnf ] || own_file "$file" 0644 "$content" # the distribution's own defaults are on
    systemctl daemon-reload
    systemctl disable -q --now -- "${timers[@]}" 2>/dev/null || true
}

restarts() {
    if [ "$family" = dnf ] && ! dnf -q needs-restarting --help >/dev/null 2>&1; then need dnf-plugins-core; fi
    own_file "$units/$restarter.service" 0644 "$restart_service"
    own_file "$units/$restarter.timer" 0644 "$restart_timer"
    systemctl daemon-reload
    systemctl enable -q "$restarter.timer"
    systemctl restart "$restarter.timer"
}

no_restarts() {
    if [ -e "$units/$restarter.timer" ]; then systemctl disable -q --now "$restarter.timer" || true; fi
    disown_file "$units/$restarter.timer"
    disown_file "$units/$restarter.service"
    systemctl daemon-reload
}

need() { # PACKAGE
    if ! installed "$1"; then
        install_packages "$1"
        remember "package.$1" ours
    fi
}

revert() {
    local timer
    no_restarts
    disown_file "$drop_in"
    disown_file "$file"
    systemctl daemon-reload
    if remembered package.unattended-upgrades; then systemctl stop unattended-upgrades.service || true; fi # left running
    remove_packages $(remembered_below package.)
    for timer in "${timers[@]}" "${others[@]}"; do restore_unit "$timer"; done
}
