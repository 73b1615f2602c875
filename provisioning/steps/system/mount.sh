unit=$(systemd-escape --path --suffix=mount -- "$mount")
file=/etc/systemd/system/$unit

unit_text() {
    printf '%s\n' '[Unit]' "Description=Data on $mount" 'Before=docker.service' '' '[Mount]' "What=$(what)" "Where=$mount" \
        "Type=$filesystem" "Options=$options" '' '[Install]' 'WantedBy=multi-user.target'
}

what() {
    case $device in
        LABEL=*) echo "/dev/disk/by-label/${device#*=}" ;;
        UUID=*) echo "/dev/disk/by-uuid/${device#*=}" ;;
        PARTUUID=*) echo "/dev/disk/by-partuuid/${device#*=}" ;;
        PARTLABEL=*) echo "/dev/disk/by-partlabel/${device#*=}" ;;
        *) echo "$device" ;;
    esac
}

real_device() { # empty where there is none
    local found
    found=$(findfs "$device" 2>/dev/null || true)
    if [ -n "$found" ] && [ -b "$found" ]; then readlink -f -- "$found"; fi
}

is_device() { # SOURCE of a mount; one that is no path at all, of a network for one, is none
    local real
    real=$(real_device)
    [ -n "$real" ] && [ "$(readlink -f -- "$1")" = "$real" ]
}

mounted() { # COLUMN of what is mounted exactly there
    findmnt -n -o "$1" --mountpoint "$mount" 2>/dev/null | tail -n 1 || true
}

check() {
    local now text
    now=$(mounted SOURCE)
    if is_device "$now"; then now=$device; fi
    fact device := "${now:-nothing mounted}"
    fact filesystem := "$(mounted FSTYPE)"
    text=$(unit_text)
    fact unit := "$(file_state "$file" 0644 "$text"$'\n')"
    fact 'at boot' := "$(systemctl is-enabled "$unit" 2>/dev/null || true)"
}

apply() {
    local real found there text
    real=$(real_device)
    [ -n "$real" ] || fail "$device is not there on this host; \`lsblk -f\` shows what is"
    found=$(blkid -p -s TYPE -o value -- "$real" || true)
    [ "$found" = "$filesystem" ] || fail "$device holds ${found:-no filesystem}, wanted is $filesystem; nothing is formatted here"
    text=$(unit_text)
    if remembered 'mounted by us' && [ "$(file_state "$file" 0644 "$text"$'\n')" != 'as written' ]; then
        systemctl stop "$unit" # another device, or other options
    fi
    there=$(mounted SOURCE)
    if [ -n "$there" ] && ! is_device "$there"; then
        fail "$there is mounted at $mount already; choose another place"
    fi
    if [ -z "$there" ] && [ -d "$mount" ] && [ -n "$(ls -A -- "$mount")" ]; then
        fail "$mount is not empty, and a mount would hide what is in it; move that first"
    fi
    own_folder "$mount"
    own_file "$file" 0644 "$text"$'\n'
    systemctl daemon-reload
    systemctl enable -q "$unit"
    [ -n "$there" ] || remember 'mounted by us' yes
    systemctl start "$unit"
}

# What was mounted there before us, by fstab for one, stays mounted.
revert() {
    if [ -e "$file" ] && [ -e "$ours/absent$file" ]; then
        systemctl disable -q "$unit"
        if remembered 'mounted by us'; then systemctl stop "$unit"; fi
    fi
    disown_file "$file"
    systemctl daemon-reload
    disown_folder "$mount"
}
