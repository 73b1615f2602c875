repo=/etc/yum.repos.d/hypercompose-docker.repo
rpm_key=/etc/pki/rpm-gpg/RPM-GPG-KEY-hypercompose-docker
sources=/etc/apt/sources.list.d/hypercompose-docker.sources
apt_key_file=/etc/apt/keyrings/hypercompose-docker.asc

# Excluded from what updates look at: Docker moves when its step says so, and at no other time.
dnf_file() {
    printf '%s\n' '[hypercompose-docker]' 'name=Docker CE' "baseurl=$dnf_url" 'enabled=1' 'gpgcheck=1' 'repo_gpgcheck=1' \
        "gpgkey=file://$rpm_key" 'excludepkgs=docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin'
}

apt_file() {
    printf '%s\n' 'Types: deb' "URIs: $apt_url" "Suites: $apt_suite" "Components: ${apt_components[*]}" \
        "Signed-By: $apt_key_file"
}

# Somebody's own source of the same packages serves as well, and apt refuses two with different keys for one address.
is_theirs() {
    [ "$family" = apt ] || return 1
    local one
    for one in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        if [ "$one" != "$sources" ] && grep -qsE "^(deb |URIs:)[^#]*[ ]${apt_url//./\\.}/?( |\$)" "$one"; then return 0; fi
    done
    return 1
}

given() {
    if contains dnf "${families[@]}"; then
        fact dnf url := "$dnf_url"
        fact dnf key := "$dnf_key"
    fi
    if contains apt "${families[@]}"; then
        fact apt url := "$apt_url"
        fact apt suite := "$apt_suite"
        fact apt components :: "${apt_components[@]}"
        fact apt key := "$apt_key"
    fi
    if [ -e "$sources" ]; then fact file := 'beside another source of the same packages'; else fact file := 'as written'; fi
    fact fetched := yes
}

check() {
    if is_theirs; then
        given
        return
    fi
    local file=$repo key=$rpm_key content
    [ "$family" = dnf ] || file=$sources key=$apt_key_file
    content=$("${family}_file")
    if contains dnf "${families[@]}"; then
        fact dnf url := "$(if [ "$family" = dnf ]; then found "$repo" baseurl=; else echo "$dnf_url"; fi)"
        REPLY=$dnf_key
        [ "$family" != dnf ] || slurp "$rpm_key"
        fact dnf key := "$REPLY"
    fi
    if contains apt "${families[@]}"; then
        fact apt url := "$(if [ "$family" = apt ]; then found "$sources" 'URIs: '; else echo "$apt_url"; fi)"
        fact apt suite := "$(if [ "$family" = apt ]; then found "$sources" 'Suites: '; else echo "$apt_suite"; fi)"
        fact apt components :: $(if [ "$family" = apt ]; then found "$sources" 'Components: '; else echo "${apt_components[*]}"; fi)
        REPLY=$apt_key
        [ "$family" != apt ] || slurp "$apt_key_file"
        fact apt key := "$REPLY"
    fi
    if contains "$family" "${families[@]}"; then
        fact file := "$(file_state "$file" 0644 "$content"$'\n')"
    else
        fact file := "no repository for $family is given"
    fi
    fact fetched := "$(if [ "$(wanted_hash)" = "$(recall fetched)" ]; then echo yes; else echo no; fi)"
}

# Of file and key for which metadata was fetched and verified.
wanted_hash() {
    local key=$dnf_key
    [ "$family" = dnf ] || key=$apt_key
    { "${family}_file" && printf %s "$key"; } | sha256sum | cut -c 1-64
}

found() { # FILE PREFIX
    if [ -f "$1" ]; then sed -n "s|^$2||p" "$1"; fi
}

apply() {
    contains "$family" "${families[@]}" ||
        fail "this host takes packages by $family, but the site names no Docker repository for it: docker.$family in the site file"
    local content
    if is_theirs; then
        disown_file "$sources"
        disown_file "$apt_key_file"
        return
    fi
    content=$("${family}_file")
    forget fetched
    if [ "$family" = dnf ]; then
        own_file "$rpm_key" 0644 "$dnf_key"
        trust_key
        own_file "$repo" 0644 "$content"$'\n'
        forget_cache # with the keys that dnf has come to trust for it
        dnf -q -y makecache --repo hypercompose-docker
    else
        own_file "$apt_key_file" 0644 "$apt_key"
        own_file "$sources" 0644 "$content"$'\n'
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dir::Etc::sourcelist="$sources" -o Dir::Etc::sourceparts=- \
            -o APT::Get::List-Cleanup=0 --error-on=any update
        apt-get -q indextargets >/dev/null || {
            disown_file "$sources"
            fail "together with the other sources of this host, apt refuses ours; it was taken back. Remove the one that conflicts"
        }
    fi
    remember fetched "$(wanted_hash)"
}

# rpm keeps keys in its database: one that came with us goes with us.
trust_key() {
    local key had
    had=$(rpm -q gpg-pubkey || true)
    rpm --import "$rpm_key" || fail "rpm takes no key from docker.dnf.key"
    for key in $(rpm -q gpg-pubkey); do
        contains "$key" $had || remember "key.$key" ours
    done
}

forget_cache() { rm -rf -- /var/cache/dnf/hypercompose-docker*; }

revert() {
    local key
    for key in $(remembered_below key.); do rpm -e -- "$key" || true; done
    forget_cache
    disown_file "$repo"
    disown_file "$rpm_key"
    disown_file "$sources"
    disown_file "$apt_key_file"
}
