check() {
    local entry found=() there
    there=$(installed_among "${packages[@]##*:}")
    for entry in "${packages[@]}"; do
        if ! meant "$entry" || contains "${entry##*:}" $there; then found+=("$entry"); fi
    done
    fact packages :: "${found[@]}"
    fact 'left over' :: $(left_over)
}

apply() {
    local entry name missing=()
    remove_packages $(left_over)
    for name in $(left_over); do forget "package.$name"; done
    for entry in "${packages[@]}"; do
        name=${entry##*:}
        if meant "$entry" && ! installed "$name"; then missing+=("$name"); fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local code=0
    (install_packages "${missing[@]}") || code=$?
    for name in $(installed_among "${missing[@]}"); do remember "package.$name" ours; done
    return "$code"
}

revert() {
    packages=()
    remove_packages $(left_over)
}

meant() { # ENTRY: whether it counts on this family
    [[ $1 != *:* || $1 = "$family:"* ]]
}

# What we have installed and nobody asks for any more.
left_over() {
    local name
    for name in $(remembered_below package.); do
        contains "$name" "${packages[@]}" || contains "$family:$name" "${packages[@]}" || echo "$name"
    done
}
