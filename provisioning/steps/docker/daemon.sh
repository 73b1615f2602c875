file=/etc/docker/daemon.json
pid_file=/run/docker.pid
former=/run/hypercompose/$step.former
would_end_containers=3

check() {
    slurp "$file"
    fact text := "$REPLY"
    fact loaded := "$(is_loaded && echo yes || echo no)"
}

runs() { [ "$(systemctl is-active docker.service 2>/dev/null)" = active ]; }

# After a restart of the host the daemon may just be starting, with the file that was there before ours: whether it has read that
# one is known when it runs. One that fails and is tried again is not waited for.
let_start() {
    local end=$((SECONDS + 20))
    while [[ $(systemctl show -p SubState --value docker.service 2>/dev/null) = start* ]] && [ "$SECONDS" -lt "$end" ]; do
        sleep 0.2
    done
}

# Whether the daemon, if it runs, has started since the file was written: it makes its pid file when it has read this one.
is_loaded() {
    let_start
    runs || return 0
    [ -e "$file" ] && [ ! "$file" -nt "$pid_file" ]
}

valid() { # FILE
    if command -v dockerd >/dev/null; then dockerd --validate --config-file="$1"; fi
}

apply() {
    rm -f -- "$former"
    [ ! -e "$file" ] || cp -a -- "$file" "$former"
    refuse_lost_containers
    own_file "$file" 0644 "$text" valid
    let_start
    runs || return 0
    local code=0
    restarted || code=$?
    [ "$code" -ne 0 ] || return 0
    [ "$code" -eq "$would_end_containers" ] || journalctl -u docker.service -n 5 -o cat --no-pager
    put_back
    [ "$code" -ne "$would_end_containers" ] ||
        fail "live-restore does not come to count (in a swarm it cannot), so a restart would end running containers; the old daemon.json is back"
    fail "the daemon does not start with the new daemon.json; the old one is back"
}

# A daemon that starts without live-restore ends the containers that it finds.
refuse_lost_containers() {
    local running
    if ! runs || grep -q '"live-restore": true' <<<"$text"; then return 0; fi
    running=$(docker ps --format '{{.Names}}' | xargs)
    [ -z "$running" ] || fail "containers run ($running), and without live-restore in the new daemon.json its restart would end them; set live-restore: true, or stop them first"
}

# First a reload: it makes live-restore count, and then no container ends with the daemon.
restarted() {
    local end=$((SECONDS + 10))
    systemctl reload docker.service || true
    while [ "$(docker info -f '{{.LiveRestoreEnabled}}')" != true ] && [ -n "$(docker ps -q)" ]; do
        [ "$SECONDS" -lt "$end" ] || return "$would_end_containers"
        sleep 0.1
    done
    systemctl reset-failed docker.service || true
    timeout 60 systemctl restart docker.service && timeout 60 docker info >/dev/null
}

# The old file as it was, with its time. It may not know live-restore: then the daemon starts with that, once, so that the
# containers that it finds go on.
put_back() {
    systemctl reset-failed docker.service || true
    if ! runs; then
        { cat "$former" 2>/dev/null || true; echo; } | keeping_containers >"$file"
        timeout 60 systemctl restart docker.service || true
    fi
    if [ -e "$former" ]; then cp -a -- "$former" "$file"; else rm -f -- "$file"; fi
    if runs; then systemctl reload docker.service || true; fi
}

keeping_containers() {
    sed -E -z -e 's/("live-restore"[[:space:]]*:[[:space:]]*)false/\1true/; t' -e '/"live-restore"/b' \
        -e 's/^[[:space:]]*(\{[[:space:]]*\}[[:space:]]*)?$/{"live-restore": true}\n/; t' -e 's/\{/{"live-restore": true, /'
}

# A restart without live-restore would end everybody's containers: then a reload has to do, and the rest counts later.
revert() {
    disown_file "$file"
    runs || return 0
    if [ -n "$(docker ps -q)" ]; then systemctl reload docker.service; else restarted; fi
}
