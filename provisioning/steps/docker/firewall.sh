folder=/etc/hypercompose
file=$folder/docker-firewall.nft
drop_in=/etc/systemd/system/docker.service.d/10-hypercompose-firewall.conf

# Docker loads the rules itself, before each start: with rules that do not load there is no Docker.
drop_in_text() {
    printf '%s\n' '[Unit]' 'After=firewalld.service' '' '[Service]' "ExecStartPre=$(command -v nft || echo /usr/sbin/nft) -f $file"
}

check() {
    local text
    text=$(drop_in_text)
    fact rules := "$(file_state "$file" 0644 "$rules")"
    fact drop-in := "$(file_state "$drop_in" 0644 "$text"$'\n')"
    fact 'running rules' := "$(running_state)"
}

running_state() {
    local now
    now=$(loaded)
    if [ -z "$now" ]; then echo absent; elif [ "$now" = "$(recall loaded)" ]; then echo 'as written'; else echo changed; fi
}

# The table as the kernel has it, without its counters.
loaded() {
    nft -s list table inet "$table" 2>/dev/null | sha256sum | grep -v '^e3b0c44298fc1c14' || true
}

apply() {
    refuse_uplink
    if ! command -v nft >/dev/null; then
        install_packages nftables
        remember nftables ours
    fi
    own_file "$file" 0644 "$rules" nft --check -f
    local text
    text=$(drop_in_text)
    own_file "$drop_in" 0644 "$text"$'\n'
    nft -f "$file"
    forget loaded
    remember loaded "$(loaded)"
    systemctl daemon-reload
}

# What comes over bridges named so is let through, as Docker's own networks are.
refuse_uplink() {
    local uplink
    for uplink in $(ip route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p'); do
        case $uplink in
            br-* | docker0 | docker_gwbridge) fail "the network comes in over $uplink, which is named as Docker's bridges are, so neighbours cannot be told from containers; rename that bridge" ;;
        esac
    done
}

revert() {
    disown_file "$drop_in"
    systemctl daemon-reload
    if command -v nft >/dev/null; then nft "table inet $table {}; delete table inet $table"; fi
    disown_file "$file"
    if [ "$(recall nftables)" = ours ]; then remove_packages nftables; fi
}
