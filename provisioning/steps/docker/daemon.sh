file=/etc/docker/daemon.json

check() {
    slurp "$file"
    fact text := "$REPLY"
    fact loaded := "$(is_loaded && echo yes || echo no)"
}

runs() { [ "$(systemctl is-active docker.service 2>/dev/null)" = active ]; }

# Whether the daemon, if it runs, has started since the file was written.
is_loaded() {
    local pid
    runs || return 0
    [ -e "$file" ] || return 1
    pid=$(systemctl show -P MainPID docker.service)
    [ "$(stat -c %Y "/proc/$pid")" -ge "$(stat -c %Y "$file")" ]
}

valid() { # FILE
    if command -v dockerd >/dev/null; then dockerd --validate --config-file="$1"; fi
}

apply() {
    slurp "$file"
    local former=$REPLY there=no
    [ ! -e "$file" ] || there=yes
    own_file "$file" 0644 "$text" valid
    runs || return 0
    if ! restarted; then
        journalctl -u docker.service -n 6 -o cat --no-pager
        if [ "$there" = yes ]; then printf %s "$former" >"$file"; else rm -f -- "$file"; fi
        restarted || true
        fail "the daemon does not start with the new daemon.json; the old one is back"
    fi
}

# First a reload: it makes live-restore count, and then no container ends with the daemon.
restarted() {
    local end=$((SECONDS + 10))
    systemctl reload docker.service || true
    if grep -q '"live-restore": true' "$file"; then
        until [ "$(docker info -f '{{.LiveRestoreEnabled}}')" = true ] || [ "$SECONDS" -ge "$end" ]; do sleep 0.1; done
    fi
    systemctl reset-failed docker.service || true
    systemctl restart docker.service && timeout 60 docker info >/dev/null
}

# A restart without live-restore would end everybody's containers: then a reload has to do, and the rest counts later.
revert() {
    disown_file "$file"
    runs || return 0
    if [ -n "$(docker ps -q)" ]; then systemctl reload docker.service; else restarted; fi
}
