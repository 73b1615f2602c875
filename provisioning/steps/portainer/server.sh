container=portainer
volume=portainer_data
folder=/etc/hypercompose/portainer

check() {
    local state
    state=$(timeout 20 docker inspect -f '{{.State.Status}}' "$container" 2>/dev/null || echo absent)
    fact container := "$state"
    fact image := "$(inspect '{{.Config.Image}}')"
    fact spec := "$(inspect '{{index .Config.Labels "hypercompose.spec"}}')"
    fact 'authority file' := "$(if [ -z "$authorities" ]; then echo 'as written'
        else file_state "$folder/authorities/site.pem" 0644 "$authorities"; fi)"
    note certificate := "$(cat "$folder/tls/portainer.crt" 2>/dev/null || true)"
}

inspect() { timeout 20 docker inspect -f "$1" "$container" 2>/dev/null || true; }

apply() {
    local label arguments=() now
    now=$(inspect '{{index .Config.Labels "hypercompose.spec"}}')
    if [ -z "$now" ] && [ -n "$(inspect '{{.Id}}')" ]; then
        fail "a container named $container is there that is not ours; rename it, or remove it"
    fi
    docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image"
    own_folder "$folder" 0700
    own_folder "$folder/authorities"
    if [ -n "$authorities" ]; then own_file "$folder/authorities/site.pem" 0644 "$authorities"; fi
    certificate
    own_folder "$folder/secrets" 0700
    (umask 077 && printf %s "$password" >"$folder/secrets/admin")
    for label in "${!labels[@]}"; do arguments+=(--label "$label=${labels[$label]}"); done
    docker rm -f "$container" >/dev/null 2>&1 || true
    remember volume "$(docker volume inspect -f there "$volume" 2>/dev/null || echo absent)"
    # an administrator before the port answers; the socket makes it root on this host, so nothing else is given to it
    docker run -d --name "$container" --restart always "${arguments[@]}" --label "hypercompose.spec=$spec" \
        --publish "${bind:+$(bracketed "$bind"):}$port:9443" \
        --volume /var/run/docker.sock:/var/run/docker.sock --volume "$volume:/data" \
        --volume "$folder/tls:/tls:ro" --volume "$folder/secrets:/secrets:ro" \
        --volume "$folder/authorities:/authorities:ro" --env SSL_CERT_DIR=/etc/ssl/certs:/authorities \
        --security-opt no-new-privileges --cap-drop ALL --memory 512m --pids-limit 512 --read-only --tmpfs /tmp \
        "$image" --admin-password-file /secrets/admin --sslcert /tls/portainer.crt --sslkey /tls/portainer.key \
        --http-disabled >/dev/null
    sleep 0.5
    if [ "$(inspect '{{.State.Running}}')" != true ]; then
        docker logs --tail 8 "$container" >&2 || true
        fail "$image does not run: $(inspect '{{.State.Error}}')"
    fi
}

bracketed() { case $1 in *:*) printf '[%s]' "$1" ;; *) printf %s "$1" ;; esac; }

# A key that never leaves the host. Whoever reads its certificate over SSH with a pinned key may trust it.
certificate() {
    local name
    own_folder "$folder/tls" 0700
    case $address in *[!0-9.]*) case $address in *:*) name=IP:$address ;; *) name=DNS:$address ;; esac ;; *) name=IP:$address ;; esac
    if [ -s "$folder/tls/portainer.crt" ] &&
        [ "$(cat "$folder/tls/name" 2>/dev/null)" = "$name" ] &&
        openssl x509 -in "$folder/tls/portainer.crt" -noout -checkend 2592000 >/dev/null; then
        return 0
    fi
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=Portainer" \
            -addext "subjectAltName=$name" -addext basicConstraints=critical,CA:FALSE \
            -keyout "$folder/tls/portainer.key.new" -out "$folder/tls/portainer.crt.new" 2>/dev/null
    )
    mv -f -- "$folder/tls/portainer.key.new" "$folder/tls/portainer.key"
    printf %s "$name" >"$folder/tls/name"
    mv -f -- "$folder/tls/portainer.crt.new" "$folder/tls/portainer.crt"
}

# Its data volume stays: it may be the only record of stacks that others made there. One of our own making without any
# stack is removed by `docker volume rm portainer_data`.
revert() {
    if command -v docker >/dev/null && [ -n "$(inspect '{{index .Config.Labels "hypercompose.spec"}}')" ]; then
        docker rm -f "$container" >/dev/null
    fi
    rm -rf -- "$folder/secrets" "$folder/tls"
    disown_file "$folder/authorities/site.pem"
    disown_folder "$folder/secrets"
    disown_folder "$folder/tls"
    disown_folder "$folder/authorities"
    disown_folder "$folder"
    forget volume
}
