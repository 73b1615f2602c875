others='docker.io docker-engine docker-common moby-engine podman-docker'

# NAME VERSION of those of the set that are installed; the version as upstream writes it: 5:26.1.5-1~debian.13 is 26.1.5.
there() {
    if [ "$family" = dnf ]; then
        rpm -q --qf '%{NAME} %{VERSION}\n' -- "${!versions[@]}" | grep -v ' is not installed$' || true
    else
        dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' -- "${!versions[@]}" 2>/dev/null |
            sed -n -E 's/^installed (\S+) ([0-9]+:)?([^-]+)(-.*)?$/\1 \3/p' || true
    fi
}

version_of() { # NAME, among the lines of $installed_now
    awk -v name="$1" '$1 == name { print $2 }' <<<"$installed_now"
}

check() {
    local name installed_now
    installed_now=$(there)
    for name in "${!versions[@]}"; do
        local now
        now=$(version_of "$name")
        fact versions "$name" := "${now:-absent}"
    done
    fact held := "$(are_held)"
}

are_held() {
    if [ "$family" = dnf ]; then
        grep -qs '^excludepkgs=.*docker-ce' /etc/yum.repos.d/hypercompose-docker.repo && echo yes || echo no
        return
    fi
    local held name
    held=$(apt-mark showhold)
    for name in "${!versions[@]}"; do
        contains "$name" $held || { echo no && return; }
    done
    echo yes
}

apply() {
    local installed_now name
    refuse_others
    installed_now=$(there)
    for name in "${!versions[@]}"; do refuse_foreign "$name"; done
    refuse_lost_containers
    local fresh=()
    for name in "${!versions[@]}"; do
        [ -n "$(version_of "$name")" ] || fresh+=("$name")
    done
    systemctl reset-failed docker.service 2>/dev/null || true # a few changes in a minute are no reason to stay down
    local code=0
    (install_versions) || code=$?
    for name in "${fresh[@]}"; do
        if installed "$name"; then remember "ours.$name" yes; fi
    done
    [ "$code" -eq 0 ] || return "$code"
    if [ "$family" = apt ]; then hold; fi
}

hold() {
    local held name
    held=$(apt-mark showhold)
    for name in "${!versions[@]}"; do
        contains "$name" $held || { remember "held.$name" yes && apt-mark hold "$name"; }
    done
}

refuse_others() {
    local name
    for name in $others; do
        if installed "$name"; then
            fail "the package $name is here and is another Docker; remove it with its containers moved first, or set docker: null"
        fi
    done
}

refuse_foreign() { # NAME
    local now
    now=$(version_of "$1")
    if [ -z "$now" ] || [ "$now" = "${versions[$1]}" ] || remembered "ours.$1" || [ "$replace" = true ]; then return 0; fi
    fail "$1 $now was here before us, wanted is ${versions[$1]}; choose that version, or say docker.replace: true"
}

# A container that was started by containerd 2 is lost to containerd 1 (measured): its shim speaks another protocol.
refuse_lost_containers() {
    local now wanted=${versions[containerd.io]:-}
    now=$(version_of containerd.io)
    if [ -n "$wanted" ] && [ "${now%%.*}" = 2 ] && [ "${wanted%%.*}" = 1 ] && [ -n "$(docker ps -q 2>/dev/null)" ]; then
        fail "containerd $now cannot go back to $wanted while containers run: it would lose them; stop them first," \
            "or choose a set with containerd.io $now"
    fi
}

install_versions() {
    local name specs=()
    if [ "$family" = dnf ]; then
        for name in "${!versions[@]}"; do specs+=("$name-${versions[$name]}"); done
        dnf -y -q --disableexcludes=all --setopt=install_weak_deps=False install -- "${specs[@]}"
    else
        for name in "${!versions[@]}"; do specs+=("$name=$(offered "$name" "${versions[$name]}")"); done
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends \
            --allow-downgrades --allow-change-held-packages install -- "${specs[@]}"
    fi
}

offered() { # NAME VERSION: the whole version that apt knows it by
    local whole
    whole=$(apt-cache madison "$1" | awk -F ' *\\| *' -v version="$2" \
        '{ upstream = $2; sub(/^[0-9]+:/, "", upstream); sub(/-.*/, "", upstream) } upstream == version { print $2; exit }')
    if [ -z "$whole" ]; then
        fail "no repository offers $1 $2; it offers: $(apt-cache madison "$1" | awk -F ' *\\| *' '{ print $2 }' | sort -u | xargs)"
    fi
    echo "$whole"
}

revert() {
    local name names=() running
    for name in $(remembered_below ours.); do
        if installed "$name"; then names+=("$name"); fi
    done
    for name in $(remembered_below held.); do apt-mark unhold "$name" >/dev/null || true; done
    [ ${#names[@]} -gt 0 ] || return 0
    running=$(docker ps --format '{{.Names}}' 2>/dev/null | xargs || true)
    [ -z "$running" ] || fail "containers that are not of this stack still run: $running; stop or move them, then again"
    systemctl stop docker.socket docker.service 2>/dev/null || true
    if [ "$family" = dnf ]; then
        dnf -y -q --noautoremove remove -- "${names[@]}"
    else
        apt-get -q -y -o DPkg::Lock::Timeout=300 remove -- "${names[@]}"
    fi
}
