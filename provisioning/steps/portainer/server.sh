container=portainer
former=portainer-former
volume=portainer_data
folder=/etc/hypercompose/portainer
kept=$ours/portainer
keep_copies=3
patience_s=60

check() {
    local state
    state=$(timeout 20 docker inspect -f '{{.State.Status}}' "$container" 2>/dev/null || echo absent)
    fact container := "$state"
    fact image := "$(inspect '{{.Config.Image}}')"
    fact spec := "$(inspect '{{index .Config.Labels "hypercompose.spec"}}')"
    fact 'authority file' := "$(authority_state)"
    fact "administrator's file" := "$(if [ -n "$(recall hash)" ] && [ "$(hashed)" = "$(recall hash)" ]; then recall fingerprint; fi)"
    note certificate := "$(cat "$folder/tls/portainer.crt" 2>/dev/null || true)"
    note data := "$(data)"
}

inspect() { timeout 20 docker inspect -f "$1" "${2:-$container}" 2>/dev/null || true; }

authority_state() {
    if [ -z "$authorities" ]; then echo 'as written'; else file_state "$folder/authorities/site.pem" 0644 "$authorities"; fi
}

# Content, mode and owner, salted with what only this host has.
hashed() {
    (stat -c '%a %u' "$folder/secrets/admin" && cat "$folder/secrets/admin" /etc/machine-id) 2>/dev/null |
        sha256sum | cut -c 1-64
}

# Which data volume it is; nothing where it was lost. A Docker that does not answer has lost none.
data() {
    if ! timeout 20 docker volume ls -q >/dev/null 2>&1; then
        recall data
    elif timeout 20 docker volume inspect "$volume" >/dev/null 2>&1; then
        timeout 20 docker volume inspect -f '{{or (index .Labels "hypercompose.data") "there before"}}' "$volume"
    fi
}

apply() {
    local settled
    settled=$(authority_state)
    [ -z "$(inspect '{{.Id}}' "$former")" ] || come_back
    if [ -z "$(inspect '{{index .Config.Labels "hypercompose.spec"}}')" ] && [ -n "$(inspect '{{.Id}}')" ]; then
        fail "a container named $container is there that is not ours; rename it, or remove it"
    fi
    docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image"
    own_folder "$folder" 0700
    own_folder "$folder/authorities"
    if [ -n "$authorities" ]; then own_file "$folder/authorities/site.pem" 0644 "$authorities"; fi
    certificate
    password
    remember volume "$(docker volume inspect -f there "$volume" 2>/dev/null || echo absent)"
    if [ "$settled $(inspect '{{.State.Running}} {{index .Config.Labels "hypercompose.spec"}}')" != "as written true $spec" ]; then
        replace
    fi
    forget data
    remember data "$(data)"
}

# Portainer reads it once, when it has no administrator.
password() {
    own_folder "$folder/secrets" 0700
    (umask 077 && printf %s "$password" >"$folder/secrets/admin")
    forget fingerprint
    forget hash
    remember hash "$(hashed)"
    remember fingerprint "$fingerprint"
}

# Another image gets a copy of the data made first; where it does not answer, the old one comes back with that copy.
replace() {
    local before_image
    before_image=$(inspect '{{.Config.Image}}')
    if [ -z "$before_image" ] || [ "$before_image" = "$image" ] || [ -z "$(data)" ]; then
        docker rm -f "$container" >/dev/null 2>&1 || true
        start
        sleep 0.5
        if [ "$(inspect '{{.State.Running}}')" != true ]; then
            docker logs --tail 8 "$container" >&2 || true
            fail "$image does not run: $(inspect '{{.State.Error}}')"
        fi
        return 0
    fi
    docker stop -t 20 "$container" >/dev/null
    keep_data "$before_image"
    docker rename "$container" "$former"
    start
    answers || made_for_this_image || refused "$before_image"
    docker rm -f "$former" >/dev/null
}

# An administrator before the port answers; the socket makes it root on this host, so nothing else is given to it.
start() {
    local label arguments=()
    for label in "${!labels[@]}"; do arguments+=(--label "$label=${labels[$label]}"); done
    docker volume inspect "$volume" >/dev/null 2>&1 ||
        docker volume create --label "hypercompose.data=$(cat /proc/sys/kernel/random/uuid)" "$volume" >/dev/null
    docker run -d --name "$container" --restart always "${arguments[@]}" --label "hypercompose.spec=$spec" \
        --publish "${bind:+$(bracketed "$bind"):}$port:9443" \
        --volume /var/run/docker.sock:/var/run/docker.sock --volume "$volume:/data" \
        --volume "$folder/tls:/tls:ro" --volume "$folder/secrets:/secrets:ro" \
        --volume "$folder/authorities:/authorities:ro" --env SSL_CERT_DIR=/etc/ssl/certs:/authorities \
        --security-opt no-new-privileges --cap-drop ALL --memory 512m --pids-limit 512 --read-only --tmpfs /tmp \
        "$image" --admin-password-file /secrets/admin --sslcert /tls/portainer.crt --sslkey /tls/portainer.key \
        --http-disabled >/dev/null
}

bracketed() { case $1 in *:*) printf '[%s]' "$1" ;; *) printf %s "$1" ;; esac; }

# Whether it says what it is within the deadline. One that ends again and again never will.
answers() {
    local end=$((SECONDS + patience_s)) place
    while [ "$SECONDS" -lt "$end" ] && [ "$(inspect '{{.RestartCount}}')" -lt 3 ]; do
        place=$(inspect '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
        if [ -n "$place" ] && printf 'GET /api/status HTTP/1.0\r\nHost: portainer\r\n\r\n' |
            timeout 5 openssl s_client -quiet -connect "$place:9443" 2>/dev/null | grep -q '^HTTP/1.. 200'; then
            return 0
        fi
        sleep 0.5
    done
    return 1
}

# copies of IMAGE's data, the oldest first: their names are the times at which they were made
copies() { find "$kept" -name "*-$(digest "$1").tar" 2>/dev/null | sort; }
digest() { printf %s "${1##*:}" | cut -c 1-12; }

keep_data() { # IMAGE
    local file
    own_folder "$kept" 0700
    file="$kept/$(date -u +%Y%m%dT%H%M%SZ)-$(digest "$1").tar"
    (umask 077 && tar -C "$(docker volume inspect -f '{{.Mountpoint}}' "$volume")" -cf "$file.new" .)
    mv -f -- "$file.new" "$file"
    find "$kept" -name '*.tar' | sort | head -n "-$keep_copies" | xargs -r rm -f --
}

put_data() { # FILE
    local at
    at=$(docker volume inspect -f '{{.Mountpoint}}' "$volume")
    find "$at" -mindepth 1 -delete
    tar -C "$at" -xpf "$1"
}

# The way back to an older release: it refuses a newer one's database, and gets what was kept when it was left.
made_for_this_image() {
    local copy
    copy=$(copies "$image" | tail -n 1)
    [ -n "$copy" ] || return 1
    docker stop -t 5 "$container" >/dev/null
    put_data "$copy"
    docker start "$container" >/dev/null
    answers
}

refused() { # FORMER IMAGE
    local said
    said=$(docker logs --tail 6 "$container" 2>&1 | cut -c 1-300 || true)
    come_back
    fail "$image does not answer within $patience_s s; its last lines: ${said:-none}
$1 runs again, with the data as they were; look at what the new release says, or name another image"
}

# Also after a run that was cut off between the two.
come_back() {
    local copy
    copy=$(copies "$(inspect '{{.Config.Image}}' "$former")" | tail -n 1)
    docker rm -f "$container" >/dev/null 2>&1 || true
    docker stop -t 20 "$former" >/dev/null
    if [ -n "$copy" ]; then put_data "$copy"; fi
    docker rename "$former" "$container"
    docker start "$container" >/dev/null
    answers || true
}

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
    if [ -n "$(inspect '{{.Id}}' "$former")" ]; then docker rm -f "$former" >/dev/null; fi
    rm -rf -- "$folder/secrets" "$folder/tls" "$kept"
    disown_file "$folder/authorities/site.pem"
    disown_folder "$kept"
    disown_folder "$folder/secrets"
    disown_folder "$folder/tls"
    disown_folder "$folder/authorities"
    disown_folder "$folder"
    forget volume
    forget data
    forget hash
    forget fingerprint
}
