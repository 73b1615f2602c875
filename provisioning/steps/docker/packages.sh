others='docker.io docker-engine docker-common moby-engine podman-docker containerd runc'
locks=/etc/dnf/plugins/versionlock.list
lock_plugin=python3-dnf-plugin-versionlock

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

# Where updates could take other versions from: apt has marks, our own repository for dnf excludes the packages from
# updates, and where somebody else's has them too, dnf's version lock keeps them.
are_held() {
    local held name
    if [ "$family" = dnf ]; then
        held=$(cat "$locks" 2>/dev/null || true)
        if ! grep -qs '^excludepkgs=.*docker-ce' /etc/yum.repos.d/hypercompose-docker.repo; then echo no && return; fi
        [ -n "$(other_repositories)" ] || { echo yes && return; }
        for name in $(locked_specs); do [[ $'\n'$held$'\n' = *$'\n'"$name"$'\n'* ]] || { echo no && return; }; done
        echo yes
        return
    fi
    held=$(apt-mark showhold)
    for name in "${!versions[@]}"; do
        contains "$name" $held || { echo no && return; }
    done
    echo yes
}

other_repositories() {
    grep -liE '^(baseurl|mirrorlist|metalink) *=.*docker' /etc/yum.repos.d/*.repo 2>/dev/null | grep -v '/hypercompose-docker.repo$' || true
}

locked_specs() {
    { rpm -q --qf '%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.*\n' -- "${!versions[@]}" || true; } | sed '/ /d'
}

apply() {
    local installed_now name
    refuse_others
    installed_now=$(there)
    for name in "${!versions[@]}"; do refuse_foreign "$name"; done
    refuse_lost_containers
    refuse_ended_containers
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
    hold
    forget_neighbours
}

# Docker 28 gives containers other MAC addresses than 26 does, for the same IP addresses: nobody waits for the old ones.
forget_neighbours() {
    local device
    for device in /sys/class/net/docker0 /sys/class/net/br-*; do
        if [ -e "$device" ]; then ip neigh flush dev "${device##*/}" 2>/dev/null || true; fi
    done
}

hold() {
    local held name
    if [ "$family" = dnf ]; then
        if [ -n "$(other_repositories)" ]; then lock; fi
        return
    fi
    held=$(apt-mark showhold)
    for name in "${!versions[@]}"; do
        contains "$name" $held || { remember "held.$name" yes && apt-mark hold "$name"; }
    done
}

lock() {
    local spec
    installed "$lock_plugin" || { install_packages "$lock_plugin" && remember plugin ours; }
    for spec in $(locked_specs); do
        grep -qsxF -- "$spec" "$locks" || { remember "lock.$spec" ours && echo "$spec" >>"$locks"; }
    done
}

unlock() {
    local spec
    for spec in $(remembered_below lock.); do
        if [ -e "$locks" ]; then
            grep -vxF -- "$spec" "$locks" >"$locks.new" || true
            cat "$locks.new" >"$locks" && rm -f -- "$locks.new"
        fi
        forget "lock.$spec"
    done
}

refuse_others() {
    local name
    for name in $others; do
        if installed "$name"; then
            fail "the package $name is here, and Docker CE cannot be beside it; remove it with its containers moved first, or set docker: null"
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

# Packages restart the daemon that they replace.
refuse_ended_containers() {
    local name running moved=no
    for name in docker-ce containerd.io; do
        case $(version_of "$name") in '' | "${versions[$name]:-}") ;; *) [ -z "${versions[$name]:-}" ] || moved=yes ;; esac
    done
    [ "$moved" = yes ] || return 0
    running=$(docker ps --format '{{.Names}}' 2>/dev/null | xargs || true)
    if [ -n "$running" ] && [ "$(docker info -f '{{.LiveRestoreEnabled}}' 2>/dev/null)" != true ]; then
        fail "containers run ($running), and without live-restore a change of Docker's version would end them; set live-restore in daemon.json, or stop them first"
    fi
}

install_versions() {
    local name whole specs=()
    if [ "$family" = dnf ]; then
        unlock
        for name in "${!versions[@]}"; do specs+=("$name-${versions[$name]}"); done
        dnf_install "${specs[@]}" || dnf_install --refresh "${specs[@]}"
    else
        all_offered || apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update
        for name in "${!versions[@]}"; do
            whole=$(offered "$name" "${versions[$name]}")
            [ -n "$whole" ] || refuse_version "$name"
            specs+=("$name=$whole")
        done
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends \
            --allow-downgrades --allow-change-held-packages install -- "${specs[@]}"
    fi
}

dnf_install() { # [OPTION] SPEC…
    dnf -y -q --disableexcludes=all --setopt=install_weak_deps=False install "$@"
}

all_offered() {
    local name
    for name in "${!versions[@]}"; do [ -n "$(offered "$name" "${versions[$name]}")" ] || return 1; done
}

offered() { # NAME VERSION: the whole version that apt knows it by
    apt-cache madison "$1" | awk -F ' *\\| *' -v version="$2" \
        '{ upstream = $2; sub(/^[0-9]+:/, "", upstream); sub(/-.*/, "", upstream) } upstream == version { print $2; exit }'
}

refuse_version() { # NAME
    fail "no repository offers $1 ${versions[$1]}; it offers: $(apt-cache madison "$1" | awk -F ' *\\| *' '{ print $2 }' | sort -u | xargs)"
}

revert() {
    local name names=() running
    for name in $(remembered_below ours.); do
        if installed "$name"; then names+=("$name"); fi
    done
    unlock
    if remembered plugin; then remove_packages "$lock_plugin"; fi
    for name in $(remembered_below held.); do apt-mark unhold "$name" >/dev/null || true; done
    [ ${#names[@]} -gt 0 ] || return 0
    running=$(docker ps --format '{{.Names}}' 2>/dev/null | xargs || true)
    [ -z "$running" ] || fail "containers that are not of this stack still run: $running; stop or move them, then again"
    systemctl stop docker.socket docker.service 2>/dev/null || true
    if [ "$family" = dnf ]; then
        dnf -y -q --noautoremove remove -- "${names[@]}"
    else
        apt-get -q -y -o DPkg::Lock::Timeout=300 purge -- "${names[@]}" # /var/lib/docker is no part of them
    fi
}
