export DOCKER_CONFIG=/root/.docker
file=$DOCKER_CONFIG/config.json

check() {
    fact user := "$(logged_in_as)"
    fact mode := "$(stat -c %a "$file" 2>/dev/null || echo absent)"
    fact password := "$(if [ -n "$(logged_in_as)" ]; then recall password; fi)"
}

# The user's part of the entry for the registry, as `docker login` writes it.
logged_in_as() {
    [ -e "$file" ] || return 0
    tr -d ' \t\n' <"$file" | grep -oF "\"$registry\":{\"auth\":\"" >/dev/null || return 0
    tr -d ' \t\n' <"$file" | awk -v key="\"$registry\":{\"auth\":\"" \
        '{ at = index($0, key); rest = substr($0, at + length(key)); print substr(rest, 1, index(rest, "\"") - 1) }' |
        base64 -d | cut -d: -f1
}

apply() {
    own_folder "$DOCKER_CONFIG" 0700
    keep_original "$file"
    umask 077
    forget password
    printf %s "$password" | docker login --username "$user" --password-stdin "$registry"
    chmod 0600 "$file"
    remember password "$fingerprint"
}

revert() {
    if command -v docker >/dev/null && [ -n "$(logged_in_as)" ]; then docker logout "$registry"; fi
    if [ -e "$ours/absent$file" ] && [ "$(tr -d ' \t\n' <"$file" 2>/dev/null)" = '{"auths":{}}' ]; then
        disown_file "$file"
    fi
    rm -f -- "$ours/absent$file" "$ours/originals$file" # what else came into the file since is somebody's
}
