folder=/etc/hypercompose/docker-listener
drop_in=/etc/systemd/system/docker.service.d/20-hypercompose-listener.conf
pid_file=/run/docker.pid

check() {
    local text
    text=$(drop_in_text)
    fact 'authority file' := "$(file_state "$folder/ca.pem" 0600 "$authority")"
    fact 'certificate file' := "$(file_state "$folder/cert.pem" 0600 "$certificate")"
    fact 'key file' := "$(if [ -n "$(recall hash)" ] && [ "$(hashed)" = "$(recall hash)" ]; then recall fingerprint; fi)"
    fact drop-in := "$(file_state "$drop_in" 0644 "$text"$'\n')"
    fact loaded := "$(is_loaded && echo yes || echo no)"
}

hashed() {
    (stat -c '%a %u' "$folder/key.pem" && cat "$folder/key.pem" /etc/machine-id) 2>/dev/null | sha256sum | cut -c 1-64
}

runs() { [ "$(systemctl is-active docker.service 2>/dev/null)" = active ]; }

# Docker reads all of it when it starts, and makes its pid file after that.
is_loaded() {
    runs || return 0
    [ -e "$drop_in" ] && [ ! "$drop_in" -nt "$pid_file" ]
}

flags() {
    printf '%s\n' -H "$place" --tlsverify --tlscacert "$folder/ca.pem" --tlscert "$folder/cert.pem" --tlskey "$folder/key.pem"
}

# What the unit itself starts, with the listener behind it. `files` makes it another text when only a file changes.
drop_in_text() {
    local start unit
    unit=$(systemctl show -p FragmentPath --value docker.service)
    start=$(sed -n 's/^ExecStart=//p' "$unit" 2>/dev/null | tail -n 1)
    printf '%s\n' "# $files" '[Service]' 'ExecStart=' "ExecStart=$start $(flags | xargs)"
}

apply() {
    local text
    systemctl cat docker.service >/dev/null || fail "there is no docker.service here to add a listener to"
    text=$(drop_in_text)
    refuse_lost_containers
    own_folder "$folder" 0700
    own_file "$folder/ca.pem" 0600 "$authority"
    own_file "$folder/cert.pem" 0600 "$certificate"
    own_file "$folder/key.pem" 0600 "$key"
    forget fingerprint
    forget hash
    remember hash "$(hashed)"
    remember fingerprint "$fingerprint"
    # shellcheck disable=SC2046  # one word a line, none with blanks
    dockerd --validate --config-file=/etc/docker/daemon.json $(flags | xargs) ||
        fail "dockerd refuses to listen at $place; see above"
    own_file "$drop_in" 0644 "$text"$'\n'
    touch -- "$drop_in"
    systemctl daemon-reload
    runs || return 0
    restarted || {
        journalctl -u docker.service -n 5 -o cat --no-pager
        disown_file "$drop_in"
        systemctl daemon-reload
        restarted || true
        fail "Docker does not start with a listener at $place; it runs without one again"
    }
}

refuse_lost_containers() {
    if ! runs || [ "$(docker info -f '{{.LiveRestoreEnabled}}')" = true ] || [ -z "$(docker ps -q)" ]; then return 0; fi
    fail "containers run, and without live-restore the restart of Docker would end them; set live-restore: true, or stop them first"
}

restarted() {
    systemctl reset-failed docker.service || true
    timeout 60 systemctl restart docker.service && timeout 60 docker info >/dev/null
}

revert() {
    if [ -e "$drop_in" ]; then
        disown_file "$drop_in"
        systemctl daemon-reload
        if runs && { [ -z "$(docker ps -q)" ] || [ "$(docker info -f '{{.LiveRestoreEnabled}}')" = true ]; }; then restarted; fi
    fi
    for file in ca cert key; do disown_file "$folder/$file.pem"; done
    disown_folder "$folder"
    forget fingerprint
    forget hash
}
