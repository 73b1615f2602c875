file=/swapfile-hypercompose
swaps=/proc/swaps
unit=swapfile\\x2dhypercompose.swap
unit_file=/etc/systemd/system/$unit

unit_text() {
    printf '%s\n' '[Unit]' 'Description=Swap file of this host' '' '[Swap]' "What=$file" '' '[Install]' 'WantedBy=swap.target'
}

check() {
    fact size_mib := "$(size_now)"
    fact swap := "$(swap_now)"
}

size_now() {
    if [ -f "$file" ]; then echo $(($(stat -c %s -- "$file") >> 20)); else echo 0; fi
}

swap_now() {
    if ! is_on; then
        echo off
    elif [ "$(stat -c %a:%u -- "$file")" != 600:0 ]; then
        echo "on, mode $(stat -c %a:%u -- "$file")"
    elif [ "$(systemctl is-enabled -- "$unit" 2>/dev/null)" != enabled ]; then
        echo 'on, not after a boot'
    else
        echo on
    fi
}

is_on() { grep -qs "^$file[[:space:]]" "$swaps"; }

apply() {
    local text
    if [ "$(size_now)" != "$size_mib" ] || ! is_on; then take_away; fi
    [ "$size_mib" != 0 ] || return 0
    [ -f "$file" ] || make
    chown 0:0 -- "$file"
    chmod 0600 -- "$file"
    text=$(unit_text)
    own_file "$unit_file" 0644 "$text"$'\n'
    systemctl daemon-reload
    systemctl enable -q -- "$unit"
    systemctl start -- "$unit"
}

make() {
    local kind free
    kind=$(stat -f -c %T /)
    case $kind in
        btrfs | overlayfs | tmpfs | nfs) fail "the root filesystem ($kind) takes no swap file; leave swap_mib out" ;;
    esac
    free=$(df --output=avail -m / | tail -n 1)
    [ "$free" -gt "$((size_mib + 512))" ] || fail "/ has $free MiB free, too little for a swap file of $size_mib MiB and 512 more"
    (umask 077 && dd if=/dev/zero of="$file" bs=1M count="$size_mib" status=none)
    mkswap -q "$file" # labels the file for SELinux as well
}

take_away() {
    if is_on; then swapoff "$file"; fi
    if [ -e "$unit_file" ]; then systemctl disable -q -- "$unit" || true; fi
    disown_file "$unit_file"
    rm -f -- "$file"
    systemctl daemon-reload
}

revert() { take_away; }
