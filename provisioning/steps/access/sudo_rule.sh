file=/etc/sudoers.d/hypercompose-$rule

check() {
    local lines=()
    if [ -f "$file" ]; then mapfile -t lines <"$file"; fi
    fact rules :: "${lines[@]}"
    fact file := "$(file_state "$file" 0440 "$text")"
}

apply() {
    command -v visudo >/dev/null || fail "there is no sudo on this host; add sudo to baseline.packages"
    own_file "$file" 0440 "$text" visudo -q -c -f
}

revert() {
    disown_file "$file"
}
