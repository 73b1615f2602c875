file=/swapfile-hypercompose
unit=swapfile\\x2dhypercompose.swap
unit_file=/etc/systemd/system/$unit

unit_text() {
    printf '%s\n' '[Unit]' 'Description=Swap file of this host' '' '[Swap]' "What=$file" '' '[Install]' 'WantedBy=swap.target'
}

check() {
    fact size_mib := "$(if [ -f "$file" ]; then echo $(($(stat -c %s -- "$file") >> 20)); else echo 0; fi)"
    fact swap := "$(is_on && echo on || echo off)"
}

is_on() { grep -qs "^$file " /proc/swaps; }

apply() {
    local text
    take_away
    [ "$size_mib" != 0 ] || return 0
    case $(stat -f -c %T /) in
        btrfs | overlayfs | tmpfs | nfs) fail "the root filesystem ($(stat -f -c %T /)) takes no swap file; leave swap_mib out" ;;
    esac
    [ "$(df --output=avail -m / | tail -n 1)" -gt "$((size_mib + 512))" ] ||
        fail "/ has $(df --output=avail -m / | tail -n 1) MiB free, too little for a swap file of $size_mib MiB and 512 more"
    (umask 077 && dd if=/dev/zero of="$file" bs=1M count="$size_mib" status=none)
    mkswap -q "$file"
    if command -v restorecon >/dev/null; then restorecon "$file"; fi
    text=$(unit_text)
    own_file "$unit_file" 0644 "$text"$'\n'
    systemctl daemon-reload
    systemctl enable -q "$unit"
    systemctl start "$unit"
}

take_away() {
    if is_on; then swapoff "$file"; fi
    if [ -e "$unit_file" ]; then systemctl disable -q "$unit" || true; fi
    disown_file "$unit_file"
    rm -f -- "$file"
}

revert() {
    take_away
    systemctl daemon-reload
}
