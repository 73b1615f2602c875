passwd_field() { getent passwd "$user" | cut -d: -f"$1"; }
exists() { getent passwd "$user" >/dev/null; }
has_password() { case $(getent shadow "$user" | cut -d: -f2) in '!'* | '*'*) return 1 ;; esac }
# Beside the primary one; docker's members are those of docker.users, unless the account's own settings name that group.
supplementary() {
    local all primary group
    all=$(id -nG "$user") primary=$(id -gn "$user")
    for group in $all; do
        if [ "$group" = "$primary" ]; then continue; fi
        if [ "$group" = docker ] && ! contains docker "${groups[@]}"; then continue; fi
        echo "$group"
    done | LC_ALL=C sort
}

check() {
    if ! exists; then
        fact account := absent
        fact password := none
        return
    fi
    local line found=() group belongs=()
    fact account := present
    fact shell := "$(passwd_field 7)"
    [ -z "$uid" ] || fact uid := "$(passwd_field 3)"
    [ "$has_comment" != true ] || fact comment := "$(passwd_field 5)"
    for group in $(supplementary); do
        if [ "$adopt" != true ] || contains "$group" "${groups[@]}"; then belongs+=("$group"); fi
    done
    fact groups :: "${belongs[@]}"
    slurp "$(passwd_field 6)/.ssh/authorized_keys"
    while IFS= read -r line; do
        case $line in '' | '#'*) ;; *) found+=("$line") ;; esac
    done <<<"$REPLY"
    fact keys :: "${found[@]}"
    if [ "$adopt" != true ] && has_password; then fact password := set; else fact password := none; fi
}

apply() {
    refuse_lock_out
    if ! exists; then
        make
    elif ! remembered ours; then
        [ "$adopt" = true ] ||
            fail "the account $user is there already and is not ours; choose another name, or say adopt: true for it"
        remember_account
    fi
    usermod -s "$shell" "$user"
    [ "$has_comment" != true ] || usermod -c "$comment" "$user"
    if [ -n "$uid" ] && [ "$(passwd_field 3)" != "$uid" ]; then fail "the account $user has uid $(passwd_field 3), wanted is $uid"; fi
    put_groups
    if [ "$adopt" != true ] && has_password; then usermod -p '*' "$user"; fi
    put_keys "$(printf '%s\n' "${keys[@]}")"
}

# Who logs in for us must go on being able to.
refuse_lock_out() {
    [ "$user" = "${SUDO_USER:-root}" ] || return 0
    local key
    for key in "${keys[@]}"; do case " $key " in *" $hc_login_key "*) return 0 ;; esac done
    fail "the keys of $user do not hold the one that this run logs in with ($hc_login_key); add it to them"
}

make() {
    local home=/home/$user options=() owner
    if getent group "$user" >/dev/null; then options+=(-g "$user"); fi
    if [ -n "$uid" ]; then
        options+=(-u "$uid")
    elif [ -d "$home" ] && owner=$(stat -c %u "$home") && [ "$owner" -ge 100 ] && ! getent passwd "$owner" >/dev/null; then
        options+=(-u "$owner") # the home of an earlier account of that name
    fi
    useradd -m -d "$home" -s "$shell" -p '*' "${options[@]}" "$user"
    remember ours yes
    chmod 0700 "$home"
    [ "$(stat -c %u "$home")" = "$(passwd_field 3)" ] || chown -R -h "$user:" "$home"
}

remember_account() {
    remember shell "$(passwd_field 7)"
    remember comment "$(passwd_field 5)"
    slurp "$(passwd_field 6)/.ssh/authorized_keys"
    remember keys "$REPLY"
}

put_groups() {
    local group IFS=,
    if [ "$adopt" != true ]; then
        local all=("${groups[@]}")
        case " $(id -nG "$user") " in *" docker "*) contains docker "${groups[@]}" || all+=(docker) ;; esac
        usermod -G "${all[*]}" "$user"
        return
    fi
    for group in "${groups[@]}"; do
        id -nG "$user" | tr ' ' '\n' | grep -qxF "$group" || { remember "group.$group" added && usermod -a -G "$group" "$user"; }
    done
}

# As the user: whatever links are in that home, they lead to nothing that the user could not write anyway.
put_keys() { # TEXT
    printf %s "${1:+$1$'\n'}" | runuser -u "$user" -- sh -c '
        set -eu
        umask 077
        cd "$1"
        mkdir -p .ssh && chmod 0700 .ssh
        cat >.ssh/.hypercompose.new && chmod 0600 .ssh/.hypercompose.new && mv -f .ssh/.hypercompose.new .ssh/authorized_keys
    ' sh "$(passwd_field 6)"
    if command -v restorecon >/dev/null; then restorecon -R "$(passwd_field 6)/.ssh"; fi
}

revert() {
    exists || return 0
    if remembered ours; then
        remove
    elif remembered shell; then
        local group
        usermod -s "$(recall shell)" -c "$(recall comment)" "$user"
        for group in $(remembered_below group.); do gpasswd -d "$user" "$group" || true; done
        put_keys "$(recall keys)"
    fi
}

remove() {
    local home file
    home=$(passwd_field 6)
    pkill -KILL -u "$user" || true
    userdel "$user"
    rm -rf -- "$home/.ssh"
    for file in .bash_logout .bashrc .bash_profile .profile .cloud-locale-test.skip; do
        if cmp -s -- "/etc/skel/$file" "$home/$file"; then rm -f -- "$home/$file"; fi
    done
    rmdir -- "$home" 2>/dev/null || echo "$home is kept: there is something in it" >&2
}
