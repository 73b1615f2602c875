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

# As the user: a link in that home must not show what root alone may read. Not runuser: that asks whether the account may log in.
slurp_keys() {
    REPLY=
    IFS= read -r -d '' REPLY < <(
        setpriv --reuid "$user" --regid "$(passwd_field 4)" --init-groups \
            sh -c 'if [ -f "$1" ]; then cat -- "$1"; fi' sh "$(passwd_field 6)/.ssh/authorized_keys" 2>/dev/null
    ) || true
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
    slurp_keys
    while IFS= read -r line; do
        case $line in '' | '#'*) ;; *) found+=("$line") ;; esac
    done <<<"$REPLY"
    fact keys :: "${found[@]}"
    if [ "$adopt" != true ] && has_password; then fact password := set; else fact password := none; fi
}

apply() {
    refuse_lock_out
    [ -x "$shell" ] || fail "shell: there is no $shell on this host, so $user could not log in; add its package to baseline.packages"
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
    case $shell in */nologin | */false) fail "shell: with $shell, $user could not log in any more, and that is whom we log in as" ;; esac
    for key in "${keys[@]}"; do case " $key " in *" $hc_login_key "*) return 0 ;; esac done
    fail "the keys of $user do not hold the one that this run logs in with ($hc_login_key); add it to them"
}

make() {
    local home=/home/$user options=() owner
    [ ! -L "$home" ] || fail "$home is a link, and would be no home of $user's own; remove it"
    if getent group "$user" >/dev/null; then
        options+=(-g "$user")
        remember primary "$(getent group "$user" | cut -d: -f3)"
    fi
    owner=$(stat -c %u "$home" 2>/dev/null || echo 0)
    if [ "$owner" -ge 100 ] && getent passwd "$owner" >/dev/null; then
        fail "$home belongs to $(getent passwd "$owner" | cut -d: -f1) already; move it away, or choose another name"
    fi
    if [ -n "$uid" ]; then
        options+=(-u "$uid")
    elif [ "$owner" -ge 100 ]; then
        options+=(-u "$owner") # the home of an earlier account of that name
    fi
    remember ours yes # before it is there: one that was made by a run that was cut off is ours as well
    useradd -m -d "$home" -s "$shell" -p '*' "${options[@]}" "$user" || { forget ours && fail "the account $user could not be made"; }
    chmod 0700 "$home"
    [ "$(stat -c %u "$home")" = "$(passwd_field 3)" ] || chown -R -h "$user:" "$home"
}

remember_account() {
    remember shell "$(passwd_field 7)"
    remember comment "$(passwd_field 5)"
    slurp_keys
    if [ -d "$(passwd_field 6)/.ssh" ]; then remember had.folder yes; fi
    if [ -e "$(passwd_field 6)/.ssh/authorized_keys" ]; then remember keys "$REPLY"; fi
}

put_groups() {
    local group IFS=,
    for group in "${groups[@]}"; do
        getent group "$group" >/dev/null || fail "groups: there is no group $group on this host; make one in baseline.groups"
    done
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
        if remembered keys; then put_keys "$(recall keys)"; else take_keys; fi
    fi
}

# There were none: neither is there a file then, nor a folder that is ours.
take_keys() {
    runuser -u "$user" -- sh -c 'rm -f -- "$1/authorized_keys" && { [ "$2" = yes ] || [ ! -d "$1" ] || rmdir -- "$1"; }' \
        sh "$(passwd_field 6)/.ssh" "$(recall had.folder)" || echo "$(passwd_field 6)/.ssh is kept: there is something in it"
}

remove() {
    local home file
    home=$(passwd_field 6)
    pkill -KILL -u "$user" || true
    userdel "$user"
    # userdel takes the group of the same name along, which was there before
    if remembered primary && ! getent group "$user" >/dev/null; then groupadd -g "$(recall primary)" "$user"; fi
    rm -rf -- "$home/.ssh"
    for file in .bash_logout .bashrc .bash_profile .profile .cloud-locale-test.skip; do
        if cmp -s -- "/etc/skel/$file" "$home/$file"; then rm -f -- "$home/$file"; fi
    done
    rmdir -- "$home" 2>/dev/null || echo "$home is kept: there is something in it" >&2
}
