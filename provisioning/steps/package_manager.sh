# The host's package manager, whichever it is. Of what is installed already, nothing is ours.
installed() { # PACKAGE
    if [ "$family" = dnf ]; then rpm -q --quiet -- "$1"; else
        [ "$(dpkg-query -W -f '${db:Status-Status}' -- "$1" 2>/dev/null)" = installed ]
    fi
}

# installed_among NAME…: those of them that are installed, in one question.
installed_among() {
    [ $# -gt 0 ] || return 0
    if [ "$family" = dnf ]; then
        { rpm -q --qf '%{NAME}\n' -- "$@" || true; } | sed '/ /d'
    else
        { dpkg-query -W -f '${db:Status-Status} ${Package}\n' -- "$@" 2>/dev/null || true; } | sed -n 's/^installed //p'
    fi
}

all_packages() {
    if [ "$family" = dnf ]; then rpm -qa --qf '%{NAME}\n'; else dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p'; fi |
        LC_ALL=C sort -u
}

install_packages() { # SPEC…: what comes along with them is ours as well
    local missing had name code=0
    had=$(all_packages)
    (fetch_packages "$@") || code=$?
    for name in $(LC_ALL=C comm -13 <(echo "$had") <(all_packages)); do
        contains "$name" "$@" || remember "along.$name" ours
    done
    [ "$code" -ne 0 ] || return 0
    missing=$(without_candidate "$@")
    [ -z "$missing" ] || fail "no package ${missing//$'\n'/, } in the repositories of this host; check the name, or add the repository that has it"
    fail "the package manager refused to install $*"
}

fetch_packages() { # SPEC…
    if [ "$family" = dnf ]; then
        dnf -y -q install -- "$@"
    else
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update || fail 'the lists of packages could not be fetched'
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends install -- "$@"
    fi
}

without_candidate() { # SPEC…
    local spec
    for spec; do
        if [ "$family" = dnf ]; then
            [ -n "$(dnf -q -C repoquery -- "$spec")" ] || echo "$spec"
        else
            apt-cache policy -- "${spec%%=*}" | grep -q '^  Candidate: [^(]' || echo "$spec"
        fi
    done
}

# remove_packages NAME…: with what came along. What something of somebody else's has come to need stays.
remove_packages() {
    local along name there
    mapfile -t there < <(installed_among "$@")
    [ ${#there[@]} -gt 0 ] || return 0
    mapfile -t along < <(installed_among $(remembered_below along.))
    # dnf refuses to remove what it protects, itself for one: then what came along stays
    if ! needed_by_others "${there[@]}" "${along[@]}" && purge_packages "${there[@]}" "${along[@]}"; then
        for name in "${along[@]}"; do forget "along.$name"; done
    elif ! needed_by_others "${there[@]}"; then
        purge_packages "${there[@]}"
    elif [ ${#there[@]} -gt 1 ]; then
        for name in "${there[@]}"; do remove_packages "$name"; done
    else
        echo "$1 stays: other packages need it"
    fi
}

purge_packages() {
    if [ "$family" = dnf ]; then
        dnf -y -q --noautoremove remove -- "$@"
    else
        apt-get -q -y -o DPkg::Lock::Timeout=300 purge -- "$@"
    fi
}

needed_by_others() { # NAME…: whether something that is not among them would have to go as well
    if [ "$family" = dnf ]; then
        ! rpm -e --test -- "$@" >/dev/null 2>&1
    else
        ! dpkg --dry-run --purge -- "$@" >/dev/null 2>&1
    fi
}
