container=hypercompose-router
former=hypercompose-router-former
volume=hypercompose-router
folder=/etc/hypercompose/router
routes=/etc/hypercompose/routes
patience_s=30
about='Each file here is a route of an instance. Files that end with .conf are read by the router of this host.
'

check() {
    fact container := "$(timeout 20 docker inspect -f '{{.State.Status}}' "$container" 2>/dev/null || echo absent)"
    fact image := "$(inspect '{{.Config.Image}}')"
    fact spec := "$(inspect '{{index .Config.Labels "hypercompose.spec"}}')"
    fact 'certificate file' := "$(file_state "$folder/tls/certificate.pem" 0444 "$certificate")"
    fact 'key file' := "$(if [ -n "$(recall hash)" ] && [ "$(hashed)" = "$(recall hash)" ]; then recall fingerprint; fi)"
    fact routes := "$(if [ -e "$routes/README" ]; then echo 'a folder'; else echo absent; fi)"
}

inspect() { timeout 20 docker inspect -f "$1" "${2:-$container}" 2>/dev/null || true; }

# Content, mode and owner, salted with what only this host has.
hashed() {
    (stat -c '%a %u' "$folder/tls/key.pem" && cat "$folder/tls/key.pem" /etc/machine-id) 2>/dev/null |
        sha256sum | cut -c 1-64
}

apply() {
    local before_certificate
    before_certificate=$(file_state "$folder/tls/certificate.pem" 0444 "$certificate")
    [ -z "$(inspect '{{.Id}}' "$former")" ] || come_back
    if [ -z "$(inspect '{{index .Config.Labels "hypercompose.spec"}}')" ] && [ -n "$(inspect '{{.Id}}')" ]; then
        fail "a container named $container is there that is not ours; rename it, or remove it"
    fi
    docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image"
    own_folder "$routes"
    own_file "$routes/README" 0644 "$about" # with it, the folder stays when the last route goes
    own_folder "$folder" 0700
    own_folder "$folder/tls"
    secret_file "$folder/tls/key.pem" "$key"
    own_file "$folder/tls/certificate.pem" 0444 "$certificate"
    forget fingerprint
    forget hash
    remember hash "$(hashed)"
    remember fingerprint "$fingerprint"
    if [ "$(inspect '{{.State.Running}} {{index .Config.Labels "hypercompose.spec"}}')" != "true $spec" ]; then
        replace
    elif [ "$before_certificate" != 'as written' ]; then
        timeout 60 docker exec "$container" route-take
    fi
}

# The folder above keeps other users of the host out; the container sees this one, whoever it runs as.
secret_file() { # PATH CONTENT
    (umask 077 && printf %s "$2" >"$1.new")
    chmod 0444 "$1.new"
    mv -f -- "$1.new" "$1"
}

# One that does not answer gives its place back to the one before.
replace() {
    if [ -n "$(inspect '{{.Id}}')" ]; then
        docker stop -t 10 "$container" >/dev/null
        docker rename "$container" "$former"
    fi
    if start && answers; then
        if [ -n "$(inspect '{{.Id}}' "$former")" ]; then docker rm -f "$former" >/dev/null; fi
        return 0
    fi
    local said
    said=$(docker logs --tail 6 "$container" 2>&1 | cut -c 1-300 || true)
    come_back
    fail "the router does not answer on port $port within $patience_s s; its last words: ${said:-none}"
}

# In the host's own network: from a network of containers no port that another one publishes is reached.
start() {
    local label arguments=()
    for label in "${!labels[@]}"; do arguments+=(--label "$label=${labels[$label]}"); done
    # the capability to listen there, and those by which its workers are nobody
    if [ "$port" -lt 1024 ] || [ "${http_port:-1024}" -lt 1024 ]; then
        arguments+=(--user 0:0 --cap-add NET_BIND_SERVICE --cap-add SETUID --cap-add SETGID)
    fi
    docker run -d --name "$container" --restart always "${arguments[@]}" --label "hypercompose.spec=$spec" \
        --network host --read-only --tmpfs /tmp:size=32m,mode=1777 --cap-drop ALL --security-opt no-new-privileges \
        --memory 192m --pids-limit 96 --volume "$volume:/var/cache/router" \
        --volume "$routes:/routes:ro" --volume "$folder/tls:/tls:ro" \
        --env "ROUTER_DOMAIN=$domain" --env "ROUTER_PORT=$port" --env "ROUTER_HTTP_PORT=$http_port" "$image" >/dev/null
}

answers() {
    local end=$((SECONDS + patience_s))
    while [ "$SECONDS" -lt "$end" ] && [ "$(inspect '{{.RestartCount}}')" = 0 ]; do
        if timeout 10 docker exec "$container" healthcheck >/dev/null 2>&1; then return 0; fi
        sleep 0.5
    done
    return 1
}

# Also after a run that was cut off between the two.
come_back() {
    docker rm -f "$container" >/dev/null 2>&1 || true
    [ -n "$(inspect '{{.Id}}' "$former")" ] || return 0
    docker rename "$former" "$container"
    docker start "$container" >/dev/null || true
}

revert() {
    local name
    if command -v docker >/dev/null; then
        for name in "$container" "$former"; do
            if [ -n "$(inspect '{{index .Config.Labels "hypercompose.spec"}}' "$name")" ]; then docker rm -f "$name" >/dev/null; fi
        done
        docker volume rm "$volume" >/dev/null 2>&1 || true
    fi
    rm -f -- "$folder/tls/key.pem" "$folder/tls/key.pem.new"
    disown_file "$folder/tls/certificate.pem"
    disown_folder "$folder/tls"
    disown_folder "$folder"
    disown_file "$routes/README"
    disown_folder "$routes"
    forget hash
    forget fingerprint
}
