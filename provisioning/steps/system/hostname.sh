check() {
    fact hostname := "$(hostnamectl --static)"
}

apply() {
    remember hostname "$(hostnamectl --static)"
    hostnamectl set-hostname -- "$hostname"
}

revert() {
    if remembered hostname && [ "$(hostnamectl --static)" = "$hostname" ]; then
        hostnamectl set-hostname -- "$(recall hostname)"
    fi
}
