file=/etc/sudoers.d/hypercompose-$rule

check() {
    local lines=()
    if [ -f "$file" ]; then mapfile -t lines <"$file"; fi
    fact rules :: "${lines[@]}"
    fact file := "$(file_state "$file" 0440 "$text")"
}

apply() {
    command -v visudo >/dev/null || fail "there is no sudo on this host; add sudo to baseline.packages"
    local former=none sound=yes
    visudo -q -c || sound=no # somebody else's file, of another mode for one, is no reason against ours
    if [ -e "$file" ]; then
        slurp "$file"
        former=$REPLY
    fi
    own_file "$file" 0440 "$text" visudo -q -c -f
    # an alias that is there twice breaks the whole, and the last rule that fits wins: even over the one that lets us in
    [ "$sound" = no ] || visudo -q -c || put_back "rules: with them sudo refuses its whole configuration"
    [ -z "${SUDO_USER:-}" ] || runuser -u "$SUDO_USER" -- sudo -k -n true ||
        put_back "rules: with them $SUDO_USER, with whom we log in, would need a password for sudo"
}

put_back() { # REASON
    if [ "$former" = none ]; then rm -f -- "$file"; else printf %s "$former" >"$file"; fi
    fail "$1; the old file is back"
}

revert() {
    disown_file "$file"
}
