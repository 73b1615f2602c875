file=/etc/ssh/sshd_config.d/00-hypercompose.conf

says() { # KEYWORD, among the lines of $effective
    awk -v key="$1" '$1 == key { $1 = ""; print substr($0, 2) }' <<<"$effective"
}

check() {
    local effective
    if ! effective=$(sshd -T 2>/dev/null); then
        fact file := 'sshd refuses its configuration'
        return
    fi
    fact permit_root_login := "$(says permitrootlogin | sed 's/^without-password$/prohibit-password/')"
    if [ "$(says passwordauthentication)$(says kbdinteractiveauthentication)" = nono ]; then
        fact password_login := false
    else
        fact password_login := true
    fi
    number max_auth_tries maxauthtries
    number login_grace_s logingracetime
    number client_alive_interval_s clientaliveinterval
    number max_sessions maxsessions
    [ ${#allow_groups[@]} -eq 0 ] || fact allow_groups :: $(says allowgroups | LC_ALL=C sort)
    fact file := "$(file_state "$file" 0600 "$text")"
}

number() { # NAME KEYWORD
    if contains "$1" "${asked[@]}"; then fact "$1" := "$(says "$2")"; fi
}

apply() {
    sshd -t || fail "sshd's configuration is broken already; mend that first, nothing was changed"
    grep -qsE '^\s*Include\s+/etc/ssh/sshd_config\.d/' /etc/ssh/sshd_config ||
        fail "sshd_config does not include /etc/ssh/sshd_config.d/*.conf; add that line as its first"
    if [ "$root" = no ] && [ "${SUDO_USER:-root}" = root ]; then
        fail "we log in as root, so permit_root_login: no would lock us out; use another user, or prohibit-password"
    fi
    refuse_groups
    slurp "$file"
    local former=$REPLY
    own_file "$file" 0600 "$text"
    if ! sshd -t; then
        if [ -n "$former" ]; then printf %s "$former" >"$file"; else rm -f -- "$file"; fi
        fail "sshd refuses these settings; the old ones are back"
    fi
    reload
}

refuse_groups() {
    local group
    [ ${#allow_groups[@]} -gt 0 ] || return 0
    for group in $(id -nG "${SUDO_USER:-root}"); do
        if contains "$group" "${allow_groups[@]}"; then return 0; fi
    done
    fail "allow_groups has no group of ${SUDO_USER:-root}, with whom we log in: $(id -nG "${SUDO_USER:-root}"); add one"
}

reload() {
    systemctl reload sshd.service 2>/dev/null || systemctl reload ssh.service
}

revert() {
    if [ -e "$file" ] || [ -e "$ours/absent$file" ] || [ -e "$ours/originals$file" ]; then
        disown_file "$file"
        sshd -t && reload
    fi
}
