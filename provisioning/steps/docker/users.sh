members() {
    getent group docker | cut -d: -f4 | tr , ' '
}

check() {
    local user found=() there
    there=$(members)
    for user in "${users[@]}"; do
        if contains "$user" $there; then found+=("$user"); fi
    done
    fact users :: "${found[@]}"
    fact 'left over' :: $(left_over)
}

# Whom we have added and nobody names any more.
left_over() {
    local user
    for user in $(remembered_below added.); do
        contains "$user" "${users[@]}" || ! contains "$user" $(members) || echo "$user"
    done
}

apply() {
    local user
    for user in $(left_over); do
        gpasswd -d "$user" docker
        forget "added.$user"
    done
    for user in "${users[@]}"; do
        contains "$user" $(members) || add "$user"
    done
}

add() { # USER
    id -- "$1" >/dev/null 2>&1 || fail "there is no user $1 on this host; make one in baseline.users, or leave it out of docker.users"
    remember "added.$1" yes
    usermod -a -G docker -- "$1"
}

revert() {
    users=()
    local user
    for user in $(left_over); do gpasswd -d "$user" docker; done
}
