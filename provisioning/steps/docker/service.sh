units='containerd.service docker.service'

check() {
    fact running := "$(all is-active)"
    fact enabled := "$(all is-enabled)"
}

all() { # QUESTION
    local unit
    for unit in $units; do
        systemctl "$1" --quiet "$unit" 2>/dev/null || { echo false && return; }
    done
    echo true
}

apply() {
    remember running "$(all is-active)"
    remember enabled "$(all is-enabled)"
    put "$running" "$enabled"
}

put() { # RUNNING ENABLED
    if [ "$2" = true ]; then systemctl enable -q $units; else systemctl disable -q $units; fi
    if [ "$1" = true ]; then
        systemctl reset-failed $units 2>/dev/null || true
        systemctl start $units || { journalctl -u docker.service -n 6 -o cat --no-pager && return 1; }
        timeout 60 docker info >/dev/null
    else
        systemctl stop docker.socket docker.service
    fi
}

revert() {
    if remembered running && systemctl cat $units >/dev/null 2>&1; then
        put "$(recall running)" "$(recall enabled)"
    fi
}
