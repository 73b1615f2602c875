folder=/etc/hypercompose/stacks/$stack/secrets

check() {
    local found=()
    if [ -d "$folder" ]; then mapfile -t found < <(cd "$folder" && find . -maxdepth 1 -type f -printf '%f\n' | sort); fi
    fact files :: "${found[@]}"
    fact contents := "$(if [ -n "$(recall hash)" ] && [ "$(hashed)" = "$(recall hash)" ]; then recall fingerprint; fi)"
}

# Contents, modes and owners as they are, salted with what only this host has.
hashed() {
    [ -d "$folder" ] || return 0
    (cd "$folder" && find . -type f -printf '%f %m %u\n' -exec sha256sum {} + | sort; cat /etc/machine-id) |
        sha256sum | cut -c 1-64
}

# The folder keeps other users of the host out; a container sees single files of it, whoever it runs as.
apply() {
    local index content
    own_folder "$(dirname "$folder")" 0700
    own_folder "$folder" 0700
    chmod 0700 "$folder"
    forget fingerprint
    forget hash
    for index in "${!names[@]}"; do
        content=content_$index
        place "$folder/${names[index]}" "${!content}"
    done
    remove_others
    remember hash "$(hashed)"
    remember fingerprint "$fingerprint"
}

# In place where the file is there: a container that runs has mounted this very file.
place() {
    if [ ! -f "$1" ]; then : >"$1"; fi
    chmod 0444 "$1"
    printf %s "$2" >"$1"
}

remove_others() {
    local file
    for file in "$folder"/*; do
        if [ -e "$file" ] && ! contains "${file##*/}" "${names[@]}"; then rm -f -- "$file"; fi
    done
}

revert() {
    if [ -d "$folder" ]; then rm -rf -- "$folder"; fi
    disown_folder "$folder"
    disown_folder "$(dirname "$folder")"
    forget fingerprint
    forget hash
}
