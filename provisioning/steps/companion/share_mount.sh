unit=$(systemd-escape --path --suffix=mount -- "$mount")
automount=$(systemd-escape --path --suffix=automount -- "$mount")
unit_file=/etc/systemd/system/$unit
automount_file=/etc/systemd/system/$automount
patience_s=25

check() {
    local answers
    # first the look that mounts it, so that what is mounted can be told
    answers=$(answer)
    fact share := "$(mounted)"
    fact unit := "$(file_state "$unit_file" 0644 "$unit_text")"
    fact automount := "$(file_state "$automount_file" 0644 "$automount_text")"
    fact 'at boot' := "$(unit_state "$automount")"
    fact login := "$(if [ -n "$(recall hash)" ] && [ "$(hashed)" = "$(recall hash)" ]; then recall fingerprint; fi)"
    fact answers := "$answers"
}

mounted() { # the automount itself is not meant
    { findmnt -n -r -o FSTYPE,SOURCE --mountpoint "$mount" 2>/dev/null || true; } |
        sed -n '/^autofs /!s/^[^ ]* //p' | tail -n 1 | sed 's/\\x20/ /g'
}

# Whether the share can be listed; the companion may be away, and whoever asks a file system of it would hang.
answer() {
    local said
    if [ ! -d "$mount" ]; then
        echo 'nothing there'
    elif said=$(timeout -k 5 "$patience_s" ls -a -- "$mount" 2>&1 >/dev/null) && [ -n "$(mounted)" ]; then
        echo yes
    else
        said=${said##*: }
        echo "no${said:+: $said}"
    fi
}

# Content, mode and owner of the login, salted with what only this host has.
hashed() {
    if [ -e "$credentials" ]; then
        (stat -c '%a %u' -- "$credentials" && cat -- "$credentials" /etc/machine-id) | sha256sum | cut -c 1-64
    fi
}

apply() {
    local old now
    if ! command -v mount.cifs >/dev/null; then
        install_packages cifs-utils
        remember package.cifs-utils ours
    fi
    command -v python3 >/dev/null || { install_packages python3 && remember package.python3 ours; }
    refuse_foreign
    old=$(written_before)
    own_folder "$(dirname -- "$credentials")" 0700
    forget fingerprint
    own_file "$credentials" 0600 "$login"
    own_folder "$mount"
    own_file "$unit_file" 0644 "$unit_text"
    own_file "$automount_file" 0644 "$automount_text"
    forget hash
    remember hash "$(hashed)"
    remember fingerprint "$fingerprint"
    systemctl daemon-reload
    if [ "$old" != "$(written_before)" ]; then stop_mount; fi
    systemctl enable -q "$automount"
    systemctl reset-failed "$unit" "$automount" 2>/dev/null || true
    systemctl start "$automount"
    now=$(answer)
    [ "$now" = yes ] || refuse "$now"
}

written_before() { { cat -- "$unit_file" "$automount_file" "$credentials" 2>/dev/null || true; } | sha256sum; }

# What somebody else has mounted or put there would be hidden.
refuse_foreign() {
    local there
    there=$(mounted)
    if [ -n "$there" ] && [ ! -e "$unit_file" ]; then fail "$there is mounted at $mount already; choose another place"; fi
    if [ -z "$there" ] && [ ! -e "$automount_file" ] && [ -d "$mount" ] && [ -n "$(ls -A -- "$mount")" ]; then
        fail "$mount is not empty, and a mount would hide what is in it; move that first"
    fi
}

refuse() {
    local said
    said=$(journalctl -u "$unit" -n 20 -o cat --no-pager 2>/dev/null | grep -m 1 -E 'mount error|[Cc]ould not resolve' || true)
    case $said in
        *'(13)'*) fail "$share: the login or its rights were refused: check user, password and domain, and who may use the share" ;;
        *'(2)'*) fail "$share: there is no such share; check its name" ;;
        *resolve*) fail "$share: this host cannot resolve that name; check its DNS servers, or give an address" ;;
    esac
    fail "$share does not answer ($1); is the companion up, and may this host reach its port 445? ${said:-}"
}

stop_mount() {
    systemctl stop "$automount" 2>/dev/null || true
    [ -z "$(mounted)" ] || timeout -k 5 30 systemctl stop "$unit" || true
    [ -z "$(mounted)" ] || fail "$mount is in use and cannot be mounted anew; \`fuser -vm $mount\` shows by whom"
}

revert() {
    local package
    if [ -e "$automount_file" ]; then systemctl disable -q --now "$automount" 2>/dev/null || true; fi
    if [ -n "$(mounted)" ] && [ -e "$unit_file" ]; then
        # a companion that is gone lets nobody leave in order
        timeout -k 5 30 systemctl stop "$unit" 2>/dev/null || true
        [ -z "$(mounted)" ] || umount -l -- "$mount" || true
    fi
    disown_file "$automount_file"
    disown_file "$unit_file"
    systemctl daemon-reload
    disown_file "$credentials"
    disown_folder "$(dirname -- "$credentials")"
    disown_folder "$mount"
    forget hash
    forget fingerprint
    for package in cifs-utils python3; do
        if remembered "package.$package"; then
            remove_packages "$package"
            forget "package.$package"
        fi
    done
}
