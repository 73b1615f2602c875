export DOCKER_CONFIG=/root/.docker
file=$DOCKER_CONFIG/config.json

check() {
    local entry
    entry=$(login)
    fact user := "$(base64 -d <<<"$entry" 2>/dev/null | cut -d: -f1)"
    fact mode := "$(stat -c %a "$file" 2>/dev/null || echo absent)"
    fact password := "$(if [ -n "$entry" ] && [ "$(hashed "$entry")" = "$(recall entry)" ]; then recall password; fi)"
}

# The entry for the registry, as `docker login` writes it: user and password, encoded.
login() {
    local entries key="\"$registry\":{\"auth\":\""
    [ -e "$file" ] || return 0
    entries=$(tr -d ' \t\n' <"$file")
    if [[ $entries = *"$key"* ]]; then
        entries=${entries#*"$key"}
        printf %s "${entries%%\"*}"
    fi
}

# Salted with what only this host has; the password itself is compared by a slow hash.
hashed() { printf '%s %s' "$(cat /etc/machine-id)" "$1" | sha256sum | cut -c 1-64; }

apply() {
    own_folder "$DOCKER_CONFIG" 0700
    keep_original "$file"
    umask 077
    forget password
    forget entry
    printf %s "$password" | docker login --username "$user" --password-stdin "$registry"
    chmod 0600 "$file"
    remember password "$fingerprint"
    remember entry "$(hashed "$(login)")"
}

revert() {
    if command -v docker >/dev/null && [ -n "$(login)" ]; then docker logout "$registry"; fi
    if [ -e "$ours/absent$file" ] && [ "$(tr -d ' \t\n' <"$file" 2>/dev/null)" = '{"auths":{}}' ]; then
        disown_file "$file"
    fi
    rm -f -- "$ours/absent$file" "$ours/originals$file" # what else came into the file since is somebody's
}
