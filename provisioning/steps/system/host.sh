check() {
    [ ! -e "$ours/owner" ] || fact owner := "$(cat -- "$ours/owner")"
    note family := "$family"
    note os := "$(. /etc/os-release && echo "$ID")"
    note version := "$(. /etc/os-release && echo "${VERSION_ID:-rolling}")"
    note architecture := "$(uname -m)"
    note kernel := "$(uname -r)"
}

apply() {
    case $family in unknown*)
        fail "this system is $family, expected Rocky Linux or its like, Debian or Ubuntu; take the host out of the settings"
        ;;
    esac
    if [ -e "$ours/owner" ] && [ "$(cat -- "$ours/owner")" != "$owner" ]; then
        fail "this host is managed by $(cat -- "$ours/owner"); destroy it there first, or take it out of these settings"
    fi
    printf %s "$owner" >"$ours/owner.new"
    mv -f -- "$ours/owner.new" "$ours/owner"
}

revert() {
    if [ -e "$ours/owner" ] && [ "$(cat -- "$ours/owner")" = "$owner" ]; then
        rm -f -- "$ours/owner"
    fi
}
